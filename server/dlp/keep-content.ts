import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { dlpEvents } from './dlp.events.ts';
import type { Verdict } from './judge.ts';
import { keptAad, MAX_KEPT, REVIEW_MS, type Asker, type Kept } from './quarantine.ts';
import { countOpenKept, expireKept, findKeptFor, insertKept } from './quarantine.sql.ts';
import type { Phase } from './verdict.ts';

export type ToKeep = {
  phase: Phase;
  same: string;
  call: string;
  connector: Id<'con'> | undefined;
  tool: string | undefined;
  asker: Asker;
  /** What reviewers look at, and what is given out after the release. */
  content: string;
  verdict: Pick<Verdict, 'findings' | 'twoPeople'>;
};

/** Keeps stopped content for reviewers: sealed, for a limited time. The same request asked again is kept once. */
export async function keepContent(ctx: OrgCtx, k: ToKeep): Promise<Kept> {
  const bytes = Buffer.from(k.content);
  const kept: Kept = {
    id: newId('qua', ctx.now.getTime()),
    phase: k.phase,
    same: k.same,
    call: k.call,
    connector: k.connector,
    tool: k.tool,
    asker: k.asker,
    bytes: bytes.length,
    findings: k.verdict.findings,
    needs: k.verdict.twoPeople ? 2 : 1,
    at: ctx.now,
    expires: new Date(ctx.now.getTime() + REVIEW_MS),
    state: 'waiting',
    decisions: [],
  };
  const sealed = await ctx.seal.seal(keptAad(ctx.org, kept.id), bytes);
  return change(ctx, async (tx) => {
    // One whose time is over but whose row does not say so yet would stand in the way.
    const over = (await expireKept(tx, ctx.now, 1, k.same)).map((o) =>
      event(dlpEvents, 'dlp.quarantine_expired', { quarantine: o.id, was: o.was }),
    );
    const there = await findKeptFor(tx, k.same, ctx.now);
    if (!there && (await countOpenKept(tx, k.asker)) >= MAX_KEPT)
      throw new Problem('too_many', 'dlp/too-much-kept', {
        says: `${MAX_KEPT} things of this person wait for review already; this one is blocked and not kept`,
        fix: 'let reviewers decide about what waits',
      });
    if (there || !(await insertKept(tx, kept, sealed))) {
      const same = there ?? (await findKeptFor(tx, k.same, ctx.now));
      if (!same) throw new Problem('bug', 'dlp/not-kept', { says: 'the content could not be kept' });
      return { value: same, unchanged: true };
    }
    const data = {
      quarantine: kept.id,
      phase: kept.phase,
      call: kept.call,
      connector: kept.connector ?? null,
      tool: kept.tool ?? null,
      findings: kept.findings.slice(0, 50).map((f) => ({ ...f, hashes: [...f.hashes] })),
      needs: kept.needs,
      expires: kept.expires.toISOString(),
    };
    return { value: kept, events: [event(dlpEvents, 'dlp.quarantined', data), ...over] };
  });
}
