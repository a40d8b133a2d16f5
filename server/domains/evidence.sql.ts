import { z } from 'zod';
import { json, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Evidence } from './evidence.ts';

const EvidenceRow: z.ZodType<Evidence & { n: number }> = z.object({
  number: z.number(),
  n: z.number(),
  at: z.date(),
  role: z.enum(['authoritative', 'recursive']),
  resolver: z.string(),
  record: z.string(),
  rcode: z.string(),
  answer: z.array(z.string()),
  ttl: z.number().nullable(),
  verdict: z.string(),
});

/** Rows of a domain that are kept: about ten checks. */
const KEPT = 100;

export const insertEvidence = (tx: Tx, domain: Id<'dom'>, rows: readonly Evidence[]): Promise<number> =>
  tx.run(write`
  insert into domain_check (parent, domain, number, n, at, role, resolver, record, rcode, answer, ttl, verdict)
  select app_parent(), ${domain}, r.number, r.n, r.at, r.role, r.resolver, r.record, r.rcode, r.answer, r.ttl, r.verdict
    from jsonb_to_recordset(${json(rows.map((r, n) => ({ ...r, n })))}::jsonb)
      as r(number int, n int, at timestamptz, role text, resolver text, record text, rcode text, answer text[], ttl int, verdict text)`);

/** Keeps the newest, and the last check that saw the record: it is what somebody will ask for. */
export const pruneEvidence = (tx: Tx, domain: Id<'dom'>): Promise<number> =>
  tx.run(write`
  delete from domain_check c
   where c.parent = app_parent() and c.domain = ${domain}
     and c.number not in (select k.number from domain_check k where k.parent = app_parent() and k.domain = ${domain} order by k.number desc, k.n limit ${KEPT})
     and c.number <> coalesce((select max(g.number) from domain_check g where g.parent = app_parent() and g.domain = ${domain} and g.verdict = 'proved'), -1)`);

/** A place in the order, as a cursor brings it back; anything else begins at the top. */
const place = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;

/** Newest check first; within a check in the order of asking. */
export const listEvidence = (
  db: Reader,
  domain: Id<'dom'>,
  f: { after?: readonly string[] | undefined; limit: number },
): Promise<(Evidence & { n: number })[]> =>
  db.many(read(EvidenceRow)`
  select number, n, at, role, resolver, record, rcode, answer, ttl, verdict
    from domain_check
   where parent = app_parent() and domain = ${domain}
     and (${place(f.after?.[0])}::int is null or number < ${place(f.after?.[0])}
       or (number = ${place(f.after?.[0])} and n > ${place(f.after?.[1]) ?? 0}))
   order by number desc, n
   limit ${f.limit + 1}`);
