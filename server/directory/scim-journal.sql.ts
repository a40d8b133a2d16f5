import { z } from 'zod';
import { json, read, sql, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Beside } from '#audit/inbox.sql.ts';
import type { Id } from '#kernel/id.ts';
import type { JournalEntry } from './scim-journal.ts';

/** An entry as an insert, to go along with the events of its change. */
export const journalInsert = (directory: Id<'dir'>, e: JournalEntry): Beside => ({
  name: 'scim journal',
  insert: sql`
  insert into scim_journal (parent, directory, id, at, request, operation, token, method, path, resource, people, status, ms, body, bytes, meant, changed, problem)
  values (app_parent(), ${directory}, ${e.id}, ${e.at}, ${e.request}, ${e.operation}, ${e.token}, ${e.method}, ${e.path}, ${e.resource},
          ${e.people}::text[], ${e.status}, ${e.ms}, ${e.body}, ${e.bytes}, ${json(e.meant)}::json, ${json(e.changed)}::json,
          ${e.problem && json(e.problem)}::json)`,
});

/** Several entries as one insert; its text is the same for any number. */
export const entriesInsert = (directory: Id<'dir'>, all: readonly JournalEntry[]): Beside => ({
  name: 'scim journal, several',
  insert: sql`
  insert into scim_journal (parent, directory, id, at, request, operation, token, method, path, resource, people, status, ms, body, bytes, meant, changed, problem)
  select app_parent(), ${directory}, e.id, e.at, e.request, e.operation, e.token, e.method, e.path, e.resource,
         array(select json_array_elements_text(e.people)), e.status, e.ms, e.body, e.bytes, e.meant, e.changed, e.problem
    from json_to_recordset(${json(all)}::json)
      as e(id text, at timestamptz, request text, operation int, token text, method text, path text, resource text, people json,
           status int, ms real, body text, bytes int, meant json, changed json, problem json)`,
});

/** Entries of requests that changed nothing. */
export const insertEntries = (tx: Tx, directory: Id<'dir'>, all: readonly JournalEntry[]): Promise<number> =>
  tx.run(write`${entriesInsert(directory, all).insert}`);

const Row = z.object({
  id: z.custom<Id<'jrn'>>(),
  at: z.date(),
  request: z.string(),
  operation: z.number().nullable(),
  token: z.string(),
  method: z.string(),
  path: z.string(),
  resource: z.string().nullable(),
  people: z.array(z.string()),
  status: z.number(),
  ms: z.number(),
  body: z.string().nullable(),
  bytes: z.number(),
  meant: z.record(z.string(), z.unknown()),
  changed: z.array(z.unknown()),
  problem: z.object({ code: z.string(), says: z.string(), fix: z.string().nullable() }).nullable(),
});

const columns = sql`j.id, j.at, j.request, j.operation, j.token, j.method, j.path, j.resource, j.people, j.status, j.ms, j.body, j.bytes, j.meant, j.changed, j.problem`;

export type JournalFilter = {
  q: string | undefined;
  /** One status, or the first of its hundred: `4` is every 4xx. */
  status: number | undefined;
  method: string | undefined;
  resource: string | undefined;
  /** Somebody's entry in the directory, or the account. */
  person: string | undefined;
  after: string | undefined;
  limit: number;
};

/** Newest first; one more than asked, so that the caller knows whether there is another page. */
export const listEntries = (db: Reader, directory: Id<'dir'>, f: JournalFilter): Promise<JournalEntry[]> =>
  db.many(read(Row)`
  select ${columns} from scim_journal j
   where j.parent = app_parent() and j.directory = ${directory}
     ${f.after === undefined ? sql`` : sql`and j.id < ${f.after}`}
     ${f.status === undefined ? sql`` : f.status < 10 ? sql`and j.status / 100 = ${f.status}` : sql`and j.status = ${f.status}`}
     ${f.method === undefined ? sql`` : sql`and j.method = ${f.method}`}
     ${f.resource === undefined ? sql`` : sql`and j.resource = ${f.resource}`}
     ${
       f.person === undefined
         ? sql``
         : sql`and exists (select from scim_user u where u.parent = app_parent() and u.directory = j.directory and ${f.person} in (u.id, u.user_id)
                              and (j.resource = u.id or u.id = any(j.people)))`
     }
     ${f.q === undefined ? sql`` : sql`and strpos(lower(j.path || ' ' || coalesce(j.body, '') || ' ' || coalesce(j.problem::text, '')), lower(${f.q})) > 0`}
   order by j.id desc
   limit ${f.limit + 1}`);

export const findEntry = (db: Reader, directory: Id<'dir'>, id: Id<'jrn'>): Promise<JournalEntry | undefined> =>
  db.maybe(read(Row)`
  select ${columns} from scim_journal j where j.parent = app_parent() and j.directory = ${directory} and j.id = ${id}`);

/** Entries of one directory that are kept, whatever their age: about a gigabyte of ordinary ones. */
export const MAX_KEPT = 1_000_000;

/** For `Db.lookup`: forgets what is past its time. */
export const pruneJournal = (at: Date, most: number) =>
  read(z.object({ gone: z.number() }))`select prune_scim_journal(${at}, ${MAX_KEPT}, ${most}) as gone`;
