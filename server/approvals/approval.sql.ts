import { z } from 'zod';
import { parseAction } from '@gatehouse/contract/approval.ts';
import { jcs } from '@gatehouse/contract/jcs.ts';
import { read, sql, write, type Fragment, type Query, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { parseJsonText } from '#kernel/json.ts';
import { surfaces, toolClasses } from '#policy/schema.ts';
import { askedFors, requestStates, runFacts, type Approval, type Grant, type RequestState } from './approval.ts';

export const RunConditionRow = z.array(
  z.object({ fact: z.enum(runFacts), is: z.enum(['equal', 'under']), value: z.string() }),
);

const GrantRow = z
  .object({
    grant: z.custom<Id<'gra'>>().nullable(),
    grantEnded: z.enum(['expired', 'revoked']).nullable(),
    used: z.number().nullable(),
    most: z.number().nullable(),
    grantExpires: z.date().nullable(),
    policyVersion: z.string().nullable(),
    conditions: z.string().nullable(),
    lastCall: z.string().nullable(),
    lastUsed: z.date().nullable(),
    grantWhy: z.enum(['asker', 'admin', 'asker_gone', 'policy']).nullable(),
  })
  .transform((r): Grant | undefined =>
    r.grant === null || r.used === null || r.most === null || r.grantExpires === null || r.policyVersion === null
      ? undefined
      : {
          id: r.grant,
          state: r.grantEnded ?? (r.used >= r.most ? 'used' : 'unused'),
          used: r.used,
          most: r.most,
          expires: r.grantExpires,
          policyVersion: r.policyVersion,
          run: r.conditions === null ? undefined : RunConditionRow.parse(parseJsonText(r.conditions)),
          lastCall: r.lastCall,
          lastUsed: r.lastUsed,
          why: r.grantWhy,
        },
  );

/** What was written by `insertApproval`. */
const Sources = z.array(
  z.object({
    connector: z.string(),
    tool: z.string(),
    untrusted: z.boolean(),
    private: z.boolean(),
    at: z.coerce.date(),
  }),
);

const ApprovalRow = z
  .looseObject({
    id: z.custom<Id<'apr'>>(),
    hash: z.string(),
    action: z.string(),
    class: z.enum(toolClasses),
    member: z.custom<Id<'mem'>>(),
    user: z.custom<Id<'usr'>>(),
    client: z.string(),
    consent: z.string().nullable(),
    surface: z.enum(surfaces),
    device: z.string(),
    askedFor: z.enum(askedFors),
    hasRead: Sources.nullable(),
    says: z.string().nullable(),
    state: z.enum(requestStates),
    asked: z.date(),
    expires: z.date(),
    ended: z.date().nullable(),
    endedBy: z.string().nullable(),
    endedWhy: z.enum(['asker', 'agent', 'asker_gone', 'newer', 'definition', 'policy']).nullable(),
    replacedBy: z.custom<Id<'apr'>>().nullable(),
    decision: z.custom<Id<'dec'>>().nullable(),
    decidedBy: z.custom<Id<'usr'>>().nullable(),
    decidedAt: z.date().nullable(),
    decidedOn: z.enum(surfaces).nullable(),
    fresh: z.boolean().nullable(),
    reason: z.string().nullable(),
  })
  .transform((r): Approval => {
    const base = {
      id: r.id,
      hash: r.hash,
      action: parseAction(parseJsonText(r.action)),
      class: r.class,
      asker: { member: r.member, user: r.user, client: r.client, consent: r.consent },
      surface: r.surface,
      device: r.device,
      askedFor: r.askedFor,
      hasRead: r.hasRead ?? undefined,
      says: r.says,
      asked: r.asked,
      expires: r.expires,
    };
    const torn = (): TypeError => new TypeError(`approval ${r.id} is ${r.state} and its row says otherwise`);
    const why = r.endedWhy;
    switch (r.state) {
      case 'pending':
        return { ...base, state: 'pending' };
      case 'approved':
      case 'denied': {
        const { decision, decidedBy: by, decidedAt: at, decidedOn: surface, fresh, reason } = r;
        if (decision === null || by === null || !at || surface === null || fresh === null) throw torn();
        const decided = { decision, by, at, surface, fresh, reason };
        if (r.state === 'denied') return { ...base, state: 'denied', decided };
        const grant = GrantRow.parse(r);
        if (!grant) throw torn();
        return { ...base, state: 'approved', decided, grant };
      }
      case 'expired':
        if (!r.ended) throw torn();
        return { ...base, state: 'expired', ended: r.ended };
      case 'cancelled':
        if (!r.ended || (why !== 'asker' && why !== 'agent' && why !== 'asker_gone')) throw torn();
        return { ...base, state: 'cancelled', ended: r.ended, why, by: r.endedBy };
      case 'superseded':
        if (!r.ended || (why !== 'newer' && why !== 'definition' && why !== 'policy')) throw torn();
        return { ...base, state: 'superseded', ended: r.ended, why, by: r.replacedBy };
    }
  });

/**
 * INVARIANT (access ends): a request or a grant of somebody who is suspended, or not a member any more, is over from that moment on every node:
 * it is read as cancelled, or revoked. The job writes it down later.
 */
const isHere = (member: Fragment): Fragment =>
  sql`exists (select from member m join app_user u on u.id = m.user_id where m.id = ${member} and u.state = 'active')`;
const left: Fragment = sql`(a.state = 'pending' and not ${isHere(sql`a.asker`)})`;
const grantLeft: Fragment = sql`(g.id is not null and g.ended is null and g.used < g.most and not ${isHere(sql`a.asker`)})`;
/** The state with what is over by somebody's leaving. */
export const stateNow: Fragment = sql`case when ${left} then 'cancelled' else a.state end`;

const selected = (rest: Fragment): Query<Approval> =>
  read(ApprovalRow)`
    select a.id, a.action_hash as hash, a.action, a.class, a.asker as member, a.asker_user as "user", a.client, a.consent, a.surface, a.device,
           a.asked_for as "askedFor", a.has_read as "hasRead", a.says, ${stateNow} as state, a.asked_at as asked, a.expires_at as expires,
           case when ${left} then now() else a.ended_at end as ended, a.ended_by as "endedBy",
           case when ${left} then 'asker_gone' else a.ended_why end as "endedWhy", a.replaced_with as "replacedBy",
           a.decision, d.decided_by as "decidedBy", d.decided_at as "decidedAt", d.surface as "decidedOn", d.fresh, d.reason,
           g.id as grant, case when ${grantLeft} then 'revoked' else g.ended end as "grantEnded", g.used, g.most,
           g.expires_at as "grantExpires", g.policy_version as "policyVersion", g.conditions, g.last_call as "lastCall",
           g.last_used_at as "lastUsed", case when ${grantLeft} then 'asker_gone' else g.ended_why end as "grantWhy"
      from approval a
      left join approval_decision d on d.org = a.org and d.id = a.decision
      left join approval_grant g on g.org = a.org and g.approval = a.id
     where a.org = app_org() ${rest}`;

export const findApproval = (db: Reader, id: Id<'apr'>): Promise<Approval | undefined> =>
  db.maybe(selected(sql`and a.id = ${id}`));

const Locked = z.object({ id: z.custom<Id<'apr'>>() });
/**
 * Takes rows, and then reads them. Two statements, because one that waits for a row sees the row as it became, and what it is joined with as
 * that was before.
 */
async function taken(tx: Tx, which: Fragment): Promise<Approval[]> {
  const ids = (
    await tx.many(read(Locked)`select a.id from approval a where a.org = app_org() ${which} for update`)
  ).map((r) => r.id);
  return ids.length === 0 ? [] : listByIds(tx, ids);
}

/** Takes the row for the rest of the transaction. */
export const lockApproval = async (tx: Tx, id: Id<'apr'>): Promise<Approval | undefined> =>
  (await taken(tx, sql`and a.id = ${id}`))[0];

/** Takes several rows, in one order, so that two decisions about the same ones cannot wait for each other. */
export const lockApprovals = (tx: Tx, ids: readonly Id<'apr'>[]): Promise<Approval[]> =>
  taken(tx, sql`and a.id = any(${ids}) order by a.id`);

/** Several, in the order of their ids. */
export const listByIds = (db: Reader, ids: readonly Id<'apr'>[]): Promise<Approval[]> =>
  db.many(selected(sql`and a.id = any(${ids}) order by a.id`));

/** Which of these still wait. */
export const listPending = async (db: Reader, ids: readonly Id<'apr'>[], now: Date): Promise<Id<'apr'>[]> =>
  (
    await db.many(read(z.object({ id: z.custom<Id<'apr'>>() }))`
    select a.id from approval a
     where a.org = app_org() and a.id = any(${ids}) and a.state = 'pending' and a.expires_at > ${now} and ${isHere(sql`a.asker`)}
     order by a.id`)
  ).map((r) => r.id);

/** The newest request of this member for exactly this action, whatever became of it. */
export const lockLatest = async (tx: Tx, asker: Id<'mem'>, hash: string): Promise<Approval | undefined> =>
  (
    await taken(tx, sql`and a.asker = ${asker} and a.action_hash = ${hash} order by a.asked_at desc, a.id desc limit 1`)
  )[0];

/** What waits of the same agent for the same tool: what a newer request may replace. */
export const lockWaitingOf = (
  tx: Tx,
  asker: Id<'mem'>,
  client: string,
  connector: string,
  tool: string,
): Promise<Approval[]> =>
  taken(
    tx,
    sql`and a.state = 'pending' and a.asker = ${asker} and a.client = ${client} and a.connector = ${connector} and a.tool = ${tool}
         order by a.id`,
  );

/** How many requests of this member's agents wait for somebody. */
export const countWaitingOf = async (db: Reader, asker: Id<'mem'>, now: Date): Promise<number> =>
  (
    await db.one(read(z.object({ n: z.number() }))`
    select count(*)::int as n from approval where org = app_org() and asker = ${asker} and state = 'pending' and expires_at > ${now}`)
  ).n;

export type ApprovalFilter = {
  state: RequestState | undefined;
  /** Only what this user's agents asked for. */
  askedBy: Id<'usr'> | undefined;
  q: string | null;
  before: { asked: Date; id: string } | undefined;
  now: Date;
  limit: number;
};
/** Newest first; `before` is a place in that order. The search looks at tool, connector by id, and who asked. */
export const listApprovals = (db: Reader, f: ApprovalFilter): Promise<Approval[]> =>
  db.many(
    selected(sql`
      and (${f.state ?? null}::text is null or
           case when a.state = 'pending' and a.expires_at <= ${f.now} then 'expired' else ${stateNow} end = ${f.state ?? null})
      and (${f.askedBy ?? null}::text is null or a.asker_user = ${f.askedBy ?? null})
      and (${f.q}::text is null or a.tool ilike ${f.q} or a.connector ilike ${f.q} or a.asker ilike ${f.q} or a.id ilike ${f.q}
           or exists (select from app_user u where u.id = a.asker_user and (u.display_name ilike ${f.q} or u.email ilike ${f.q})))
      and (${f.before?.asked ?? null}::timestamptz is null
           or (a.asked_at, a.id) < (${f.before?.asked ?? null}::timestamptz, ${f.before?.id ?? ''}))
      order by a.asked_at desc, a.id desc limit ${f.limit}`),
  );

/** 0: the same request waits already, made by another call a moment ago. */
export const insertApproval = (tx: Tx, a: Approval & { state: 'pending' }): Promise<number> =>
  tx.run(write`
    insert into approval (org, id, action_hash, action, connector, tool, pin, class, asker, asker_user, client, consent, surface, device,
                          asked_for, has_read, says, state, asked_at, expires_at)
    values (app_org(), ${a.id}, ${a.hash}, ${jcs(a.action)}, ${a.action.connector}, ${a.action.tool}, ${a.action.pin}, ${a.class},
            ${a.asker.member}, ${a.asker.user}, ${a.asker.client}, ${a.asker.consent}, ${a.surface}, ${a.device}, ${a.askedFor},
            ${a.hasRead ? JSON.stringify(a.hasRead) : null}::jsonb, ${a.says}, 'pending',
            ${a.asked}, ${a.expires})
    on conflict (org, asker, action_hash) where state = 'pending' do nothing`);

/** 0: somebody was faster, or its time was over. INVARIANT (one decision): a request leaves `pending` once. */
export const saveDecided = (
  tx: Tx,
  id: Id<'apr'>,
  d: { state: 'approved' | 'denied'; decision: Id<'dec'>; at: Date },
): Promise<number> =>
  tx.run(write`
    update approval set state = ${d.state}, decision = ${d.decision}
     where org = app_org() and id = ${id} and state = 'pending' and expires_at > ${d.at}`);

/** Ends a request that waits. 0: it does not wait any more. */
export const saveEnded = (
  tx: Tx,
  id: Id<'apr'>,
  e: {
    state: 'cancelled' | 'superseded';
    why: string;
    by: string | null;
    replacedBy: Id<'apr'> | null;
    at: Date;
  },
): Promise<number> =>
  tx.run(write`
    update approval set state = ${e.state}, ended_at = ${e.at}, ended_by = ${e.by}, ended_why = ${e.why}, replaced_with = ${e.replacedBy}
     where org = app_org() and id = ${id} and state = 'pending'`);

/** When somebody opened it first; later looks change nothing. */
export const insertSight = (tx: Tx, id: Id<'apr'>, person: Id<'usr'>, at: Date): Promise<number> =>
  tx.run(write`
    insert into approval_sight (org, approval, person, seen_at) values (app_org(), ${id}, ${person}, ${at}) on conflict do nothing`);

const Over = z.object({ id: z.custom<Id<'apr'>>(), askerGone: z.boolean() });
/** Requests whose time is over, or whose asker is gone, `first` before all others. Rows that a decision holds just now are left for the next time. */
export const endApprovals = (tx: Tx, now: Date, limit: number, first?: Id<'apr'>): Promise<z.infer<typeof Over>[]> =>
  tx.many(read(Over)`
    with due as (
      select a.id, not ${isHere(sql`a.asker`)} as gone from approval a
       where a.org = app_org() and a.state = 'pending' and (a.expires_at <= ${now} or not ${isHere(sql`a.asker`)})
       order by a.id = ${first ?? ''} desc, a.expires_at limit ${limit} for update skip locked)
    update approval t
       set state = case when due.gone then 'cancelled' else 'expired' end, ended_at = ${now},
           ended_why = case when due.gone then 'asker_gone' end
      from due where t.org = app_org() and t.id = due.id
    returning t.id, due.gone as "askerGone"`);

const Scopes = z.object({ scopes: z.array(z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() })) });
/** For `Db.lookup`: where something is due. */
export const lookupExpired = (now: Date): Query<z.infer<typeof Scopes>> =>
  read(Scopes)`select coalesce(json_agg(e), '[]') as scopes from lookup_expired_approvals(${now}) e`;
