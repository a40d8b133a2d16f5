import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { LimitName, LimitsRow, LimitsSet } from './call-limits.ts';

const figure = z.number().int().nullable();
const Row = z.object({
  about: z.string(),
  personAtOnce: figure,
  personPerMinute: figure,
  connectorAtOnce: figure,
  connectorPerMinute: figure,
  toolAtOnce: figure,
  toolPerMinute: figure,
});

/** In a row null is what nobody said, and 0 is no limit. */
const said = (n: number | null): number | null | undefined => (n === null ? undefined : n === 0 ? null : n);
const kept = (n: number | null | undefined): number | null => (n === undefined ? null : (n ?? 0));

const limitsRow = ({ about, ...r }: z.infer<typeof Row>): LimitsRow => ({
  about,
  personAtOnce: said(r.personAtOnce),
  personPerMinute: said(r.personPerMinute),
  connectorAtOnce: said(r.connectorAtOnce),
  connectorPerMinute: said(r.connectorPerMinute),
  toolAtOnce: said(r.toolAtOnce),
  toolPerMinute: said(r.toolPerMinute),
});

/** Everything that was said in the org: for all, and for connectors. */
export const listCallLimits = async (db: Reader): Promise<LimitsRow[]> =>
  (
    await db.many(read(Row)`
    select about, person_at_once as "personAtOnce", person_per_minute as "personPerMinute", connector_at_once as "connectorAtOnce",
           connector_per_minute as "connectorPerMinute", tool_at_once as "toolAtOnce", tool_per_minute as "toolPerMinute"
      from call_limit where org = app_org() order by about`)
  ).map(limitsRow);

export const saveCallLimits = (tx: Tx, about: string, s: LimitsSet, by: string, at: Date): Promise<number> => {
  const n = (name: LimitName): number | null => kept(s[name]);
  return tx.run(write`
    insert into call_limit (org, about, person_at_once, person_per_minute, connector_at_once, connector_per_minute, tool_at_once, tool_per_minute, set_by, set_at)
    values (app_org(), ${about}, ${n('personAtOnce')}::int, ${n('personPerMinute')}::int, ${n('connectorAtOnce')}::int,
            ${n('connectorPerMinute')}::int, ${n('toolAtOnce')}::int, ${n('toolPerMinute')}::int, ${by}, ${at})
    on conflict (org, about) do update set person_at_once = excluded.person_at_once, person_per_minute = excluded.person_per_minute,
      connector_at_once = excluded.connector_at_once, connector_per_minute = excluded.connector_per_minute,
      tool_at_once = excluded.tool_at_once, tool_per_minute = excluded.tool_per_minute, set_by = excluded.set_by, set_at = excluded.set_at`);
};
