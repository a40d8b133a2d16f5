import { Button, Modal } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { listControls, removeControl, setControl, simulateTool } from '@gatehouse/client/policy.ts';
import { Section, State } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { ChooseGroup, ChoosePerson, type Chosen } from '../../kit/choose.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import { countOf } from '../../kit/words.ts';
import c from './connectors.module.css';
import { Effect } from './effect.tsx';
import type { Connector } from './words.ts';

type Control = OutputOf<typeof listControls>['items'][number];
type Person = OutputOf<typeof simulateTool>['items'][number];

const accessWords: Record<Control['access'], string> = {
  off: 'nothing but by rules',
  read: 'reading',
  read_write: 'reading and changing',
  blocked: 'nothing, whatever a rule says',
};
const whoWords = (who: Control['who']): string =>
  who.kind === 'everyone' ? 'Everyone' : (who.name ?? who.group ?? who.user ?? who.kind);
const outcomes = {
  allowed: { is: 'ok', word: 'Yes' },
  asks: { is: 'ask', word: 'Asks first' },
  depends: { is: 'info', word: 'It depends' },
  denied: { is: 'no', word: 'No' },
} as const;

/** For whom this connector is: what was set for everyone, groups and people, and what comes of it with all rules. */
export function AccessPanel({ of }: { of: Connector }) {
  const org = useOrg();
  const [setting, setSetting] = useState(false);
  const [removing, setRemoving] = useState<Control>();
  const remove = useDo(removeControl, { also: ['mine'], done: () => setRemoving(undefined) });
  const input = useMemo(() => ({ org, query: { connector: of.id } }), [org, of.id]);
  const who = (klass: 'read' | 'write' | 'destructive') => ({ org, query: { connector: of.id, class: klass } });
  const [klass, setKlass] = useState<'read' | 'write' | 'destructive'>('read');
  const people = useMemo(() => who(klass), [org, of.id, klass]);
  return (
    <div className={c.stack}>
      <Section
        title="Set for it"
        note="rules come on top"
        aside={
          <Act can="policy.manage" size="sm" onClick={() => setSetting(true)}>
            Let somebody use it…
          </Act>
        }
      >
        <DataTable
          op={listControls}
          input={input}
          name="controls"
          searchable={false}
          row={(x) => x.id}
          columns={[
            { head: 'Who', cell: (x) => <b>{whoWords(x.who)}</b>, value: (x) => whoWords(x.who) },
            { head: 'May', cell: (x) => accessWords[x.access], value: (x) => accessWords[x.access] },
            {
              head: 'Since, UTC',
              cell: (x) => (x.setAt ? <At at={x.setAt} /> : '–'),
              value: (x) => x.setAt ?? '',
              width: '160px',
            },
            {
              head: 'Control',
              cell: (x) => (
                <Act can="policy.manage" size="sm" onClick={() => setRemoving(x)}>
                  Take back<span className="gh-vh"> what is set for {whoWords(x.who)}</span>…
                </Act>
              ),
              width: '130px',
            },
          ]}
          empty={
            <p>
              Nothing is set for this connector. Rules, the type and what holds by default decide who may use it;
              without any of them nobody does.
            </p>
          }
        />
      </Section>
      <Section
        title="Who may use it"
        note="with all rules, now"
        aside={
          <span className="gh-actions">
            {(['read', 'write', 'destructive'] as const).map((k) => (
              <Button
                key={k}
                size="sm"
                variant={k === klass ? 'filled' : 'default'}
                aria-pressed={k === klass}
                onClick={() => setKlass(k)}
              >
                {k}
              </Button>
            ))}
          </span>
        }
      >
        <DataTable
          op={simulateTool}
          input={people}
          name={`people and ${klass} tools`}
          searchable="Search people"
          row={(p: Person) => p.user}
          columns={[
            { head: 'Person', cell: (p) => <b>{p.displayName}</b>, value: (p) => p.displayName },
            { head: 'E-mail', cell: (p) => p.email, value: (p) => p.email },
            {
              head: 'May',
              cell: (p) => (
                <State is={outcomes[p.outcome].is} quiet={p.outcome !== 'asks'}>
                  {outcomes[p.outcome].word}
                </State>
              ),
              value: (p) => outcomes[p.outcome].word,
              width: '120px',
            },
            {
              head: 'With',
              cell: (p) => (p.outcome === 'denied' ? '–' : countOf(p.tools.length, 'tool')),
              value: (p) => p.tools.length,
              width: '100px',
            },
            {
              head: 'Why',
              cell: (p) => <span className="gh-2">{p.tools[0]?.says ?? ''}</span>,
              value: (p) => p.tools[0]?.says ?? '',
              width: 'minmax(160px, 2fr)',
            },
          ]}
          empty={<p>Nobody is a member yet.</p>}
        />
      </Section>
      {setting && <SetControl of={of} onClose={() => setSetting(false)} />}
      {removing && (
        <Effect
          title={`Take back what is set for ${whoWords(removing.who)}?`}
          act="Take it back"
          wish={{ kind: 'remove_control', control: removing.id }}
          busy={remove.busy}
          refusal={remove.refusal}
          onClose={() => setRemoving(undefined)}
          onApply={(bound) => void remove.run({ org, control: removing.id, query: bound })}
        />
      )}
    </div>
  );
}

const kinds = [
  ['everyone', 'Everyone'],
  ['group', 'A group'],
  ['user', 'One person'],
] as const;
type Access = Control['access'];
const choices: readonly [Access, string][] = [
  ['read', 'Read'],
  ['read_write', 'Read and change'],
  ['off', 'Nothing but by rules'],
  ['blocked', 'Nothing, whatever a rule says'],
];

function SetControl({ of, onClose }: { of: Connector; onClose: () => void }) {
  const org = useOrg();
  const [kind, setKind] = useState<(typeof kinds)[number][0]>('group');
  const [one, setOne] = useState<Chosen>();
  const [access, setAccess] = useState<Access>('read');
  const [asking, setAsking] = useState(false);
  const save = useDo(setControl, { also: ['mine'], done: onClose });
  const control =
    kind === 'everyone'
      ? { who: { kind }, connector: of.id, access }
      : one && access !== 'off'
        ? { who: kind === 'group' ? { kind, group: one.id } : { kind, user: one.id }, connector: of.id, access }
        : undefined;
  if (asking && control)
    return (
      <Effect
        title={`Change who may use ${of.name}?`}
        act="Apply"
        wish={{ kind: 'set_control', control }}
        busy={save.busy}
        refusal={save.refusal}
        onClose={() => setAsking(false)}
        onApply={(bound) => void save.run({ org, body: { ...control, ...bound } })}
      />
    );
  return (
    <Modal opened onClose={onClose} title={`Who may use ${of.name}`} size={560}>
      <div className={c.stack}>
        <div className={c.pick} role="radiogroup" aria-label="Who">
          {kinds.map(([k, name]) => (
            <label key={k}>
              <input
                type="radio"
                name="who"
                checked={kind === k}
                onChange={() => {
                  setKind(k);
                  setOne(undefined);
                }}
              />
              <b>{name}</b>
            </label>
          ))}
        </div>
        {kind === 'group' && <ChooseGroup label="Group" value={one} onChange={setOne} />}
        {kind === 'user' && <ChoosePerson label="Person" value={one} onChange={setOne} />}
        <div className={c.pick} role="radiogroup" aria-label="May">
          {choices
            .filter(([k]) => kind === 'everyone' || k !== 'off')
            .map(([k, name]) => (
              <label key={k}>
                <input type="radio" name="access" checked={access === k} onChange={() => setAccess(k)} />
                <b>{name}</b>
              </label>
            ))}
        </div>
        <div className={`gh-actions ${c.end}`}>
          <Button onClick={onClose}>Back</Button>
          <Button variant="filled" disabled={!control} onClick={() => setAsking(true)}>
            See the effect…
          </Button>
        </div>
        {!control && <p className="gh-xs gh-3">Choose {kind === 'group' ? 'a group' : 'a person'}.</p>}
      </div>
    </Modal>
  );
}
