import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import type { Catalogue } from './catalogue.ts';
import { loadContent, saveContent } from './content.sql.ts';
import { setOf, type PolicyContent } from './content.ts';
import { planHash } from './plan-hash.ts';
import { policyEvents } from './policy.events.ts';
import { findVersion, insertVersion, lockNumber } from './policy-version.sql.ts';
import { resolveWish } from './resolve-wish.ts';
import { actorId } from './rule.ts';
import type { Wish } from './wish.ts';

/** What somebody says with a change: why, from which version on, and which preview he has looked at. */
export type Saying = {
  reason?: string | undefined;
  expects?: number | undefined;
  previewed?: string | undefined;
};

export type Changed = {
  content: PolicyContent;
  /** The rule, control or policy that it was about. */
  about: string | null;
  version: { number: number; hash: string };
};

/**
 * Changes the policies; what is changed applies from the next decision on. INVARIANT (one version at a time): whoever changes them holds the
 * lock of the organization, so `expects` and `previewed` are compared with what is in force when the change is made.
 */
export const changePolicies = (
  ctx: OrgCtx,
  wish: Wish,
  saying: Saying,
  catalogue: Pick<Catalogue, 'hasConnector' | 'types'> & Partial<Pick<Catalogue, 'reviewedTools'>>,
): Promise<Changed> =>
  change(ctx, async (tx) => {
    const number = await lockNumber(tx);
    if (saying.expects !== undefined && saying.expects !== number) {
      const since = await findVersion(tx, number);
      throw new Problem('stale', 'policy/stale', {
        says: `version ${number} is in force, not ${saying.expects}${since ? `: ${since.madeBy} made it at ${since.madeAt.toISOString()}` : ''}`,
        fix: 'read the difference between the two versions, and make the change again if it is still right',
        more: { version: number },
      });
    }
    const before = await loadContent(tx);
    const resolved = await resolveWish(tx, before, wish, ctx.now, catalogue);
    if (saying.previewed !== undefined) {
      const now = catalogue.reviewedTools && (await planHash(tx, before, wish, ctx.org, catalogue.reviewedTools));
      if (saying.previewed !== now)
        throw new Problem('conflict', 'policy/preview-stale', {
          says: 'policies, people, groups or tools are not as they were when this change was previewed, or another change was',
          fix: 'preview the change again, look at it, and make it with the new hash',
        });
    }
    if (resolved.unchanged) {
      const version = { number, hash: setOf(ctx.org, before).version };
      return { value: { content: before, about: resolved.about, version }, unchanged: true };
    }
    const version = { number: number + 1, hash: setOf(ctx.org, resolved.after).version };
    const { about, restored } = resolved;
    const by = actorId(ctx.actor);
    await saveContent(tx, before, resolved.after, version.number, by, ctx.now);
    await insertVersion(tx, {
      ...version,
      kind: wish.kind,
      about,
      restored,
      reason: saying.reason ?? null,
      madeBy: by,
      madeAt: ctx.now,
    });
    const made = event(policyEvents, 'policy.version_made', { ...version, kind: wish.kind, about, restored });
    const [first = made, ...more] = resolved.events;
    const events = first === made ? ([made] as const) : ([first, ...more, made] as const);
    return { value: { content: resolved.after, about, version }, events };
  });
