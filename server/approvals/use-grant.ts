import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { project, type Projection } from '#policy/argument.ts';
import type { PolicySet } from '#policy/decide.ts';
import { hashOf, type Action, type Asker } from './approval.ts';
import { findApproval } from './approval.sql.ts';
import { approvalEvents } from './approvals.events.ts';
import { casesOf } from './cases.ts';
import { countUse, lockGrants, saveRevoked, type LiveGrant } from './grant.sql.ts';
import { judge } from './judge.ts';
import { fitsRun } from './run.ts';
import type { Tools } from './tools.ts';

export type Using = {
  asker: Asker;
  action: Action;
  call: Id<'tcl'>;
  projection: Projection;
  /** By which the call was just admitted. */
  set: PolicySet;
};
/** What pays for a call: whose yes, and the action that it is good for. */
export type Used = { approval: Id<'apr'>; hash: string };

/**
 * Uses a yes to exactly this call, or to such calls of the run, if there is one. Of two calls that try at once, one gets it. A yes that was
 * given under other rules counts only if whoever gave it may still give it so; else it is taken back, and the call asks anew.
 */
export async function useGrant(ctx: OrgCtx, tools: Tools, u: Using): Promise<Used | undefined> {
  const { action, asker } = u;
  const hash = hashOf(action);
  const { connector, tool, pin } = action;
  return change(ctx, async (tx) => {
    const events: AuditEvent[] = [];
    for (const grant of await lockGrants(tx, asker, { hash, connector, tool, pin }, ctx.now)) {
      if (!covers(grant, u)) continue;
      if (grant.policyVersion !== u.set.version && !(await stillGiven(ctx, tx, tools, u, grant))) {
        await saveRevoked(tx, grant.approval, { why: 'policy', by: null, at: ctx.now });
        events.push(event(approvalEvents, 'approval.grant_revoked', { approval: grant.approval, why: 'policy' }));
        continue;
      }
      if ((await countUse(tx, grant.id, u.call, ctx.now)) === 0) continue;
      const used = event(approvalEvents, 'approval.grant_used', {
        approval: grant.approval,
        grant: grant.id,
        connector,
        tool,
        hash,
        call: u.call,
        used: grant.used + 1,
        most: grant.most,
      });
      return { value: { approval: grant.approval, hash }, events: [used, ...events] };
    }
    const [first, ...rest] = events;
    return first ? { value: undefined, events: [first, ...rest] } : { value: undefined, unchanged: true };
  });
}

function covers(grant: LiveGrant, u: Using): boolean {
  if (!grant.run) return true;
  // What a person could not have foreseen, an answer to what the system asks in between, is no part of a run.
  if (u.action.also !== null) return false;
  const projected = project(u.projection, u.action.args);
  return projected.kind === 'facts' && fitsRun(grant.run, projected.combinations);
}

/** Whether whoever gave this yes might give it today, from the same surface and with the same proof, under the rules of now. */
async function stillGiven(ctx: OrgCtx, tx: Tx, tools: Tools, u: Using, grant: LiveGrant): Promise<boolean> {
  const approval = await findApproval(tx, grant.approval);
  if (approval?.state !== 'approved') return false;
  const { decided } = approval;
  const cases = casesOf(tx, tools, u.set, ctx.now);
  const [at, decider] = [await cases.of(approval), await cases.decider(decided.by, approval)];
  return (
    at !== undefined &&
    decider !== undefined &&
    judge(at, decider, { surface: decided.surface, device: 'unknown', fresh: decided.fresh }).may
  );
}
