import { z } from 'zod';
import { json, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { severities } from './dlp-policy.ts';
import { ownKinds, type OwnDetector, type OwnSpec } from './own-detector.ts';

const Row: z.ZodType<OwnDetector> = z.object({
  id: z.custom<Id<'ddt'>>(),
  name: z.string(),
  severity: z.enum(severities),
  kind: z.enum(ownKinds),
  entries: z.number(),
  createdBy: z.string(),
  createdAt: z.date(),
});

/** What the organization itself calls confidential, in the order it was said; one more than `limit`. */
export const listOwnDetectors = (
  db: Reader,
  f: { q?: string | undefined; after?: readonly string[] | undefined; limit: number | 'all' },
): Promise<OwnDetector[]> =>
  db.many(read(Row)`
    select id, name, severity, kind, entries, created_by as "createdBy", created_at as "createdAt"
      from dlp_detector
     where org = app_org() and removed_at is null
       and (${containing(f.q)}::text is null or name ilike ${containing(f.q)})
       and (${f.after?.[0] ?? null}::text is null or id > ${f.after?.[0] ?? ''})
     order by id
     limit ${f.limit === 'all' ? null : f.limit + 1}`);

const Spec = z.object({ id: z.custom<Id<'ddt'>>(), spec: z.custom<OwnSpec>((v) => typeof v === 'object') });
/** What live detectors are made from. It can be long, and never changes, so it is asked for once. */
export const listOwnSpecs = (db: Reader, ids: readonly Id<'ddt'>[]): Promise<z.infer<typeof Spec>[]> =>
  db.many(read(Spec)`
    select id, spec from dlp_detector where org = app_org() and id = any(${ids}) and removed_at is null order by id`);

/** False: there is one with this name already. */
export const insertOwnDetector = async (tx: Tx, d: OwnDetector, spec: OwnSpec): Promise<boolean> =>
  (await tx.run(write`
    insert into dlp_detector (org, id, name, kind, severity, entries, spec, created_by, created_at)
    values (app_org(), ${d.id}, ${d.name}, ${d.kind}, ${d.severity}, ${d.entries}, ${json(spec)}, ${d.createdBy}, ${d.createdAt})
    on conflict (org, lower(name)) where removed_at is null do nothing`)) === 1;

/** 0: there is no such detector. What it knew goes with it. */
export const saveOwnDetectorRemoved = (tx: Tx, id: Id<'ddt'>, by: string, at: Date): Promise<number> =>
  tx.run(write`
    update dlp_detector set removed_by = ${by}, removed_at = ${at}, spec = null
     where org = app_org() and id = ${id} and removed_at is null`);
