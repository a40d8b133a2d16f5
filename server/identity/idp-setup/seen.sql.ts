import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Stage } from '../sign-in-trace.ts';

const TriedRow = z.object({ id: z.custom<Id<'sgn'>>(), at: z.date(), outcome: z.string(), stages: z.array(Stage) });
export type Tried = z.infer<typeof TriedRow>;

/** The newest attempts through a connection that came to an end. */
export const listTried = (db: Reader, connection: Id<'sso'>, limit: number): Promise<Tried[]> =>
  db.many(read(TriedRow)`
  select id, at, outcome, stages from sign_in_trace
   where parent = app_parent() and connection = ${connection} order by id desc limit ${limit}`);

const UnderWayRow = z.object({ n: z.number(), last: z.date().nullable() });

/** Browsers that were sent to the identity provider and are not back. */
export const countUnderWay = (db: Reader, connection: Id<'sso'>, now: Date): Promise<z.infer<typeof UnderWayRow>> =>
  db.one(read(UnderWayRow)`
  select count(*)::int as n, max(started_at) as last from sign_in_attempt
   where parent = app_parent() and connection = ${connection} and expires_at > ${now}`);

const EntryRow = z.object({
  at: z.date(),
  method: z.string(),
  path: z.string(),
  status: z.number(),
  problem: z.object({ code: z.string(), says: z.string(), fix: z.string().nullable() }).nullable(),
});
export type SeenEntry = z.infer<typeof EntryRow>;

/** The newest requests of a directory that are in its journal: changes and refusals. */
export const listSeenEntries = (db: Reader, directory: Id<'dir'>, limit: number): Promise<SeenEntry[]> =>
  db.many(read(EntryRow)`
  select at, method, path, status, problem from scim_journal
   where parent = app_parent() and directory = ${directory} order by id desc limit ${limit}`);

const CountRow = z.object({ users: z.coerce.number(), groups: z.coerce.number() });

/** How many people and groups a directory has. */
export const countEntries = (db: Reader, directory: Id<'dir'>): Promise<z.infer<typeof CountRow>> =>
  db.one(read(CountRow)`
  select coalesce(sum(users), 0) as users, coalesce(sum(groups), 0) as groups from scim_count
   where parent = app_parent() and directory = ${directory}`);
