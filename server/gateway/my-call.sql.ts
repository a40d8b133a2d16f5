import { z } from 'zod';
import { read, sql, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { outcomes } from './gateway.events.ts';

const CallRow = z.object({
  id: z.custom<Id<'tcl'>>(),
  connector: z.string(),
  slug: z.string().nullable(),
  name: z.string().nullable(),
  tool: z.string(),
  client: z.string(),
  at: z.date(),
  ended: z.date().nullable(),
  outcome: z.enum(outcomes).nullable(),
  why: z.string().nullable(),
});
export type MyCallRow = z.infer<typeof CallRow>;

export type MyCalls = {
  member: Id<'mem'>;
  q?: string | undefined;
  outcome?: (typeof outcomes)[number] | undefined;
  /** Only those that were not let through or did not work. */
  refused?: boolean | undefined;
  before: { at: Date; id: string } | undefined;
  limit: number;
};

/** Calls of one member, newest first, by the index that has them so. One more than asked. */
export const listCallsOfMember = (db: Reader, f: MyCalls): Promise<MyCallRow[]> =>
  db.many(read(CallRow)`
    select c.id, c.connector, n.slug, n.name, c.tool, c.client, c.opened_at as at, c.closed_at as ended, c.outcome, c.why
      from tool_call c left join connector n on n.org = c.org and n.id = c.connector
     where c.org = app_org() and c.member = ${f.member}
       and ${f.outcome === undefined ? sql`true` : sql`c.outcome = ${f.outcome}`}
       and ${f.refused ? sql`c.outcome in ('denied', 'blocked', 'failed')` : sql`true`}
       and (${containing(f.q)}::text is null or c.tool ilike ${containing(f.q)} or n.name ilike ${containing(f.q)} or n.slug ilike ${containing(f.q)})
       and ${f.before === undefined ? sql`true` : sql`(c.opened_at, c.id) < (${f.before.at}, ${f.before.id})`}
     order by c.opened_at desc, c.id desc
     limit ${f.limit + 1}`);
