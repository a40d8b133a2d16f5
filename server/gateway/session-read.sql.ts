import { z } from 'zod';
import { read, write, type Query, type Reader, type Tx } from '#kernel/db.ts';

/** That a session has read from a tool, to be written with the end of the call. `session`: hex, see session-reads.ts. */
export type SessionRead = ReadSource & { session: string };

/** From where something was read, and what it brought. */
export type ReadSource = { connector: string; tool: string; untrusted: boolean; private: boolean; at: Date };

const Row: z.ZodType<ReadSource> = z.object({
  connector: z.string(),
  tool: z.string(),
  untrusted: z.boolean(),
  private: z.boolean(),
  at: z.date(),
});

/** What was read in these sessions since then, newest first. As many rows as there are tools at most, so it is not paged. */
export const listSessionReads = (db: Reader, sessions: readonly string[], since: Date): Promise<ReadSource[]> =>
  db.many(read(Row)`
    select connector, tool, bool_or(untrusted) as untrusted, bool_or(private) as private, max(at) as at from session_read
     where org = app_org() and session = any(${sessions}::text[]) and at > ${since}
     group by connector, tool order by max(at) desc, connector, tool`);

/** For what no call's end can say. */
export const saveSessionReads = (tx: Tx, reads: readonly SessionRead[]): Promise<number> =>
  tx.run(write`
    insert into session_read (org, session, connector, tool, untrusted, private, at)
    select app_org(), r.session, r.connector, r.tool, r.untrusted, r.private, r.at
      from json_to_recordset(${JSON.stringify(reads)}::json) as r(session text, connector text, tool text, untrusted boolean, private boolean, at timestamptz)
     order by r.session
    on conflict (org, session, connector, tool, untrusted, private) do update set at = greatest(session_read.at, excluded.at)`);

/** For `Db.lookup`: forgets what was read before `edge`. */
export const pruneSessionReads = (edge: Date, most: number): Query<{ gone: number }> =>
  read(z.object({ gone: z.number() }))`select prune_session_reads(${edge}, ${most}) as gone`;
