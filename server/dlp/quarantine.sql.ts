import { z } from 'zod';
import { json, read, sql, write, type Fragment, type Query, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { keptStates, type Asker, type Kept, type KeptState } from './quarantine.ts';
import { phases } from './verdict.ts';

const Finding = z.object({ detector: z.string(), at: z.string(), count: z.number(), hashes: z.array(z.string()) });
const Decision = z.object({
  by: z.string(),
  name: z.string().nullable(),
  decision: z.enum(['release', 'discard']),
  at: z.coerce.date(),
  reason: z.string().nullable(),
});
const KeptRow = z
  .object({
    id: z.custom<Id<'qua'>>(),
    phase: z.enum(phases),
    same: z.string(),
    call: z.string(),
    connector: z.custom<Id<'con'>>().nullable(),
    tool: z.string().nullable(),
    member: z.string().nullable(),
    user: z.custom<Id<'usr'>>().nullable(),
    name: z.string().nullable(),
    client: z.string(),
    bytes: z.number(),
    findings: z.array(Finding),
    needs: z.union([z.literal(1), z.literal(2)]),
    at: z.date(),
    expires: z.date(),
    state: z.enum(keptStates),
    decisions: z.array(Decision),
  })
  .transform(({ member, user, name, client, ...r }): Kept => ({
    ...r,
    connector: r.connector ?? undefined,
    tool: r.tool ?? undefined,
    asker: { member: member ?? undefined, user: user ?? undefined, name: name ?? undefined, client },
    decisions: r.decisions.map((d) => ({ ...d, name: d.name ?? undefined, reason: d.reason ?? undefined })),
  }));

const selected = (rest: Fragment): Query<Kept> =>
  read(KeptRow)`
    select q.id, q.phase, encode(q.same, 'hex') as same, q.call, q.connector, q.tool, q.asker as member, q.asker_user as "user",
           (select u.display_name from app_user u where u.id = q.asker_user) as name, q.client,
           q.bytes, q.findings, q.needs, q.kept_at as at, q.expires_at as expires, q.state,
           coalesce((select json_agg(json_build_object('by', d.reviewer, 'name', (select u.display_name from app_user u where u.id = d.reviewer),
                                                       'decision', d.decision, 'at', d.decided_at, 'reason', d.reason)
                                     order by d.decided_at)
                       from quarantine_decision d where d.org = q.org and d.quarantine = q.id), '[]') as decisions
      from quarantine q where q.org = app_org() ${rest}`;

export const findKept = (db: Reader, id: Id<'qua'>): Promise<Kept | undefined> =>
  db.maybe(selected(sql`and q.id = ${id}`));

/** Takes the row for the rest of the transaction. */
export const lockKept = async (tx: Tx, id: Id<'qua'>): Promise<Kept | undefined> => {
  const [row] = await tx.many(read(z.object({ id: z.string() }))`
    select id from quarantine where org = app_org() and id = ${id} for update`);
  return row && findKept(tx, id);
};

/** What waits, or was released, for exactly this request. */
export const findKeptFor = (db: Reader, same: string, now: Date): Promise<Kept | undefined> =>
  db.maybe(
    selected(sql`and q.same = decode(${same}, 'hex') and q.state in ('waiting', 'released') and q.expires_at > ${now}`),
  );

const Same = z.object({ same: z.string() });
/** The requests for which something is kept, at most so many. */
export const listOpenKept = async (db: Reader, limit: number): Promise<string[]> =>
  (
    await db.many(read(Same)`
    select encode(same, 'hex') as same from quarantine where org = app_org() and state in ('waiting', 'released') limit ${limit}`)
  ).map((r) => r.same);

const Counted = z.object({ n: z.number() });
/** How much of one asker is kept and not ended. */
export const countOpenKept = async (db: Reader, a: Asker): Promise<number> =>
  (
    await db.one(read(Counted)`
    select count(*)::int as n from quarantine
     where org = app_org() and state in ('waiting', 'released') and asker is not distinct from ${a.member ?? null}
       and (asker is not null or client = ${a.client})`)
  ).n;

/** Newest first; `before` is a place in that order. The search looks at id, call, tool, connector, asker and what was found. */
export const listKept = (
  db: Reader,
  f: {
    state: KeptState | undefined;
    q: string | null;
    before: { at: Date; id: string } | undefined;
    now: Date;
    limit: number;
  },
): Promise<Kept[]> =>
  db.many(
    selected(sql`
      and (${f.state ?? null}::text is null or
           case when q.state in ('waiting', 'released') and q.expires_at <= ${f.now} then 'expired' else q.state end = ${f.state ?? null})
      and (${f.q}::text is null or q.id ilike ${f.q} or q.call ilike ${f.q} or q.tool ilike ${f.q} or q.connector ilike ${f.q}
           or q.asker ilike ${f.q} or exists (select from app_user u where u.id = q.asker_user and (u.display_name ilike ${f.q} or u.email ilike ${f.q}))
           or array_to_string(q.detectors, ' ') ilike ${f.q})
      and (${f.before?.at ?? null}::timestamptz is null or (q.kept_at, q.id) < (${f.before?.at ?? null}::timestamptz, ${f.before?.id ?? ''}))
      order by q.kept_at desc, q.id desc limit ${f.limit}`),
  );

/** False: the same request is kept already. */
export const insertKept = async (tx: Tx, k: Kept, sealed: Buffer): Promise<boolean> =>
  (await tx.run(write`
    insert into quarantine (org, id, phase, same, call, connector, tool, asker, asker_user, client, sealed, bytes, findings, detectors, needs,
                            state, kept_at, expires_at)
    values (app_org(), ${k.id}, ${k.phase}, decode(${k.same}, 'hex'), ${k.call}, ${k.connector ?? null}, ${k.tool ?? null},
            ${k.asker.member ?? null}, ${k.asker.user ?? null}, ${k.asker.client}, ${sealed}, ${k.bytes}, ${json(k.findings)},
            ${[...new Set(k.findings.map((f) => f.detector))]}, ${k.needs}, 'waiting', ${k.at}, ${k.expires})
    on conflict (org, same) where state in ('waiting', 'released') do nothing`)) === 1;

const Sealed = z.object({ sealed: z.instanceof(Buffer) });
/** The sealed copy, as long as there is one. */
export const findSealed = (db: Reader, id: Id<'qua'>): Promise<{ sealed: Buffer } | undefined> =>
  db.maybe(read(Sealed)`select sealed from quarantine where org = app_org() and id = ${id} and sealed is not null`);

/** False: this reviewer has said it already. */
export const insertDecision = async (
  tx: Tx,
  id: Id<'qua'>,
  d: { by: string; decision: 'release' | 'discard'; reason: string | undefined; at: Date },
): Promise<boolean> =>
  (await tx.run(write`
    insert into quarantine_decision (org, quarantine, reviewer, decision, reason, decided_at)
    values (app_org(), ${id}, ${d.by}, ${d.decision}, ${d.reason ?? null}, ${d.at})
    on conflict do nothing`)) === 1;

export const saveReleased = (tx: Tx, id: Id<'qua'>, until: Date): Promise<number> =>
  tx.run(write`
    update quarantine set state = 'released', expires_at = ${until} where org = app_org() and id = ${id} and state = 'waiting'`);

/** Ends it and erases the copy. 0: it was over, or somebody was faster. */
export const endKept = (
  tx: Tx,
  id: Id<'qua'>,
  from: 'waiting' | 'released',
  to: 'delivered' | 'discarded',
  now: Date,
): Promise<number> =>
  tx.run(write`
    update quarantine set state = ${to}, sealed = null, ended_at = ${now}
     where org = app_org() and id = ${id} and state = ${from} and expires_at > ${now}`);

const Over = z.object({ id: z.custom<Id<'qua'>>(), was: z.enum(['waiting', 'released']) });
/** Ends what is over and erases the copies. `same`: only that one. */
export const expireKept = (
  tx: Tx,
  now: Date,
  limit: number,
  same: string | undefined,
): Promise<z.infer<typeof Over>[]> =>
  tx.many(read(Over)`
    with due as (
      select id, state from quarantine
       where org = app_org() and state in ('waiting', 'released') and expires_at <= ${now}
         and (${same ?? null}::text is null or same = decode(${same ?? ''}, 'hex'))
       order by expires_at limit ${limit} for update skip locked)
    update quarantine q set state = 'expired', sealed = null, ended_at = ${now} from due
     where q.org = app_org() and q.id = due.id
    returning q.id, due.state as was`);

const Scopes = z.object({ scopes: z.array(z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() })) });
/** For `Db.lookup`: where something is over. */
export const lookupExpiredKept = (now: Date): Query<z.infer<typeof Scopes>> =>
  read(Scopes)`select coalesce(json_agg(e), '[]') as scopes from lookup_expired_quarantine(${now}) e`;
