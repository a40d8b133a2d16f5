import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { loadPolicySet } from '#policy/load-policy-set.ts';
import { asOf, type Approval } from './approval.ts';
import { findApproval, insertSight } from './approval.sql.ts';
import { approvalEvents } from './approvals.events.ts';
import { casesOf } from './cases.ts';
import { judge, type Judgement } from './judge.ts';
import { mannerOf } from './person.ts';
import { noApproval } from './refusals.ts';
import { maySee } from './sight.ts';
import type { Tools } from './tools.ts';

/** One request with its arguments, and whether whoever looks may say yes to it. Arguments are a person's content, so that somebody saw them is recorded. */
export const readApproval = (
  ctx: OrgCtx,
  tools: Tools,
  id: Id<'apr'>,
): Promise<{ approval: Approval; judgement: Judgement | undefined }> =>
  change(ctx, async (tx) => {
    const row = await findApproval(tx, id);
    if (!row) throw noApproval(id);
    const approval = asOf(row, ctx.now);
    let judgement: Judgement | undefined;
    if (ctx.actor.kind === 'user') {
      const cases = casesOf(tx, tools, await loadPolicySet(tx), ctx.now);
      const [at, decider] = [await cases.of(approval), await cases.decider(ctx.actor.id, approval)];
      judgement = at && decider && judge(at, decider, await mannerOf(tx, ctx, false));
    }
    const concerned = judgement !== undefined && (judgement.may || judgement.elsewhere);
    if (!concerned && !(await maySee(ctx, tx, approval))) throw noApproval(id);
    if (ctx.actor.kind === 'user') await insertSight(tx, id, ctx.actor.id, ctx.now);
    const { connector, tool } = approval.action;
    const told = event(approvalEvents, 'approval.read', { approval: id, connector, tool });
    return { value: { approval, judgement: approval.state === 'pending' ? judgement : undefined }, events: [told] };
  });
