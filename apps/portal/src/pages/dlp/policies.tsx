import { Button, Modal } from '@mantine/core';
import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { listBaseline, listFailModes, listPolicies, removePolicy, setFailMode } from '@gatehouse/client/dlp.ts';
import { listGroups } from '@gatehouse/client/provisioning.ts';
import { Head, Section, State, Tag } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { connectorsOf, useConnectors } from '../../kit/choose.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { useGo } from '../../kit/use-go.ts';
import type { LoaderContext } from '../page.ts';
import c from './dlp.module.css';
import { TryText } from './try-text.tsx';
import { actionNames, ActionState, classesOf, phaseNames, useClasses } from './words.tsx';

const all = (org: string) => ({ org, query: { limit: 200 } });
export const loader = ({ org, ask, askRows, search }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(listConnectors, connectorsOf(org)),
    ask(listBaseline, classesOf(org)),
    ask(listFailModes, { org }),
    ask(listPolicies, all(org)),
    ask(listGroups, all(org)),
    askRows(listPolicies, { org, query: search['q'] ? { q: search['q'] } : {} }),
  ]);

type Policy = OutputOf<typeof listPolicies>['items'][number];
type FailMode = OutputOf<typeof listFailModes>['items'][number];

/** What is done about content beyond the baseline, tried on a text in place. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const classes = useClasses();
  const connectors = useConnectors();
  const { items: groups } = useAsk(listGroups, all(org));
  const { items: policies } = useAsk(listPolicies, all(org));
  const [gone, setGone] = useState<Policy>();
  const remove = useDo(removePolicy);
  const groupName = new Map(groups.map((g) => [g.id, g.name]));
  const dataOf = (p: Policy): string => p.data.map(classes.nameOf).join(', ');
  const whereOf = (p: Policy): string =>
    [
      ...(p.group === undefined ? [] : [`people in ${groupName.get(p.group) ?? p.group}`]),
      ...(p.connector === undefined ? [] : [connectors.nameOf(p.connector)]),
    ].join(', at ') || 'everyone, everywhere';
  const takeAway = async (): Promise<void> => {
    if (!gone) return;
    await remove.run({ org, policy: gone.id });
    setGone(undefined);
  };
  return (
    <div className="gh-page">
      <Head
        room="DLP"
        roomHref={`/portal/${org}/dlp/findings`}
        title="Policies"
        actions={
          <Act can="policy.manage" variant="filled" onClick={() => go('dlp/policies/new')}>
            Add a policy
          </Act>
        }
      >
        Policies make stricter; an exception stands in place of them for a group or at a connector. Where none speaks,
        the baseline of each kind of data holds.
      </Head>
      <DataTable
        op={listPolicies}
        input={{ org }}
        name="policies about content"
        row={(p) => p.id}
        searchable="Search names"
        height={48}
        columns={[
          {
            head: 'Policy',
            cell: (p) => (
              <>
                <b>{p.name}</b> {p.kind === 'exception' && <Tag>exception</Tag>}
              </>
            ),
            value: (p) => p.name,
          },
          {
            head: 'Does',
            cell: (p) => <ActionState of={p.action} />,
            value: (p) => actionNames[p.action],
            width: '190px',
          },
          { head: 'With', cell: dataOf, value: dataOf, width: 'minmax(160px, 1.6fr)' },
          {
            head: 'On its way',
            cell: (p) => p.phases.map((x) => phaseNames[x]).join(', '),
            value: (p) => p.phases.join(' '),
            width: 'minmax(160px, 1.4fr)',
          },
          { head: 'Of', cell: whereOf, value: whereOf, width: 'minmax(140px, 1fr)' },
          {
            head: 'Act',
            cell: (p) => (
              <Act can="policy.manage" size="sm" onClick={() => setGone(p)}>
                Remove…
              </Act>
            ),
            width: '100px',
          },
        ]}
        empty={
          <>
            <h2>No policy yet</h2>
            <p>
              Until there is one, the baseline holds: what lets somebody take money, an identity or a system is stopped
              everywhere.
            </p>
            <div className="gh-actions">
              <Act can="policy.manage" onClick={() => go('dlp/policies/new')}>
                Add a policy
              </Act>
            </div>
          </>
        }
      />
      <div className={c.two}>
        <Section title="Try a text" note="what our detectors and policies would do with it">
          <TryText policies={policies} />
        </Section>
        <Section title="When nobody could look" note="by class of tool">
          <FailModes />
        </Section>
      </div>
      <Modal opened={gone !== undefined} onClose={() => setGone(undefined)} title="Remove it?" size={440}>
        <div className={c.dialog}>
          <p className="gh-s gh-2">
            “{gone?.name}” {gone && actionNames[gone.action]} {gone && dataOf(gone)} of {gone && whereOf(gone)}. From
            the next call on the rest decides.
          </p>
          <Problem of={remove.refusal} />
          <div className={c.foot}>
            <Button onClick={() => setGone(undefined)}>Back</Button>
            <Button variant="filled" color="negative" loading={remove.busy} onClick={() => void takeAway()}>
              Remove the policy
            </Button>
          </div>
        </div>
      </Modal>
    </div>
  );
}

const classNames = {
  read: 'Tools that read',
  write: 'Tools that write',
  destructive: 'Tools that destroy',
  none: 'Content of a run',
} as const;

/** What happens to content that could not be looked at: a scanner did not answer, or it was too much. */
function FailModes() {
  const org = useOrg();
  const { items } = useAsk(listFailModes, { org });
  const set = useDo(setFailMode);
  const [wish, setWish] = useState<FailMode>();
  const other = (m: FailMode): FailMode['mode'] => (m.mode === 'open' ? 'closed' : 'open');
  const put = async (): Promise<void> => {
    if (!wish) return;
    await set.run({ org, class: wish.class, body: { mode: other(wish) } });
    setWish(undefined);
  };
  return (
    <>
      <ul className={c.found}>
        {items.map((m) => (
          <li key={m.class}>
            <span>
              <b>{classNames[m.class]}</b>
              <br />
              <State is={m.mode === 'open' ? 'caution' : 'ok'} quiet>
                {m.mode === 'open' ? 'passes, and tells' : 'is stopped'}
              </State>
              {!m.set && <span className="gh-3"> by default</span>}
            </span>
            <Act can="policy.manage" size="sm" onClick={() => setWish(m)}>
              {m.mode === 'open' ? 'Stop it…' : 'Let it pass…'}
            </Act>
          </li>
        ))}
      </ul>
      <Modal
        opened={wish !== undefined}
        onClose={() => setWish(undefined)}
        title={wish?.mode === 'open' ? 'Stop what nobody could look at?' : 'Let pass what nobody could look at?'}
        size={440}
      >
        <div className={c.dialog}>
          <p className="gh-s gh-2">
            {wish?.mode === 'open'
              ? `${classNames[wish.class]}: content that cannot be looked at does not pass any more; calls may fail while a scanner is down.`
              : `${wish ? classNames[wish.class] : ''}: content passes unseen while it cannot be looked at, and the log says so.`}
          </p>
          <Problem of={set.refusal} />
          <div className={c.foot}>
            <Button onClick={() => setWish(undefined)}>Back</Button>
            <Button variant="filled" loading={set.busy} onClick={() => void put()}>
              {wish?.mode === 'open' ? 'Stop it' : 'Let it pass'}
            </Button>
          </div>
        </div>
      </Modal>
    </>
  );
}
