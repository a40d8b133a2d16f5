import { z } from 'zod';
import { read, sql, write, type Fragment, type Query, type Reader, type Tx } from '#kernel/db.ts';
import { parseJsonText } from '#kernel/json.ts';
import type { Id } from '#kernel/id.ts';
import { jcs } from '@gatehouse/contract/jcs.ts';
import { approvalStates, type Action, type Approval, type ApprovalState } from './approval.ts';

const ApprovalRow = z
  .object({
    id: z.custom<Id<'apr'>>(),
    hash: z.string(),
    action: z.string(),
    member: z.custom<Id<'mem'>>(),
    user: z.custom<Id<'usr'>>(),
    client: z.string(),
    state: z.enum(approvalStates),
    asked: z.date(),
    expires: z.date(),
    decidedBy: z.string().nullable(),
    decidedAt: z.date().nullable(),
    reason: z.string().nullable(),
    usedAt: z.date().nullable(),
    call: z.string().nullable(),
  })
  .transform((r): Approval => {
    const base = {
      id: r.id,
      hash: r.hash,
      action: parseJsonText(r.action) as Action, // written by `insertApproval` below, as canonical text
      asker: { member: r.member, user: r.user, client: r.client },
      asked: r.asked,
      expires: r.expires,
    };
    const decided =
      r.decidedBy !== null && r.decidedAt
        ? { by: r.decidedBy, at: r.decidedAt, reason: r.reason ?? undefined }
        : undefined;
    if (r.state === 'pending') return { ...base, state: 'pending' };
    if (r.state === 'expired') return { ...base, state: 'expired', decided };
    if (!decided) throw new TypeError(`approval ${r.id} is ${r.state} and nobody decided`);
    if (r.state !== 'used') return { ...base, state: r.state, decided };
    if (!r.usedAt || r.call === null) throw new TypeError(`approval ${r.id} is used and by no call`);
    return { ...base, state: 'used', decided, used: { at: r.usedAt, call: r.call } };
  });

/**
 * INVARIANT (access ends): a request or a grant of somebody who is suspended, or not a member any more, is over from that moment on every node:
 * it is read as expired. The job writes it down later.
 */
const askerIsHere: Fragment = sql`exists (select from member m join app_user u on u.id = m.user_id where m.id = asker and u.state = 'active')`;
const stateNow: Fragment = sql`case when state in ('pending', 'granted') and not ${askerIsHere} then 'expired' else state end`;

const selected = (rest: Fragment): Query<Approval> =>
  read(ApprovalRow)`
    select id, action_hash as hash, action, asker as member, asker_user as "user", client, ${stateNow} as state, asked_at as asked,
           expires_at as expires, decided_by as "decidedBy", decided_at as "decidedAt", reason, used_at as "usedAt", used_by_call as call
      from approval where org = app_org() ${rest}`;

export const findApproval = (db: Reader, id: Id<'apr'>): Promise<Approval | undefined> =>
  db.maybe(selected(sql`and id = ${id}`));

/** Takes the row for the rest of the transaction. */
export const lockApproval = (tx: Tx, id: Id<'apr'>): Promise<Approval | undefined> =>
  tx.maybe(selected(sql`and id = ${id} for update`));

/** The newest request of this member for exactly this action, whatever became of it. */
export const lockLatest = (tx: Tx, asker: Id<'mem'>, hash: string): Promise<Approval | undefined> =>
  tx.maybe(
    selected(sql`and asker = ${asker} and action_hash = ${hash} order by asked_at desc, id desc limit 1 for update`),
  );

/** Newest first; `before` is a place in that order. The search looks at tool, connector and asker by id. */
export const listApprovals = (
  db: Reader,
  f: {
    state: ApprovalState | undefined;
    q: string | null;
    before: { asked: Date; id: string } | undefined;
    now: Date;
    limit: number;
  },
): Promise<Approval[]> =>
  db.many(
    selected(sql`
      and (${f.state ?? null}::text is null or
           case when state in ('pending', 'granted') and expires_at <= ${f.now} then 'expired' else ${stateNow} end = ${f.state ?? null})
      and (${f.q}::text is null or tool ilike ${f.q} or connector ilike ${f.q} or asker ilike ${f.q} or id ilike ${f.q})
      and (${f.before?.asked ?? null}::timestamptz is null
           or (asked_at, id) < (${f.before?.asked ?? null}::timestamptz, ${f.before?.id ?? ''}))
      order by asked_at desc, id desc limit ${f.limit}`),
  );

/** 0: the same request waits already, made by another call a moment ago. */
export const insertApproval = (tx: Tx, a: Approval & { state: 'pending' }): Promise<number> =>
  tx.run(write`
    insert into approval (org, id, action_hash, action, connector, tool, asker, asker_user, client, state, asked_at, expires_at)
    values (app_org(), ${a.id}, ${a.hash}, ${jcs(a.action)}, ${a.action.connector}, ${a.action.tool}, ${a.asker.member}, ${a.asker.user},
            ${a.asker.client}, 'pending', ${a.asked}, ${a.expires})
    on conflict (org, asker, action_hash) where state in ('pending', 'granted') do nothing`);

/** 0: somebody was faster, or its time was over. */
export const saveDecision = (
  tx: Tx,
  id: Id<'apr'>,
  d: { state: 'granted' | 'refused'; by: string; at: Date; reason: string | undefined; expires: Date },
): Promise<number> =>
  tx.run(write`
    update approval
       set state = ${d.state}, decided_by = ${d.by}, decided_at = ${d.at}, reason = ${d.reason ?? null}, expires_at = ${d.expires}
     where org = app_org() and id = ${id} and state = 'pending' and expires_at > ${d.at}`);

const Used = z.object({ id: z.custom<Id<'apr'>>(), by: z.string() });
/** Uses the grant of this member for exactly this action, once. Undefined: there is none, it was used, or its time is over. */
export const takeGrant = (
  tx: Tx,
  asker: Id<'mem'>,
  hash: string,
  call: Id<'tcl'>,
  now: Date,
): Promise<{ id: Id<'apr'>; by: string } | undefined> =>
  tx.maybe(read(Used)`
    update approval set state = 'used', used_at = ${now}, used_by_call = ${call}
     where org = app_org() and asker = ${asker} and action_hash = ${hash} and state = 'granted' and expires_at > ${now}
       and ${askerIsHere}
    returning id, decided_by as by`);

/** Whether an open request, of any age, is over because its asker is. */
export const findAskerGone = (db: Reader, id: Id<'apr'>): Promise<{ asker: Id<'mem'> } | undefined> =>
  db.maybe(read(z.object({ asker: z.custom<Id<'mem'>>() }))`
    select asker from approval where org = app_org() and id = ${id} and state in ('pending', 'granted') and not ${askerIsHere}`);

const Expired = z.object({ id: z.custom<Id<'apr'>>(), was: z.enum(['pending', 'granted']), askerGone: z.boolean() });
/** Requests and grants whose time is over, or whose asker is gone. Rows that a decision holds just now are left for the next time. */
export const expireApprovals = (tx: Tx, now: Date, limit: number): Promise<z.infer<typeof Expired>[]> =>
  tx.many(read(Expired)`
    with due as (
      select id, state, not ${askerIsHere} as gone from approval
       where org = app_org() and state in ('pending', 'granted') and (expires_at <= ${now} or not ${askerIsHere})
       order by expires_at limit ${limit} for update skip locked)
    update approval a set state = 'expired' from due
     where a.org = app_org() and a.id = due.id
    returning a.id, due.state as was, due.gone as "askerGone"`);

const Scopes = z.object({ scopes: z.array(z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() })) });
/** For `Db.lookup`: where something is due. */
export const lookupExpired = (now: Date): Query<z.infer<typeof Scopes>> =>
  read(Scopes)`select coalesce(json_agg(e), '[]') as scopes from lookup_expired_approvals(${now}) e`;
