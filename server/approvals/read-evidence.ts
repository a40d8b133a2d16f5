import { decisionHash } from '@gatehouse/contract/action-hash.ts';
import { parseDecision, type Action, type Decision } from '@gatehouse/contract/approval.ts';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { parseJsonText } from '#kernel/json.ts';
import { findApproval } from './approval.sql.ts';
import { approvalEvents } from './approvals.events.ts';
import { findDecision, Proof } from './grant.sql.ts';
import { noApproval } from './refusals.ts';
import { seesAll } from './sight.ts';

/** What shows without us what was decided: the form that `packages/contract/verify-approval.mjs` reads. */
export type Evidence = {
  action: Action;
  hash: string;
  decision: Decision | null;
  decisionHash: string | null;
  proof: Proof | null;
};

/** The whole of one decision, with the arguments that it was about. For who sees all approvals. */
export const readEvidence = (ctx: OrgCtx, id: Id<'apr'>): Promise<Evidence> =>
  change(ctx, async (tx) => {
    const a = await findApproval(tx, id);
    if (!a || !(await seesAll(ctx, tx))) throw noApproval(id);
    const kept =
      a.state === 'approved' || a.state === 'denied' ? await findDecision(tx, a.decided.decision) : undefined;
    const decision = kept ? parseDecision(parseJsonText(kept.document)) : null;
    const { connector, tool } = a.action;
    return {
      value: {
        action: a.action,
        hash: a.hash,
        decision,
        decisionHash: decision && decisionHash(decision).toString('hex'),
        proof: kept?.proof ? Proof.parse(parseJsonText(kept.proof)) : null,
      },
      events: [event(approvalEvents, 'approval.read', { approval: id, connector, tool })],
    };
  });
