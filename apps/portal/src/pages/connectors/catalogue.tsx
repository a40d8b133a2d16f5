import { Button, Modal, TextInput } from '@mantine/core';
import { list as listCatalogue } from '@gatehouse/client/catalogue.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { listTypes, removeTypeControl, setTypeControl } from '@gatehouse/client/policy.ts';
import { Head, Section, State, Tag } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { useAsk, useDo } from '../../kit/ask.ts';
import type { Chosen } from '../../kit/choose.tsx';
import { useGo } from '../../kit/use-go.ts';
import { useOrg } from '../../kit/org.tsx';
import { sentence } from '../../kit/problem.tsx';
import { countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './connectors.module.css';
import { Effect, type Bound, type Wish } from './effect.tsx';
import { PickGroups } from './pick.tsx';
import { OWN_SERVER, type Kind } from './words.ts';

type TypeRow = OutputOf<typeof listTypes>['items'][number];
/** The catalogue is ours and small; both lists are read whole. */
const all = (org: string) => ({ org, query: { limit: 200 } });

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(listCatalogue, all(org)), ask(listTypes, all(org))]);

const defaults = { q: '' };
const states = {
  on: { is: 'ok', word: 'On' },
  groups: { is: 'info', word: 'For groups only' },
  off: { is: 'no', word: 'Off' },
} as const;

/** Kinds of systems: what each can do, and for whom connectors of it are there at all. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const [{ q }, set] = useAddress(defaults);
  const { items: kinds } = useAsk(listCatalogue, all(org));
  const { items: types } = useAsk(listTypes, all(org));
  const [setting, setSetting] = useState<TypeRow>();
  const [tools, setTools] = useState<Kind>();
  const wanted = q.toLowerCase();
  const shown = types.filter((t) => `${t.type} ${t.name}`.toLowerCase().includes(wanted));
  return (
    <div className="gh-page">
      <Head room="Connectors" roomHref={`/portal/${org}/connectors`} title="Catalogue">
        Kinds of systems. What is said here holds for every connector of a kind, those that there are and those to come.
      </Head>
      <TextInput
        aria-label="Search the catalogue"
        placeholder="Search the catalogue"
        value={q}
        onChange={(e) => set({ q: e.currentTarget.value })}
        maw={360}
      />
      <Section title="Kinds" note={`${shown.length} of ${types.length}`}>
        {shown.length === 0 && (
          <p className="gh-s gh-2">
            Nothing is called so.{' '}
            <button type="button" className="gh-plain" onClick={() => set({ q: '' })}>
              Take the search away
            </button>
          </p>
        )}
        <ul className={c.types}>
          {shown.map((t) => {
            const kind = kinds.find((k) => k.type === t.type);
            return (
              <li key={t.type}>
                <div>
                  <h3>{t.name}</h3>
                  <p>
                    {kind?.says ?? 'Any server that speaks MCP, by its address.'}{' '}
                    {kind && kind.tools.length > 0 && (
                      <button type="button" className="gh-plain" onClick={() => setTools(kind)}>
                        <u>{countOf(kind.tools.length, 'tool')}</u>
                        <span className="gh-vh"> of {t.name}</span>
                      </button>
                    )}
                  </p>
                </div>
                <div className={c.two}>
                  <State is={states[t.state].is} quiet>
                    {states[t.state].word}
                  </State>
                  <small>
                    {t.state === 'groups'
                      ? t.groups.map((g) => g.name ?? g.group).join(', ')
                      : t.control === null
                        ? 'rules decide'
                        : {
                            off: 'no access but by rules',
                            read: 'everyone may read',
                            read_write: 'everyone may read and write',
                          }[t.access]}
                  </small>
                </div>
                <span className="gh-actions">
                  <Act can="policy.manage" size="sm" onClick={() => setSetting(t)}>
                    Who<span className="gh-vh"> may use {t.name}</span>…
                  </Act>
                  <Act can="connector.manage" size="sm" onClick={() => go('connectors/add', { type: t.type })}>
                    Add<span className="gh-vh"> {t.type === OWN_SERVER ? 'a server' : t.name}</span>
                  </Act>
                </span>
              </li>
            );
          })}
        </ul>
      </Section>
      {setting && <SetType key={setting.type} of={setting} onClose={() => setSetting(undefined)} />}
      <Modal
        opened={tools !== undefined}
        onClose={() => setTools(undefined)}
        title={`What ${tools?.name ?? ''} can do`}
        size={560}
      >
        <ul className={`${c.lines} ${c.scroll}`}>
          {tools?.tools.map((t) => (
            <li key={t.name}>
              <span />
              <div>
                <b>{t.title}</b> <Tag>{t.class}</Tag> <span className="gh-id gh-3">{t.name}</span>
                <p>{sentence(t.description)}</p>
              </div>
            </li>
          ))}
        </ul>
      </Modal>
    </div>
  );
}

const kinds = [
  ['on', 'On', 'Connectors of this kind are there for everyone, as far as rules allow.'],
  ['groups', 'For groups only', 'For nobody but people of these groups, whatever a rule says.'],
  ['off', 'Off', 'For nobody, whatever a rule says. Connections stay and cannot be used.'],
] as const;
const accesses = [
  ['off', 'Nothing but by rules'],
  ['read', 'Reading'],
  ['read_write', 'Reading and changing'],
] as const;

function SetType({ of, onClose }: { of: TypeRow; onClose: () => void }) {
  const org = useOrg();
  const [state, setState] = useState(of.state);
  const [access, setAccess] = useState(of.access);
  const [groups, setGroups] = useState<readonly Chosen[]>(
    of.groups.map((g) => ({ id: g.group, name: g.name ?? g.group })),
  );
  const [asking, setAsking] = useState<'set' | 'remove'>();
  const also = ['connectors', 'mine'];
  const save = useDo(setTypeControl, { also, done: onClose });
  const remove = useDo(removeTypeControl, { also, done: onClose });
  const said =
    state === 'off'
      ? ({ state } as const)
      : state === 'on'
        ? ({ state, access } as const)
        : { state, groups: groups.map((g) => g.id), access };
  const wish: Wish =
    asking === 'remove'
      ? { kind: 'remove_type_control', type: of.type }
      : { kind: 'set_type_control', control: { ...said, type: of.type } };
  if (asking)
    return (
      <Effect
        title={asking === 'remove' ? `Say nothing about ${of.name}?` : `Change who may use ${of.name}?`}
        act={asking === 'remove' ? 'Take it back' : 'Apply'}
        wish={wish}
        busy={save.busy || remove.busy}
        refusal={save.refusal ?? remove.refusal}
        onClose={() => setAsking(undefined)}
        onApply={(bound: Bound) =>
          void (asking === 'remove'
            ? remove.run({ org, type: of.type, query: bound })
            : save.run({ org, type: of.type, body: { ...said, ...bound } }))
        }
      />
    );
  return (
    <Modal opened onClose={onClose} title={`Who may use ${of.name}`} size={560}>
      <div className={c.stack}>
        <div className={c.pick} role="radiogroup" aria-label="Connectors of this kind are">
          {kinds.map(([k, name, says]) => (
            <label key={k}>
              <input type="radio" name="state" checked={state === k} onChange={() => setState(k)} />
              <b>{name}</b>
              <span>{says}</span>
            </label>
          ))}
        </div>
        {state === 'groups' && <PickGroups chosen={groups} onChoose={setGroups} />}
        {state !== 'off' && (
          <div className={c.pick} role="radiogroup" aria-label="Without any rule they may">
            {accesses.map(([k, name]) => (
              <label key={k}>
                <input type="radio" name="access" checked={access === k} onChange={() => setAccess(k)} />
                <b>{name}</b>
                {k === 'off' && <span>What they may is for rules and controls of each connector to say.</span>}
              </label>
            ))}
          </div>
        )}
        <div className={`gh-actions ${c.end}`}>
          {of.control !== null && <Button onClick={() => setAsking('remove')}>Say nothing about it…</Button>}
          <Button onClick={onClose}>Back</Button>
          <Button
            variant="filled"
            disabled={state === 'groups' && groups.length === 0}
            onClick={() => setAsking('set')}
          >
            See the effect…
          </Button>
        </div>
        {state === 'groups' && groups.length === 0 && <p className="gh-xs gh-3">Choose at least one group.</p>}
      </div>
    </Modal>
  );
}
