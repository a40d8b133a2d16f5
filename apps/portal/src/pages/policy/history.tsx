import type { OutputOf } from '@gatehouse/client/call.ts';
import { listVersions } from '@gatehouse/client/policy.ts';
import { Head } from '@gatehouse/ui/parts.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import { useGo } from '../../kit/use-go.ts';
import { count } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';

export type Version = OutputOf<typeof listVersions>['items'][number];

export const loader = ({ org, askRows, search }: LoaderContext): Promise<unknown> =>
  askRows(listVersions, { org, query: search['q'] ? { q: search['q'] } : {} });

const kinds: Record<string, string> = {
  add_rule: 'a rule was added',
  replace_rule: 'a rule was changed',
  remove_rule: 'a rule was removed',
  set_settings: 'what holds by default was set',
  set_after_reading: 'what holds after reading was set',
  set_control: 'a control was set',
  remove_control: 'a control was taken back',
  set_type_control: 'a control of a type was set',
  remove_type_control: 'a control of a type was taken back',
  save_cedar: 'a policy in Cedar was saved',
  remove_cedar: 'a policy in Cedar was removed',
};
/** What made a version, in words. */
export const wordsOfVersion = (v: Version): string =>
  v.kind === 'restore' ? `version ${v.restored ?? 0} was brought back` : (kinds[v.kind] ?? v.kind);
export const makerOf = (v: Version): string => v.maker ?? v.madeBy;

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
