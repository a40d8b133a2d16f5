import { Button, Select, TextInput } from '@mantine/core';
import { list as listCatalogue } from '@gatehouse/client/catalogue.ts';
import { edit } from '@gatehouse/client/connectors.ts';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import c from './connectors.module.css';
import { fieldsOf, SchemaForm, tidy, type Values } from './schema-form.tsx';
import { accessWords, actsAsWords, type Connector } from './words.ts';

/** What an administrator chose for a connector. What raises access makes the tools of ours that it brings usable; what lowers it closes them. */
export function SettingsPanel({ of }: { of: Connector }) {
  const org = useOrg();
  const { items } = useAsk(listCatalogue, { org, query: { limit: 200 } });
  const kind = items.find((k) => k.type === of.type);
  const [name, setName] = useState(of.name);
  const [access, setAccess] = useState(of.access);
  const [actAs, setActAs] = useState(of.actAs);
  const [settings, setSettings] = useState<Values>(of.settings);
  const save = useDo(edit, { also: ['mine', 'policy'] });
  const asked = tidy(settings);
  const body = {
    ...(name.trim() !== of.name ? { name: name.trim() } : {}),
    ...(access !== of.access ? { access } : {}),
    ...(actAs !== of.actAs ? { actAs } : {}),
    ...(JSON.stringify(asked) !== JSON.stringify(of.settings) ? { settings: asked } : {}),
  };
  const changed = Object.keys(body).length;
  return (
    <form
      className={c.form}
      onSubmit={(e) => {
        e.preventDefault();
        if (changed > 0) void save.run({ org, con: of.id, body });
      }}
    >
      <TextInput label="Name" value={name} maxLength={100} onChange={(e) => setName(e.currentTarget.value)} />
      {kind && (
        <Select
          label="For"
          data={(['read_only', 'read_write'] as const).map((value) => ({ value, label: accessWords[value] }))}
          value={access}
          onChange={(to) => to && setAccess(to)}
        />
      )}
      {kind && kind.actsAs.length > 1 && (
        <Select
          label="Calls use"
          description="Connections of the other kind stay, and are not used."
          data={kind.actsAs.map((value) => ({ value, label: actsAsWords[value] }))}
          value={actAs}
          onChange={(to) => to && setActAs(to)}
        />
      )}
      {kind && fieldsOf(kind.settings).length > 0 && (
        <SchemaForm schema={kind.settings} values={settings} onChange={setSettings} />
      )}
      <Problem of={save.refusal} />
      <div className="gh-actions">
        <Act
          can="connector.manage"
          variant="filled"
          disabled={changed === 0 || name.trim() === ''}
          loading={save.busy}
          onClick={() => void save.run({ org, con: of.id, body })}
        >
          Save the changes
        </Act>
        {changed > 0 && (
          <Button
            onClick={() => {
              setName(of.name);
              setAccess(of.access);
              setActAs(of.actAs);
              setSettings(of.settings);
            }}
          >
            Undo
          </Button>
        )}
      </div>
      {changed === 0 && <p className="gh-xs gh-3">Nothing is changed.</p>}
    </form>
  );
}
