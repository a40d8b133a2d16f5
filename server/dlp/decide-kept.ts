import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { dlpEvents } from './dlp.events.ts';
import { noKept, RELEASED_MS, stateAt, type Kept } from './quarantine.ts';
import { endKept, findKept, insertDecision, lockKept, saveReleased } from './quarantine.sql.ts';

/** Releases kept content, once as many different people have said so as it needs; or discards it, for which one is enough. */
export async function decideKept(
  ctx: OrgCtx,
  id: Id<'qua'>,
  decision: 'release' | 'discard',
  reason: string | undefined,
): Promise<Kept> {
  return change(ctx, async (tx) => {
    const kept = await lockKept(tx, id);
    if (!kept) throw noKept(id);
    const by = reviewer(ctx, kept);
    const state = stateAt(kept, ctx.now);
    if (state !== 'waiting')
      throw new Problem('conflict', 'dlp/review-over', {
        says: `this is ${state}; there is nothing left to decide`,
        fix: 'the same request made again is kept again',
      });
    if (!(await insertDecision(tx, id, { by, decision, reason, at: ctx.now })))
      throw new Problem('conflict', 'dlp/reviewed-already', {
        says: 'you have released this already; a second person has to',
        fix: 'ask somebody else whose role may review',
      });
    const facts = { quarantine: id, call: kept.call, connector: kept.connector ?? null, tool: kept.tool ?? null };
    if (decision === 'discard') {
      await endKept(tx, id, 'waiting', 'discarded', ctx.now);
      return { value: await saved(), events: [event(dlpEvents, 'dlp.quarantine_discarded', facts)] };
    }
    const agreed = kept.decisions.filter((d) => d.decision === 'release').length + 1;
    if (agreed >= kept.needs) await saveReleased(tx, id, new Date(ctx.now.getTime() + RELEASED_MS));
    const data = { ...facts, agreed, needs: kept.needs };
    return {
      value: await saved(),
      events: [event(dlpEvents, agreed >= kept.needs ? 'dlp.quarantine_released' : 'dlp.release_agreed', data)],
    };

    async function saved(): Promise<Kept> {
      const row = await findKept(tx, id);
      if (!row) throw noKept(id);
      return row;
    }
  });
}

/**
 * INVARIANT (four eyes): what was kept from somebody is looked at and released by others, whatever that person's role; and by people, because a
 * key or an agent has no judgement to lend.
 */
export function reviewer(ctx: OrgCtx, kept: Kept): Id<'usr'> {
  if (ctx.actor.kind !== 'user')
    throw new Problem('forbidden', 'dlp/not-a-person', {
      says: 'kept content is reviewed by people who are signed in, not by keys or agents',
      fix: 'sign in to the portal and review it there',
    });
  if (ctx.actor.id === kept.asker.user)
    throw new Problem('forbidden', 'dlp/own-content', {
      says: 'this was kept from yourself; another person reviews it',
      fix: 'ask somebody whose role may review',
    });
  return ctx.actor.id;
}
