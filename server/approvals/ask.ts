import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import type { Surface, ToolClass } from '#policy/schema.ts';
import {
  asOf,
  DENIAL_MS,
  hashOf,
  REQUEST_MS,
  type Action,
  type Approval,
  type AskedFor,
  type Asker,
  type Source,
} from './approval.ts';
import { approvalEvents } from './approvals.events.ts';
import { insertApproval, lockLatest, lockWaitingOf } from './approval.sql.ts';
import { endOver } from './expire-approvals.job.ts';
import { supersede } from './supersede.ts';
import { enqueueTelling } from './notices/tell-deciders.job.ts';

/** A call that needs somebody's yes. */
export type Asked = {
  asker: Asker;
  action: Action;
  call: Id<'tcl'>;
  class: ToolClass;
  surface: Surface;
  device: string;
  askedFor: AskedFor;
  /** What its session has read, where a rule asked about it. */
  hasRead?: readonly Source[] | undefined;
  /** A request of the same agent for the same tool that this one is to replace, as the agent says. */
  replaces?: Id<'apr'> | undefined;
  /** What the agent says about it, as text that nobody has checked. */
  says?: string | undefined;
};

/**
 * Asks a person about exactly this action. The same action asked again while it waits is the same request; one that was denied a short
 * while ago is answered with that denial, so that nobody is worn down by repetition. A request for the same call of a definition that is not
 * the reviewed one any more ends, and so does one that the agent says is replaced.
 */
export async function ask(ctx: OrgCtx, a: Asked): Promise<Approval> {
  const { asker, action } = a;
  const hash = hashOf(action);
  return change(ctx, async (tx) => {
    const latest = await lockLatest(tx, asker.member, hash);
    const now = latest && asOf(latest, ctx.now);
    if (now?.state === 'pending' || (now?.state === 'approved' && now.grant.state === 'unused'))
      return { value: now, unchanged: true };
    if (now?.state === 'denied' && ctx.now.getTime() - now.decided.at.getTime() < DENIAL_MS)
      return { value: now, unchanged: true };

    // A request whose time is over but whose row does not say so yet would stand in the way of the new one.
    const ended: AuditEvent[] = latest && latest.state !== now?.state ? await endOver(tx, ctx.now, 100, latest.id) : [];
    const approval: Approval & { state: 'pending' } = {
      id: newId('apr', ctx.now.getTime()),
      hash,
      action,
      class: a.class,
      asker,
      surface: a.surface,
      device: a.device,
      askedFor: a.askedFor,
      hasRead: a.hasRead,
      says: a.says ?? null,
      asked: ctx.now,
      expires: new Date(ctx.now.getTime() + REQUEST_MS),
      state: 'pending',
    };
    if ((await insertApproval(tx, approval)) === 0) {
      const same = await lockLatest(tx, asker.member, hash);
      const [first, ...rest] = ended;
      if (same) return first ? { value: same, events: [first, ...rest] } : { value: same, unchanged: true };
    }
    await enqueueTelling(tx, ctx.org, approval.id);
    for (const old of await lockWaitingOf(tx, asker.member, asker.client, action.connector, action.tool)) {
      if (old.id === approval.id) continue;
      if (old.id === a.replaces) ended.push(...(await supersede(tx, old, 'newer', approval.id, ctx.now)));
      else if (old.action.pin !== action.pin)
        ended.push(...(await supersede(tx, old, 'definition', approval.id, ctx.now)));
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
          call: a.call,
          askedFor: a.askedFor,
        }),
        ...ended,
      ],
    };
  });
}
