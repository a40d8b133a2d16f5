import { Button, Checkbox, PasswordInput, Select, TextInput } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { list as listCatalogue } from '@gatehouse/client/catalogue.ts';
import { add } from '@gatehouse/client/connectors.ts';
import { Banner, Facts, Hash, Head, Section } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useGo } from '../../kit/use-go.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './connectors.module.css';
import { FoundWords } from './found-section.tsx';
import { fieldsOf, SchemaForm, tidy, type Values } from './schema-form.tsx';
import { accessWords, actsAsWords, OWN_SERVER, type Connector, type Kind } from './words.ts';

type Added = OutputOf<typeof add>;
const all = (org: string) => ({ org, query: { limit: 200 } });

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> => ask(listCatalogue, all(org));

const defaults = { type: OWN_SERVER };

/** A connector by its kind, or an MCP server by its address; what comes next is said when it is there. */
export function Page() {
  const org = useOrg();
  const [{ type }, set] = useAddress(defaults);
  const { items } = useAsk(listCatalogue, all(org));
  const [added, setAdded] = useState<Added>();
  const kind = items.find((k) => k.type === type);
  return (
    <div className="gh-page">
      <Head
        room="Connectors"
        roomHref={`/portal/${org}/connectors`}
        title={added ? `${added.name} is added` : 'Add a connector'}
      >
        {added
          ? 'Nobody can use it yet but by rules and controls that are there already.'
          : 'A system of the catalogue, or an MCP server of your own. Nothing can be called before its tools are reviewed and somebody may use it.'}
      </Head>
      {added ? (
        <Next of={added} />
      ) : (
        <div className={c.form}>
          <Select
            label="Kind"
            searchable
            data={[
              { value: OWN_SERVER, label: 'An MCP server of your own' },
              ...items.map((k) => ({ value: k.type, label: k.name })),
            ]}
            value={kind ? type : OWN_SERVER}
            onChange={(to) => set({ type: to ?? OWN_SERVER })}
          />
          {kind ? <OfKind key={kind.type} kind={kind} onAdded={setAdded} /> : <OwnServer onAdded={setAdded} />}
        </div>
      )}
    </div>
  );
}

const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 40);

function OwnServer({ onAdded }: { onAdded: (a: Added) => void }) {
  const org = useOrg();
  const [name, setName] = useState('');
  const [slug, setSlug] = useState<string>();
  const [url, setUrl] = useState('');
  const [bearer, setBearer] = useState('');
  const [allowPrivate, setAllowPrivate] = useState(false);
  const make = useDo(add, { also: ['mine', 'policy'], done: onAdded });
  const body = {
    name: name.trim(),
    slug: slug ?? slugOf(name),
    url: url.trim(),
    ...(bearer === '' ? {} : { bearer }),
    ...(allowPrivate ? { allowPrivate } : {}),
  };
  const missing =
    body.name === '' ? 'a name' : body.slug === '' ? 'a slug' : body.url === '' ? 'an address' : undefined;
  return (
    <>
      <TextInput label="Name" value={name} maxLength={100} onChange={(e) => setName(e.currentTarget.value)} />
      <TextInput
        label="Slug"
        description="Part of the address for agents; it stays as it is."
        value={body.slug}
        maxLength={40}
        onChange={(e) => setSlug(e.currentTarget.value)}
      />
      <TextInput
        label="Address"
        description="Where the server speaks MCP, over streamable HTTP or the older HTTP+SSE. It is asked for its tools at once."
        placeholder="https://mcp.example.com/mcp"
        inputMode="url"
        value={url}
        onChange={(e) => setUrl(e.currentTarget.value)}
      />
      <PasswordInput
        label="Bearer"
        description="Where the server wants one. It is sealed, sent to this address only, and never shown again."
        autoComplete="off"
        value={bearer}
        onChange={(e) => setBearer(e.currentTarget.value)}
      />
      <Checkbox
        label="It is in a private network"
        description="Lets this one host have a private address. Nothing else is reached by it."
        checked={allowPrivate}
        onChange={(e) => setAllowPrivate(e.currentTarget.checked)}
      />
      <Problem of={make.refusal} />
      <div className="gh-actions">
        <Act
          can="connector.manage"
          variant="filled"
          disabled={missing !== undefined}
          loading={make.busy}
          onClick={() => void make.run({ org, body })}
        >
          Ask it and add it
        </Act>
      </div>
      {missing && <p className="gh-xs gh-3">It needs {missing}.</p>}
    </>
  );
}

function OfKind({ kind, onAdded }: { kind: Kind; onAdded: (a: Added) => void }) {
  const org = useOrg();
  const [name, setName] = useState(kind.name);
  const [slug, setSlug] = useState<string>(kind.type.slice(0, 40));
  const [mode, setMode] = useState<Connector['mode']>(kind.modes[0]?.mode ?? 'builtin');
  const [actAs, setActAs] = useState<Connector['actAs']>(kind.actsAs[0] ?? 'none');
  const [access, setAccess] = useState<Connector['access']>('read_only');
  const [settings, setSettings] = useState<Values>({});
  const make = useDo(add, { also: ['mine', 'policy'], done: onAdded });
  const body = {
    type: kind.type,
    name: name.trim(),
    slug: slug.trim(),
    access,
    ...(kind.modes.length > 1 ? { mode } : {}),
    ...(kind.actsAs.length > 1 ? { actAs } : {}),
    ...(Object.keys(settings).length > 0 ? { settings: tidy(settings) } : {}),
  };
  const note = kind.modes.find((m) => m.mode === mode)?.note;
  return (
    <>
      <p className="gh-s gh-2">
        {kind.says} {kind.tools.length > 0 && `It brings ${countOf(kind.tools.length, 'tool')}, reviewed by us.`}
      </p>
      <TextInput label="Name" value={name} maxLength={100} onChange={(e) => setName(e.currentTarget.value)} />
      <TextInput
        label="Slug"
        description="Part of the address for agents; it stays as it is."
        value={slug}
        maxLength={40}
        onChange={(e) => setSlug(e.currentTarget.value)}
      />
      {kind.modes.length > 1 && (
        <Select
          label="Tools"
          description={note ?? undefined}
          data={kind.modes.map((m) => ({
            value: m.mode,
            label: m.mode === 'builtin' ? 'ours, in this server' : 'the vendor’s own, which wait for a review',
          }))}
          value={mode}
          onChange={(to) => to && setMode(to)}
        />
      )}
      <Select
        label="For"
        data={(['read_only', 'read_write'] as const).map((value) => ({ value, label: accessWords[value] }))}
        value={access}
        onChange={(to) => to && setAccess(to)}
      />
      {kind.actsAs.length > 1 && (
        <Select
          label="Calls use"
          data={kind.actsAs.map((value) => ({ value, label: actsAsWords[value] }))}
          value={actAs}
          onChange={(to) => to && setActAs(to)}
        />
      )}
      {fieldsOf(kind.settings).length > 0 && (
        <SchemaForm schema={kind.settings} values={settings} onChange={setSettings} />
      )}
      <Problem of={make.refusal} />
      <div className="gh-actions">
        <Act
          can="connector.manage"
          variant="filled"
          disabled={body.name === '' || body.slug === ''}
          loading={make.busy}
          onClick={() => void make.run({ org, body })}
        >
          Add {kind.name}
        </Act>
      </div>
    </>
  );
}

/** What is still to do, in order. */
function Next({ of }: { of: Added }) {
  const go = useGo();
  const own = of.type === OWN_SERVER;
  const { authorization: found } = of;
  // Where nobody need register anything, the first thing is to connect: only who is connected sees its tools.
  const known = found !== undefined && found.client !== 'needed' && of.actAs === 'person';
  return (
    <>
      {of.refused.length > 0 && (
        <Banner is="caution" title={`${countOf(of.refused.length, 'tool')} of it cannot be offered`}>
          {of.refused.map((r) => `${r.name}: ${r.why}. `)}
        </Banner>
      )}
      <Facts
        of={[
          [
            'Address for agents',
            <Hash key="mcp" label="address" head={90}>
              {of.mcp}
            </Hash>,
          ],
          ...(of.server.name === ''
            ? []
            : ([['It calls itself', `${of.server.name} ${of.server.version}`.trim()]] as const)),
          ...(of.transport ? ([['Speaks', of.transport]] as const) : []),
        ]}
      />
      {found && (
        <Section title="How it is to be authorized at" note="as the server says itself">
          <FoundWords of={found} />
        </Section>
      )}
      <Section title="What comes next" note="in this order">
        <ul className={c.types}>
          {known && (
            <li>
              <div>
                <h3>Connect your own account</h3>
                <p>Its tools are shown to who is connected only: list them once with an agent of yours.</p>
              </div>
              <span />
              <Button component="a" href={`/connections/start/${of.id}`}>
                Connect your account
              </Button>
            </li>
          )}
          {own || of.mode === 'remote' ? (
            <li>
              <div>
                <h3>Review its tools</h3>
                <p>Each waits until somebody has said what it does. Nothing of it can be called before.</p>
              </div>
              <span />
              <Button onClick={() => go('connectors/tools', { q: of.slug })}>Review its tools</Button>
            </li>
          ) : null}
          {(!own || found !== undefined) && !known && of.actAs !== 'none' && (
            <li>
              <div>
                <h3>
                  {of.actAs === 'person' ? 'Register an app at the vendor' : 'Give it the organization’s account'}
                </h3>
                <p>
                  {of.actAs === 'person'
                    ? 'Through it people connect their own accounts.'
                    : 'Calls use it, whoever makes them.'}
                </p>
              </div>
              <span />
              <Button onClick={() => go(`connectors/${of.id}`, { tab: 'account' })}>Set the account up</Button>
            </li>
          )}
          <li>
            <div>
              <h3>Say who may use it</h3>
              <p>Everyone, a group, or a person. You see who gains what before it is so.</p>
            </div>
            <span />
            <Button onClick={() => go(`connectors/${of.id}`, { tab: 'who' })}>Say who may use it</Button>
          </li>
        </ul>
      </Section>
    </>
  );
}
