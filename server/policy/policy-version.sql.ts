import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import { containing } from '#kernel/list.ts';

/** One state of an organization's policies. `hash` is the version that decisions name. */
export type PolicyVersion = {
  number: number;
  hash: string;
  kind: string;
  /** The rule, control or policy that was changed. */
  about: string | null;
  /** The version that it brought back. */
  restored: number | null;
  reason: string | null;
  madeBy: string;
  madeAt: Date;
};

const Row: z.ZodType<PolicyVersion> = z.object({
  number: z.number(),
  hash: z.string(),
  kind: z.string(),
  about: z.string().nullable(),
  restored: z.number().nullable(),
  reason: z.string().nullable(),
  madeBy: z.string(),
  madeAt: z.date(),
});

/** The number of the version in force; 0 where nothing was changed since there are versions. */
export const currentNumber = async (db: Reader): Promise<number> =>
  (
    await db.one(read(z.object({ number: z.number() }))`
    select coalesce(max(number), 0) as number from policy_version where org = app_org()`)
  ).number;

/** Lets nobody else change the policies of the organization until this transaction ends; says which version is in force. */
export async function lockNumber(tx: Tx): Promise<number> {
  await tx.run(write`select pg_advisory_xact_lock(hashtextextended('policy of ' || app_org(), 0))`);
  return currentNumber(tx);
}

export const insertVersion = (tx: Tx, v: PolicyVersion): Promise<number> =>
  tx.run(write`
    insert into policy_version (org, number, hash, kind, about, restored, reason, made_by, made_at)
    values (app_org(), ${v.number}, ${v.hash}, ${v.kind}, ${v.about}, ${v.restored}, ${v.reason}, ${v.madeBy}, ${v.madeAt})`);

export const findVersion = (db: Reader, number: number): Promise<PolicyVersion | undefined> =>
  db.maybe(read(Row)`
    select number, hash, kind, about, restored, reason, made_by as "madeBy", made_at as "madeAt"
      from policy_version where org = app_org() and number = ${number}`);

/** The newest version that said exactly this; 0, what was there before the first, where none did. */
export const findNumberOfHash = async (db: Reader, hash: string): Promise<number> =>
  (
    await db.one(read(z.object({ number: z.number() }))`
    select coalesce(max(number), 0) as number from policy_version where org = app_org() and hash = ${hash}`)
  ).number;

/** Newest first. One more than asked. */
export const listVersions = (
  db: Reader,
  f: { q?: string | undefined; after?: readonly string[] | undefined; limit: number },
): Promise<PolicyVersion[]> =>
  db.many(read(Row)`
    select number, hash, kind, about, restored, reason, made_by as "madeBy", made_at as "madeAt"
      from policy_version
     where org = app_org()
       and (${containing(f.q)}::text is null or reason ilike ${containing(f.q)} or about ilike ${containing(f.q)} or kind ilike ${containing(f.q)})
       and (${f.after?.[0] ?? null}::int is null or number < ${f.after?.[0] ?? null}::int)
     order by number desc
     limit ${f.limit + 1}`);
