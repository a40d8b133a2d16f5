import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';

const Waiting = z.object({ connector: z.string(), fresh: z.number(), changed: z.number(), since: z.date() });

/** Tools and instructions that wait for a reviewer, by connector that is switched on. */
export const countWaiting = (db: Reader): Promise<z.infer<typeof Waiting>[]> =>
  db.many(read(Waiting)`
  select c.name as connector, count(*) filter (where t.state = 'quarantined')::int as fresh,
         count(*) filter (where t.state = 'changed')::int as changed, min(t.seen_at) as since
    from tool t join connector c on c.org = t.org and c.id = t.connector
   where t.org = app_org() and t.state in ('quarantined', 'changed') and c.state = 'on'
   group by c.id, c.name order by min(t.seen_at)`);

const Kinds = z.object({ on: z.number(), first: z.string().nullable(), tools: z.number() });

export const countConnectors = (db: Reader): Promise<z.infer<typeof Kinds>> =>
  db.one(read(Kinds)`
  select (select count(*)::int from connector where org = app_org() and state = 'on') as "on",
         (select name from connector where org = app_org() and state = 'on' order by created_at, id limit 1) as first,
         (select count(*)::int from tool where org = app_org() and state = 'reviewed') as tools`);
