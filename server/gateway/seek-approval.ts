import { asOf, hashOf, type Approval, type AskedFor, type Grant } from '#approvals/approval.ts';
import { findApproval } from '#approvals/approval.sql.ts';
import { ask } from '#approvals/ask.ts';
import { cancelApproval } from '#approvals/cancel-approval.ts';
import type { Tools } from '#approvals/tools.ts';
import { useGrant, type Used } from '#approvals/use-grant.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { actionOf } from './action-of.ts';
import { admit, momentOf } from './admit.ts';
import type { Consent } from './call-tool.ts';
import { isParams, type Params } from './message.ts';
import { wordsOfRead } from './session-reads.ts';
import { lookAtSession, type CallScene } from './stages.ts';
import type { Hold } from './take-hold.ts';
import { classOf, type Denial, type ToolCall } from './tool-call.ts';

/** How long a call that comes again waits here for its decision: shorter than any client's patience, long enough that a yes arrives at once. */
export const HOLD_MS = 20_000;

/** Uses somebody's yes to exactly this call, or asks for it; a call that comes again with our state is told what became of its request. */
export async function seekApproval(s: CallScene, call: ToolCall, askedFor: AskedFor = 'policy'): Promise<Consent> {
  // INVARIANT (what was approved is what runs): two messages that differ in a digit that we cannot read would be one action.
  const number = s.carrier.inexact;
  if (number !== undefined)
    return denied(
      'unreadable_argument',
      `the number ${number.slice(0, 60)} is read as ${Number(number)}, so nobody can approve exactly this call`,
    );
  if (s.hold?.kind !== 'good') return useOrAsk(s, call, askedFor);
  const over = await waited(s, s.hold);
  if (over) return over;
  // The call may have waited for longer than anything that was known of the organization may be old: it is admitted once more.
  const renewed = await s.renewed();
  if (!renewed) return denied('policy', 'your access ended while the call waited');
  const scene: CallScene = { ...s, ...renewed, ctx: { ...s.ctx, now: s.now() } };
  const connector = [...renewed.view.connectors.values()].find((c) => c.id === call.connector);
  const current = { ...call, known: call.known && connector?.tools.get(call.known.name) };
  scene.hasRead = await lookAtSession(scene, current);
  const admission = admit(scene, current);
  return admission.kind === 'denied' ? admission : useOrAsk(scene, current, askedFor);
}

/** What the request came to that a call was held for, once that is known; undefined: there is a yes to use. */
async function waited(s: CallScene, { claims, answer }: Hold & { kind: 'good' }): Promise<Consent | undefined> {
  const now = (): OrgCtx => ({ ...s.ctx, now: s.now() });
  // Decided in the meantime? Then it is told below.
  if (answer === 'decline') await cancelApproval(now(), claims.approval).catch(notIfSettled);
  else if (answer !== 'cancel') await s.waitFor(claims.approval);
  const approval = await standing(now(), claims.approval);
  if (!approval) return denied('hold_altered', 'there is no such request any more');
  if (approval.state === 'pending')
    return {
      kind: 'waits',
      approval,
      round: answer === 'cancel' ? null : claims.round + 1,
      because: becauseOf(s, approval),
    };
  const over = wordsOf(approval);
  return over && denied(over.why, over.says);
}

async function useOrAsk(s: CallScene, call: ToolCall, askedFor: AskedFor): Promise<Consent> {
  const { who, view, hold } = s;
  const { caller } = who;
  const asker = { member: caller.member, user: caller.user, client: caller.client, consent: who.token.grant };
  const pin = call.known?.reviewedPin ?? undefined;
  const action = actionOf({ ...asker, org: caller.org }, call.connector, call.method, s.carrier.params, pin);
  if (hold?.kind === 'good' && hashOf(action) !== hold.claims.hash)
    return denied('hold_args', 'the tool’s definition changed while the call waited');
  const projection = call.known?.projection ?? [];
  const now = (): OrgCtx => ({ ...s.ctx, now: s.now() });
  const use = (): Promise<Used | undefined> =>
    useGrant(now(), toolsOf(call), { asker, action, call: call.id, projection, set: view.policies });

  const used = await use();
  if (used) return { kind: 'granted', ...used };
  if (hold?.kind === 'good') {
    // Of two attempts with one state, the other was faster.
    const approval = await standing(now(), hold.claims.approval);
    const over = approval && wordsOf(approval);
    if (over) return denied(over.why, over.says);
  }
  const { surface, device } = momentOf(view.policies, now().now);
  const approval = await ask(now(), {
    asker,
    action,
    call: call.id,
    class: classOf(call),
    surface,
    device,
    askedFor,
    hasRead: s.hasRead?.sources,
    replaces: s.replaces,
    says: saidOf(s.carrier.params),
  });
  // Somebody said yes between the two looks.
  if (approval.state === 'approved') {
    const late = await use();
    if (late) return { kind: 'granted', ...late };
  }
  const over = approval.state === 'denied' ? wordsOf(approval) : undefined;
  return over ? denied(over.why, over.says) : { kind: 'waits', approval, round: 0, because: becauseOf(s, approval) };
}

/** What the agent is told of why a person must agree, where it is for what its session has read. */
function becauseOf(s: CallScene, approval: Approval): string | undefined {
  if (approval.askedFor !== 'session' || !s.hasRead) return undefined;
  const slugs = new Map<string, string>([...s.view.connectors.values()].map((c) => [c.id, c.slug]));
  const read = wordsOfRead(s.hasRead, (connector) => slugs.get(connector) ?? connector);
  return `this session has read ${read}, and this call can carry it out`;
}

const notIfSettled = (e: unknown): void => {
  if (!(e instanceof Problem) || e.kind !== 'conflict') throw e;
};

/** What is known of the called tool, for this one call: the approvals room asks about no other. */
const toolsOf = (call: ToolCall): Tools => ({
  findTool: (_db, connector, name) => {
    const t = call.known;
    const same = connector === call.connector && name === t?.name && t.state === 'reviewed';
    return Promise.resolve(
      same && t.class && t.reviewedPin
        ? { pin: t.reviewedPin, class: t.class, projection: t.projection ?? [], outward: t.outward, type: call.type }
        : undefined,
    );
  },
});

const denied = (why: Denial, says: string): Consent => ({ kind: 'denied', why, says, policies: [] });

async function standing(ctx: OrgCtx, id: Approval['id']): Promise<Approval | undefined> {
  const row = await ctx.db.read(scopeOf(ctx), (db) => findApproval(db, id));
  return row && asOf(row, ctx.now);
}

/** How a request ended, each end in its own words; undefined: it waits, or there is a yes that can still be used. */
function wordsOf(a: Approval): { why: Denial; says: string } | undefined {
  switch (a.state) {
    case 'pending':
      return undefined;
    case 'approved':
      return wordsOfGrant(a.grant, a.id);
    case 'denied': {
      const { reason } = a.decided;
      return {
        why: 'approval_denied',
        says: `a person denied exactly this call${reason === null ? '' : `, saying: ${JSON.stringify(reason)}`} (${a.id})`,
      };
    }
    case 'expired':
      return {
        why: 'approval_expired',
        says: `nobody decided until ${a.ended.toISOString()}, which is not a denial (${a.id})`,
      };
    case 'cancelled':
      return { why: 'approval_cancelled', says: `the request for approval was taken back (${a.id})` };
    case 'superseded':
      return {
        why: 'approval_superseded',
        says: `the request for approval was replaced${a.by === null ? ', because the tool or the rules changed' : ` by ${a.by}`} (${a.id})`,
      };
  }
}

function wordsOfGrant(g: Grant, id: Approval['id']): { why: Denial; says: string } | undefined {
  switch (g.state) {
    case 'unused':
      return undefined;
    case 'used':
      return { why: 'hold_used', says: `the approval was used already, by ${g.lastCall ?? 'another call'} (${id})` };
    case 'expired':
      return {
        why: 'hold_late',
        says: `a person approved this call, and it was not made until ${g.expires.toISOString()} (${id})`,
      };
    case 'revoked':
      // Rules that became stricter do not end the matter: the call asks anew, under the rules of now.
      return g.why === 'policy'
        ? undefined
        : { why: 'approval_revoked', says: `the approval was taken back before it was used (${id})` };
  }
}

const SAYS = 'io.gatehouse/says';
/** As much as a person reads before deciding. */
const MOST_SAID = 500;

/** What the agent says about its call, for the person who decides. Nothing of ours depends on it. */
function saidOf(params: Params): string | undefined {
  const meta = params['_meta'];
  const said = isParams(meta) ? meta[SAYS] : undefined;
  if (typeof said !== 'string' || said.trim() === '') return undefined;
  const text = said.trim();
  return text.length > MOST_SAID ? `${text.slice(0, MOST_SAID)} [cut off here, of ${text.length} characters]` : text;
}
