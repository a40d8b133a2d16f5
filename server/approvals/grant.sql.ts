import { z } from 'zod';
import { jcs } from '@gatehouse/contract/jcs.ts';
import { json, read, sql, write, type Fragment, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { parseJsonText } from '#kernel/json.ts';
import type { Decision } from '@gatehouse/contract/approval.ts';
import type { RunCondition } from './approval.ts';
import { RunConditionRow } from './approval.sql.ts';

/** What a passkey said to an action, with everything that is needed to check it without us. */
export const Proof = z.object({
  credential: z.string(),
  /** SubjectPublicKeyInfo, DER, base64url. */
  publicKey: z.string(),
  origin: z.string(),
  clientDataJSON: z.string(),
  authenticatorData: z.string(),
  signature: z.string(),
});
export type Proof = z.infer<typeof Proof>;

/** 0: this very signature was given before. */
export const insertDecision = (
  tx: Tx,
  d: Decision,
  more: { reason: string | undefined; session: string; proof: { proof: Proof; key: Buffer } | undefined },
): Promise<number> =>
  tx.run(write`
    insert into approval_decision (org, id, verdict, decided_by, session, surface, fresh, decided_at, reason, document, proof, proof_key)
    values (app_org(), ${d.decision}, ${d.verdict}, ${d.by}, ${more.session}, ${d.surface}, ${more.proof !== undefined}, ${new Date(d.at)},
            ${more.reason ?? null}, ${jcs(d)}, ${more.proof ? json(more.proof.proof) : null}, ${more.proof?.key ?? null})
    on conflict (org, proof_key) do nothing`);

const Kept = z.object({ document: z.string(), proof: z.string().nullable() });
/** A decision as it was recorded. */
export const findDecision = (db: Reader, id: Id<'dec'>): Promise<z.infer<typeof Kept> | undefined> =>
  db.maybe(read(Kept)`select document, proof from approval_decision where org = app_org() and id = ${id}`);

export type NewGrant = {
  id: Id<'gra'>;
  approval: Id<'apr'>;
  decision: Id<'dec'>;
  hash: string;
  connector: string;
  tool: string;
  pin: string | null;
  member: Id<'mem'>;
  client: string;
  consent: string | null;
  policyVersion: string;
  run: readonly RunCondition[] | undefined;
  most: number;
  at: Date;
  expires: Date;
};
export const insertGrant = (tx: Tx, g: NewGrant): Promise<number> =>
  tx.run(write`
    insert into approval_grant (org, id, approval, decision, action_hash, connector, tool, pin, member, client, consent, policy_version,
                                conditions, most, given_at, expires_at)
    values (app_org(), ${g.id}, ${g.approval}, ${g.decision}, ${g.run ? null : g.hash}, ${g.connector}, ${g.tool}, ${g.pin}, ${g.member},
            ${g.client}, ${g.consent}, ${g.policyVersion}, ${g.run ? json(g.run) : null}, ${g.most}, ${g.at}, ${g.expires})`);

const Live = z
  .object({
    id: z.custom<Id<'gra'>>(),
    approval: z.custom<Id<'apr'>>(),
    policyVersion: z.string(),
    conditions: z.string().nullable(),
    used: z.number(),
    most: z.number(),
  })
  .transform(({ conditions, ...g }) => ({
    ...g,
    run: conditions === null ? undefined : RunConditionRow.parse(parseJsonText(conditions)),
  }));
export type LiveGrant = z.infer<typeof Live>;

const isHere: Fragment = sql`exists (select from member m join app_user u on u.id = m.user_id where m.id = g.member and u.state = 'active')`;

/** By whom a call is made that a grant could pay for. */
export type Executor = { member: Id<'mem'>; client: string; consent: string | null };

/** Grants that could pay for a call now, the one for exactly this action first; taken for the rest of the transaction. */
export const lockGrants = (
  tx: Tx,
  by: Executor,
  call: { hash: string; connector: string; tool: string; pin: string | null },
  now: Date,
): Promise<LiveGrant[]> =>
  tx.many(read(Live)`
    select g.id, g.approval, g.policy_version as "policyVersion", g.conditions, g.used, g.most
      from approval_grant g
     where g.org = app_org() and g.member = ${by.member} and g.client = ${by.client} and g.ended is null and g.used < g.most
       and g.expires_at > ${now} and g.pin is not distinct from ${call.pin}
       and (g.action_hash = ${call.hash}
            or g.conditions is not null and g.connector = ${call.connector} and g.tool = ${call.tool} and g.consent = ${by.consent})
       and ${isHere}
     order by g.action_hash nulls last, g.id
     limit 20 for update of g`);

/** 0: somebody was faster. INVARIANT (at most): a grant is used no oftener than it says. */
export const countUse = (tx: Tx, id: Id<'gra'>, call: Id<'tcl'>, now: Date): Promise<number> =>
  tx.run(write`
    update approval_grant set used = used + 1, last_call = ${call}, last_used_at = ${now}
     where org = app_org() and id = ${id} and ended is null and used < most and expires_at > ${now}`);

/** Takes a grant back. 0: it was used up, or over, already. */
export const saveRevoked = (
  tx: Tx,
  approval: Id<'apr'>,
  r: { why: string; by: string | null; at: Date },
): Promise<number> =>
  tx.run(write`
    update approval_grant set ended = 'revoked', ended_at = ${r.at}, ended_by = ${r.by}, ended_why = ${r.why}
     where org = app_org() and approval = ${approval} and ended is null and used < most`);

const Over = z.object({
  id: z.custom<Id<'gra'>>(),
  approval: z.custom<Id<'apr'>>(),
  used: z.number(),
  most: z.number(),
  askerGone: z.boolean(),
});
/** Grants whose time is over, or whose owner is gone. */
export const endGrants = (tx: Tx, now: Date, limit: number): Promise<z.infer<typeof Over>[]> =>
  tx.many(read(Over)`
    with due as (
      select g.id, not ${isHere} as gone from approval_grant g
       where g.org = app_org() and g.ended is null and g.used < g.most and (g.expires_at <= ${now} or not ${isHere})
       order by g.expires_at limit ${limit} for update skip locked)
    update approval_grant t
       set ended = case when due.gone then 'revoked' else 'expired' end, ended_at = ${now},
           ended_why = case when due.gone then 'asker_gone' end
      from due where t.org = app_org() and t.id = due.id
    returning t.id, t.approval, t.used, t.most, due.gone as "askerGone"`);
