import { Button, Tabs } from '@mantine/core';
import { list, listGroups } from '@gatehouse/client/approvals.ts';
import { Glyph } from '@gatehouse/ui/glyphs.tsx';
import { Head, Section, Tag } from '@gatehouse/ui/parts.tsx';
import { useQuery } from '@tanstack/react-query';
import { question } from '../../kit/ask.ts';
import { useAddress } from '../../kit/address.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At, When } from '../../kit/time.tsx';
import { useGo } from '../../kit/use-go.ts';
import { countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './approvals.module.css';
import { RequestState, wants, type Request } from './request-state.tsx';

const shown = { show: 'me' };
const queryOf = (show: string) => ({ for: show === 'mine' ? ('mine' as const) : ('me' as const) });

export const loader = ({ org, askRows, search }: LoaderContext): Promise<unknown> =>
  askRows(list, { org, query: { ...queryOf(search['show'] ?? ''), ...(search['q'] ? { q: search['q'] } : {}) } });

const waiting: readonly Column<Request>[] = [
  { head: 'What is wanted', cell: (r) => <b>{wants(r)}</b>, value: wants, width: 'minmax(280px, 3fr)' },
  { head: 'Kind', cell: (r) => <Tag>{r.class}</Tag>, value: (r) => r.class, width: '110px' },
  { head: 'Asked, UTC', cell: (r) => <At at={r.asked} />, value: (r) => r.asked, width: '150px' },
  { head: 'Expires', cell: (r) => <When at={r.expires} />, value: (r) => r.expires, width: '120px' },
];
const asked: readonly Column<Request>[] = [
  ...waiting.slice(0, 3),
  { head: 'State', cell: (r) => <RequestState of={r} />, value: (r) => r.state, width: '150px' },
];

/** What waits for me, and what my agents asked for. Without arguments: those are on each page, and nobody decides in a list. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const [at, set] = useAddress(shown);
  const { data: groups } = useQuery(question(listGroups, { org, query: {} }));
  const several = (groups?.items ?? []).filter((g) => g.items.length > 1);
  const mine = at.show === 'mine';
  return (
    <div className="gh-page">
      <Head title="Approvals">Agents ask here before they do what the rules want a person to see first.</Head>
      <Tabs value={mine ? 'mine' : 'me'} onChange={(to) => set({ show: to ?? 'me' })}>
        <Tabs.List>
          <Tabs.Tab value="me">Waits for you</Tabs.Tab>
          <Tabs.Tab value="mine">Your agents asked</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value={mine ? 'mine' : 'me'} pt="md">
          <DataTable
            key={at.show}
            op={list}
            input={{ org, query: queryOf(at.show) }}
            name={mine ? 'requests of my agents' : 'requests that wait for me'}
            row={(r) => r.id}
            onRow={(r) => go(`approvals/inbox/${r.id}`)}
            searchable="Search person, tool or id"
            columns={mine ? asked : waiting}
            empty={
              mine ? (
                <>
                  <h2>Your agents have asked for nothing yet</h2>
                  <p>When a call of an agent of yours needs somebody’s yes, it stands here with what became of it.</p>
                </>
              ) : (
                <>
                  <h2>Nothing waits for you</h2>
                  <p>When an agent needs your yes, its call is listed here, and a mail says so.</p>
                </>
              )
            }
          />
        </Tabs.Panel>
      </Tabs>
      {!mine && several.length > 0 && (
        <Section
          title="Alike"
          note="calls of one agent for one tool, shown in full one below the other and decided by one yes or no"
        >
          <ul className={c.list}>
            {several.map((g) => (
              <li key={g.group} className={c.item}>
                <Glyph name="held" />
                <div>
                  <b>
                    {countOf(g.items.length, 'call')} of {g.asker.name ?? g.asker.user}’s agent: {g.tool} of{' '}
                    {g.connectorName ?? g.connector}
                  </b>
                  <p>
                    The oldest was asked <When at={g.oldest} />.
                  </p>
                </div>
                <Button size="sm" onClick={() => go(`approvals/together/${g.group}`)}>
                  Review {countOf(g.items.length, 'call')}
                </Button>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </div>
  );
}
