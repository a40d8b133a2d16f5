import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { listRules, readSettings } from '@gatehouse/client/policy.ts';
import { Head, State } from '@gatehouse/ui/parts.tsx';
import { Act } from '../../kit/act.tsx';
import { useAsk } from '../../kit/ask.ts';
import { connectorsOf, useConnectors } from '../../kit/choose.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { useHere, useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import { useGo } from '../../kit/use-go.ts';
import type { LoaderContext } from '../page.ts';
import { asks, effectOf, wordsOfCondition, wordsOfTools, wordsOfWho, both, type Rule } from './draft.ts';

export const loader = ({ org, ask, askRows, search }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(listConnectors, connectorsOf(org)),
    ask(readSettings, { org }),
    askRows(listRules, { org, query: search['q'] ? { q: search['q'] } : {} }),
  ]);

type Row = OutputOf<typeof listRules>['items'][number];

/** What a rule does, in one word. */
export const Does = ({ rule }: { rule: Rule }) => {
  const does = effectOf(rule);
  if (does === 'forbid') return <State is="denied">refuses</State>;
  if (does !== 'allow never') return <State is="held">asks</State>;
  return (
    <State is="answered" quiet>
      lets run
    </State>
  );
};

/** The rules in force as sentences. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const { orgName } = useHere();
  const connectors = useConnectors();
  const { words, version } = useAsk(readSettings, { org });
  const says = (r: Row): string =>
    `${wordsOfWho(r.who, orgName)}: ${wordsOfTools(r.tools)}${r.when.length > 0 ? ` while ${both(r.when.map(wordsOfCondition))}` : ''}${
      asks(r) && r.approvers ? `; ${wordsOfWho(r.approvers.who, orgName)} says yes` : ''
    }`;
  return (
    <div className="gh-page">
      <Head
        room="Policy"
        roomHref={`/portal/${org}/policy/rules`}
        title="Rules"
        actions={
          <Act can="policy.manage" variant="filled" onClick={() => go('policy/rules/new')}>
            Add a rule
          </Act>
        }
      >
        Version {version} is in force. The organization is {words}.
      </Head>
      <DataTable
        op={listRules}
        input={{ org }}
        name="rules"
        row={(r) => r.id}
        onRow={(r) => go(`policy/rules/${r.id}`)}
        searchable="Search names"
        columns={[
          { head: 'Rule', cell: (r) => <b>{r.name}</b>, value: (r) => r.name, width: 'minmax(160px, 1.2fr)' },
          { head: 'Effect', cell: (r) => <Does rule={r} />, value: (r) => effectOf(r), width: '110px' },
          { head: 'Says', cell: says, value: (r) => r.words, width: 'minmax(260px, 3fr)' },
          {
            head: 'Connector',
            cell: (r) => connectors.nameOf(r.connector),
            value: (r) => connectors.nameOf(r.connector),
            width: 'minmax(110px, 1fr)',
          },
          {
            head: 'Since, UTC',
            cell: (r) => (r.createdAt ? <At at={r.createdAt} /> : ''),
            value: (r) => r.createdAt ?? '',
            width: '150px',
          },
        ]}
        empty={
          <>
            <h2>No rule yet</h2>
            <p>
              A rule says who may use which tools, after whose yes, and when never. Until there is one, only what is
              open by default or by a control can be used.
            </p>
            <div className="gh-actions">
              <Act can="policy.manage" onClick={() => go('policy/rules/new')}>
                Add a rule
              </Act>
            </div>
          </>
        }
      />
    </div>
  );
}
