import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { asOf, hashOf, REFUSAL_MS, REQUEST_MS, type Action, type Approval, type Asker } from './approval.ts';
import { approvalEvents } from './approvals.events.ts';
import { expireApprovals, insertApproval, lockLatest } from './approval.sql.ts';

/**
 * Asks a person about exactly this action. The same action asked again while it waits is the same request; one that was refused a short
 * while ago is answered with that refusal, so that nobody is worn down by repetition.
 */
export async function ask(ctx: OrgCtx, asker: Asker, action: Action, call: Id<'tcl'>): Promise<Approval> {
  const hash = hashOf(action);
  return change(ctx, async (tx) => {
    const latest = await lockLatest(tx, asker.member, hash);
    const now = latest && asOf(latest, ctx.now);
    if (now?.state === 'pending' || now?.state === 'granted') return { value: now, unchanged: true };
    if (now?.state === 'refused' && ctx.now.getTime() - now.decided.at.getTime() < REFUSAL_MS)
      return { value: now, unchanged: true };

    // A request whose time is over but whose row does not say so yet would stand in the way of the new one.
    const over = latest && latest.state !== now?.state ? await expireApprovals(tx, ctx.now, 100) : [];
    const approval: Approval & { state: 'pending' } = {
      id: newId('apr', ctx.now.getTime()),
      hash,
      action,
      asker,
      asked: ctx.now,
      expires: new Date(ctx.now.getTime() + REQUEST_MS),
      state: 'pending',
    };
    const ended = over.map((e) => event(approvalEvents, 'approval.expired', { approval: e.id, was: e.was }));
    if ((await insertApproval(tx, approval)) === 0) {
      const same = await lockLatest(tx, asker.member, hash);
      const [first, ...rest] = ended;
      if (same) return first ? { value: same, events: [first, ...rest] } : { value: same, unchanged: true };
    }
    return {
      value: approval,
      events: [
        event(approvalEvents, 'approval.asked', {
          approval: approval.id,
          connector: action.connector,
          tool: action.tool,
          hash,
          asker: asker.member,
          call,
        }),
        ...ended,
      ],
    };
  });
}
