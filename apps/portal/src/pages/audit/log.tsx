import { searchEvents } from '@gatehouse/client/audit.ts';
import { Head } from '@gatehouse/ui/parts.tsx';
import { Button, Switch } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { useEffect, useMemo, useRef } from 'react';
import { useAddress } from '../../kit/address.ts';
import { useHere } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { count } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { AddressBar } from './address-bar.tsx';
import c from './audit.module.css';
import { EventDetail } from './event-detail.tsx';
import { EventRows } from './event-rows.tsx';
import { chipsOf, noFilters, queryOf, type Filters } from './query.ts';
import { Strip } from './strip.tsx';
import { useLog, useTotals, type Totals } from './use-log.ts';

const state = { ...noFilters, event: -1, live: true };
const filtersOf = (at: Record<string, unknown>): Filters =>
  Object.fromEntries(Object.keys(noFilters).map((k) => [k, typeof at[k] === 'string' ? at[k] : ''])) as Filters;

/** The first rows are there when the page is. */
export const loader = ({ org, search, ask }: LoaderContext) =>
  ask(searchEvents, { org, query: { ...queryOf(filtersOf(search)), limit: 100 } });

function foundIn(totals: Totals | undefined, size: number, filtered: boolean): string {
  if (!filtered) return `${count(totals?.size ?? size)} events`;
  if (!totals) return '';
  const { found } = totals;
  const whole = `of ${count(totals.size)}`;
  if (found.exact) return `${count(found.count)} ${whole}`;
  return found.count > 0 && found.since > 0
    ? `${count(found.count)} since #${count(found.since)}, ${whole}`
    : `${count(found.count)} so far, ${whole}`;
}

/** The log: what happened, by whom, and how it ended, searched by what stands in the address. */
export function Page() {
  const { org } = useHere();
  const [at, set] = useAddress(state);
  const narrow = useMediaQuery('(max-width: 900px)', false, { getInitialValueInEffect: false });
  const shown = JSON.stringify(filtersOf(at));
  const filters = useMemo(() => JSON.parse(shown) as Filters, [shown]);
  const query = useMemo(() => queryOf(filters), [filters]);
  const log = useLog(org, query, at.live);
  const totals = useTotals(org, query, at.live);
  const chips = chipsOf(filters);
  const which = filters.log === 'parent' ? 'parent' : 'org';
  const open = at.event >= 0 ? at.event : undefined;

  // The address follows a moment later; keys that come faster go on from where the last one went.
  const cursor = useRef(open);
  useEffect(() => {
    cursor.current = open;
  }, [open]);
  const go = (seq: number): void => {
    const first = cursor.current === undefined;
    cursor.current = seq;
    set({ event: seq }, { push: first });
  };
  const move = (by: number): void => {
    const i = log.events.findIndex((e) => e.seq === cursor.current);
    const next = log.events[i < 0 ? 0 : Math.min(Math.max(i + by, 0), log.events.length - 1)];
    if (next) go(next.seq);
  };
  const close = (): void => {
    cursor.current = undefined;
    set({ event: -1 });
  };
  const detail = open !== undefined && (
    <EventDetail
      seq={open}
      log={which}
      onClose={close}
      onMove={move}
      onCall={(call) => set({ ...noFilters, log: filters.log, call })}
    />
  );
  const last = chips.at(-1);
  return (
    <div className={c.page}>
      <Head
        title="Audit log"
        actions={
          <>
            <Switch checked={at.live} onChange={(e) => set({ live: e.currentTarget.checked })} label="Live" />
            <Button
              renderRoot={(props: Record<string, unknown>) => (
                <Link {...props} to="/$org/audit/export" params={{ org }} search={{}} />
              )}
            >
              Export…
            </Button>
          </>
        }
      />
      <div className={c.bar}>
        <AddressBar
          filters={filters}
          names={log.names}
          found={foundIn(
            totals,
            log.size,
            chips.some((f) => f.key !== 'log'),
          )}
          set={(change) => set({ ...change, event: -1 })}
        />
      </div>
      {totals?.picture ? <Strip picture={totals.picture} /> : <div className={c.tools} />}
      <div className={c.body} data-open={(open !== undefined && !narrow) || undefined}>
        <div className={c.list}>
          <Problem of={log.refusal} again={log.again} />
          <EventRows
            log={log}
            open={open}
            narrow={narrow}
            onOpen={go}
            onMove={move}
            onClose={close}
            empty={
              <div className="gh-empty">
                <h3>No event matches</h3>
                <p>Nothing in {count(log.size)} events has all of these. Take one away, or look further back.</p>
                {last && (
                  <div className="gh-actions">
                    <Button size="sm" onClick={() => set({ [last.key]: '' })}>
                      Remove the last filter
                    </Button>
                  </div>
                )}
              </div>
            }
          />
        </div>
        {detail &&
          (narrow ? (
            <div className={c.sheet} role="dialog" aria-modal="true" aria-label={`Event ${count(open ?? 0)}`}>
              {detail}
            </div>
          ) : (
            <aside className={c.drawer} aria-label={`Event ${count(open ?? 0)}`} tabIndex={0}>
              {detail}
            </aside>
          ))}
      </div>
    </div>
  );
}
