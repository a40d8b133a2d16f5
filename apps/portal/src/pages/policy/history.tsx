import { listVersions } from '@gatehouse/client/policy.ts';
import { Head } from '@gatehouse/ui/parts.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import { useGo } from '../../kit/use-go.ts';
import { count } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { makerOf, wordsOfVersion } from './version-words.ts';

export const loader = ({ org, askRows, search }: LoaderContext): Promise<unknown> =>
  askRows(listVersions, { org, query: search['q'] ? { q: search['q'] } : {} });

/** Every state that the policies have been in. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  return (
    <div className="gh-page">
      <Head room="Policy" roomHref={`/portal/${org}/policy/rules`} title="History">
        Each change is a version with author and reason. Any two can be compared, and any can be brought back.
      </Head>
      <DataTable
        op={listVersions}
        input={{ org }}
        name="versions"
        row={(v) => String(v.number)}
        onRow={(v) => go(`policy/history/${v.number}`)}
        searchable="Search reasons and ids"
        columns={[
          { head: 'Version', cell: (v) => <b>{count(v.number)}</b>, value: (v) => v.number, width: '90px' },
          { head: 'What', cell: wordsOfVersion, value: wordsOfVersion, width: 'minmax(200px, 1.4fr)' },
          { head: 'Reason', cell: (v) => v.reason ?? '', value: (v) => v.reason ?? '', width: 'minmax(200px, 2fr)' },
          { head: 'Made by', cell: makerOf, value: makerOf, width: 'minmax(140px, 1fr)' },
          { head: 'When, UTC', cell: (v) => <At at={v.madeAt} />, value: (v) => v.madeAt, width: '150px' },
        ]}
        empty={
          <>
            <h2>Nothing was changed yet</h2>
            <p>The first rule, control or policy makes version 1. From then on, every state can be looked at again.</p>
          </>
        }
      />
    </div>
  );
}
