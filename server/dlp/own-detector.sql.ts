import { z } from 'zod';
import { json, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { severities } from './dlp-policy.ts';
import { OwnSpec, type OwnDetector } from './own-detector.ts';

const Row: z.ZodType<OwnDetector> = z.object({
  id: z.custom<Id<'ddt'>>(),
  name: z.string(),
  severity: z.enum(severities),
  spec: OwnSpec,
  values: z.number(),
  createdBy: z.string(),
  createdAt: z.date(),
});

/** What the organization itself calls confidential, in the order it was said; one more than `limit`. */
export const listOwnDetectors = (
  db: Reader,
  f: { q?: string | undefined; after?: readonly string[] | undefined; limit: number | 'all' },
): Promise<OwnDetector[]> =>
  db.many(read(Row)`
    select d.id, d.name, d.severity, d.spec, d.created_by as "createdBy", d.created_at as "createdAt",
           case when d.kind = 'exact' then (select count(*)::int from dlp_exact_value v where v.org = d.org and v.detector = d.id) else 0 end as values
      from dlp_detector d
     where d.org = app_org() and d.removed_at is null
       and (${containing(f.q)}::text is null or d.name ilike ${containing(f.q)})
       and (${f.after?.[0] ?? null}::text is null or d.id > ${f.after?.[0] ?? ''})
     order by d.id
     limit ${f.limit === 'all' ? null : f.limit + 1}`);

/** False: there is one with this name already. */
export const insertOwnDetector = async (
  tx: Tx,
  d: Pick<OwnDetector, 'id' | 'name' | 'severity' | 'spec'>,
  by: string,
  at: Date,
): Promise<boolean> =>
  (await tx.run(write`
    insert into dlp_detector (org, id, name, kind, severity, spec, created_by, created_at)
    values (app_org(), ${d.id}, ${d.name}, ${d.spec.kind}, ${d.severity}, ${json(d.spec)}, ${by}, ${at})
    on conflict (org, lower(name)) where removed_at is null do nothing`)) === 1;

export const insertExactValues = (tx: Tx, id: Id<'ddt'>, hashes: readonly Buffer[]): Promise<number> =>
  tx.run(write`
    insert into dlp_exact_value (org, detector, hash) select app_org(), ${id}, h from unnest(${hashes}::bytea[]) as h on conflict do nothing`);

const Hash = z.object({ hash: z.instanceof(Buffer) });
export const listExactValues = async (db: Reader, id: Id<'ddt'>): Promise<Buffer[]> =>
  (await db.many(read(Hash)`select hash from dlp_exact_value where org = app_org() and detector = ${id}`)).map(
    (r) => r.hash,
  );

/** 0: there is no such detector. What it knew goes with it. */
export const saveOwnDetectorRemoved = async (tx: Tx, id: Id<'ddt'>, by: string, at: Date): Promise<number> => {
  await tx.run(write`delete from dlp_exact_value where org = app_org() and detector = ${id}`);
  return tx.run(write`
    update dlp_detector set removed_by = ${by}, removed_at = ${at}, spec = '{"kind":"removed"}'
     where org = app_org() and id = ${id} and removed_at is null`);
};

const Counted = z.object({ n: z.number() });
export const countOwnDetectors = async (db: Reader): Promise<number> =>
  (
    await db.one(
      read(Counted)`select count(*)::int as n from dlp_detector where org = app_org() and removed_at is null`,
    )
  ).n;
