import { listCedar, readSettings } from '@gatehouse/client/policy.ts';
import { Head, State } from '@gatehouse/ui/parts.tsx';
import { Act } from '../../kit/act.tsx';
import { useAsk } from '../../kit/ask.ts';
import { DataTable } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import { useGo } from '../../kit/use-go.ts';
import type { LoaderContext } from '../page.ts';

export const loader = ({ org, ask, askRows, search }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(readSettings, { org }), askRows(listCedar, { org, query: search['q'] ? { q: search['q'] } : {} })]);

/** Policies that experts wrote in Cedar; they decide together with the rules. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const { version } = useAsk(readSettings, { org });
  return (
    <div className="gh-page">
      <Head
        room="Policy"
        roomHref={`/portal/${org}/policy/rules`}
        title="Cedar"
        actions={
          <Act can="policy.manage" variant="filled" onClick={() => go('policy/cedar/new')}>
            Write a policy
          </Act>
        }
      >
        What a sentence cannot say. These decide together with the rules; version {version} is in force.
      </Head>
      <DataTable
        op={listCedar}
        input={{ org }}
        name="policies in Cedar"
        row={(p) => p.id}
        onRow={(p) => go(`policy/cedar/${p.id}`)}
        searchable="Search names and texts"
        columns={[
          { head: 'Policy', cell: (p) => <b>{p.name}</b>, value: (p) => p.name },
          {
            head: 'Effect',
            cell: (p) =>
              /^\s*(?:@[^\n]*\n\s*|\/\/[^\n]*\n\s*)*permit/.test(p.cedar) ? (
                <State is="answered" quiet>
                  permits
                </State>
              ) : (
                <State is="denied">forbids</State>
              ),
            value: (p) => p.cedar,
            width: '120px',
          },
          {
            head: 'Decided by',
            cell: (p) => (p.engine === 'compiled' ? 'our compiler' : `the reference engine (${p.lacks ?? ''})`),
            value: (p) => p.engine,
            width: 'minmax(160px, 1fr)',
          },
          {
            head: 'Remarks',
            cell: (p) => (p.warnings.length === 0 ? 'none' : <State is="caution">{p.warnings[0]}</State>),
            value: (p) => p.warnings.join('; '),
            width: 'minmax(160px, 1fr)',
          },
          {
            head: 'Since, UTC',
            cell: (p) => (p.setAt === undefined ? '' : <At at={p.setAt} />),
            value: (p) => p.setAt ?? '',
            width: '150px',
          },
        ]}
        empty={
          <>
            <h2>No policy in Cedar yet</h2>
            <p>Rules say nearly everything. What they cannot say, an expert writes here; it is validated strictly.</p>
            <div className="gh-actions">
              <Act can="policy.manage" onClick={() => go('policy/cedar/new')}>
                Write a policy
              </Act>
            </div>
          </>
        }
      />
    </div>
  );
}
