import { randomInt } from 'node:crypto';
import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { enqueue } from '#kernel/job.ts';
import { Problem } from '#kernel/problem.ts';
import {
  afterCheck,
  CHECK_PAUSE_MS,
  DAY,
  MAX_CHECKS_PER_MINUTE,
  effectOf,
  noSuchDomain,
  type After,
  type Domain,
} from './domain.ts';
import { countCheckedSince, findDomain, lockDomain, saveStanding, takenElsewhere } from './domain.sql.ts';
import { domainEvents } from './domains.events.ts';
import { evidenceOf, type Evidence } from './evidence.ts';
import { insertEvidence, pruneEvidence } from './evidence.sql.ts';
import { faultFix, faultSays } from './fault.ts';
import type { DomainNews, Herald } from './herald.ts';
import { judgeChallenge, type Verdict } from './judge-challenge.ts';
import { lookUpChallenge } from './look-up-challenge.ts';

export const CHECK_JOB = 'domains.check';

/** A check of a domain that is not found to be another parent's; undefined when the domain is gone meanwhile. */
type Checked = { domain: Domain; verdict: Verdict };

/**
 * Looks a domain's record up and keeps what came of it. `asked`: somebody pressed the button, so that the log tells of it whatever came
 * out; a check by schedule is told when something changed.
 * The network is asked first; the row is taken afterwards, as it is then.
 */
export async function checkDomain(ctx: Ctx, herald: Herald, id: Id<'dom'>, asked: boolean): Promise<Checked> {
  const parents: Ctx = { ...ctx, org: undefined };
  const { before, busy } = await ctx.db.read({ parent: ctx.parent }, async (db) => ({
    before: await findDomain(db, id),
    busy: (await countCheckedSince(db, new Date(ctx.now.getTime() - 60_000))).n,
  }));
  if (!before) throw noSuchDomain();
  if (asked) refuseHaste(before, busy, ctx.now);
  const challenge = { name: before.name, token: before.token, parent: before.issuedTo };
  const seen = await lookUpChallenge(ctx.dns, challenge);
  const verdict = judgeChallenge(challenge, seen);
  const save = (taken: boolean): Promise<Checked> =>
    change(parents, async (tx) => {
      const now = await lockDomain(tx, id);
      // Removed while we were asking; added again, it would have another id.
      if (!now) throw noSuchDomain();
      const after = taken ? conflict(now, ctx.now) : afterCheck(now, verdict, ctx.now, randomInt(1000) / 1000);
      const rows = evidenceOf(
        seen.observations,
        now.checks + 1,
        ctx.now,
        verdict.proved ? 'proved' : verdict.finding.code,
      );
      const events = await settle(tx, parents, herald, now, { after, verdict, rows, taken });
      const domain: Domain = { ...now, ...after, checks: now.checks + 1, checkedAt: ctx.now };
      if (asked)
        events.push(
          event(domainEvents, 'domain.checked', { ...named(now), code: verdict.proved ? null : verdict.finding.code }),
        );
      const [first, ...rest] = events;
      return first
        ? { value: { domain, verdict }, events: [first, ...rest] }
        : { value: { domain, verdict }, unchanged: true };
    });
  try {
    return await save(false);
  } catch (e) {
    // INVARIANT (one parent per verified domain): the index decides, and whoever comes second learns that there is a first, not who.
    if (!takenElsewhere(e)) throw e;
    return save(true);
  }
}

/** A check sends questions to strangers' servers, on the word of whoever added the domain. */
function refuseHaste(d: Domain, busy: number, now: Date): void {
  if (d.checkedAt && now.getTime() - d.checkedAt.getTime() < CHECK_PAUSE_MS)
    throw new Problem('too_many', 'domains/checked-just-now', {
      says: `${d.shown} was checked a moment ago`,
      fix: 'wait a second; the result is shown with the domain',
      more: { retryAfter: CHECK_PAUSE_MS / 1000 },
    });
  if (busy >= MAX_CHECKS_PER_MINUTE)
    throw new Problem('too_many', 'domains/too-many-checks', {
      says: `${busy} domains were checked in the last minute`,
      fix: 'wait; every domain is checked by itself as well',
      more: { retryAfter: 60 },
    });
}

const named = (d: Domain): { domain: string; name: string } => ({ domain: d.id, name: d.name });

const conflict = (d: Domain, now: Date): After => ({
  standing: { state: 'conflict', since: d.standing.state === 'conflict' ? d.standing.since : now },
  nextCheckAt: new Date(now.getTime() + DAY),
  happened: undefined,
});

type Outcome = { after: After; verdict: Verdict; rows: readonly Evidence[]; taken: boolean };

/** Writes the standing, the evidence, the next check and the news, in the caller's transaction. */
async function settle(tx: Tx, ctx: Ctx, herald: Herald, was: Domain, o: Outcome): Promise<AuditEvent[]> {
  const { standing, nextCheckAt, happened } = o.after;
  await saveStanding(tx, was.id, standing, ctx.now, nextCheckAt);
  await insertEvidence(tx, was.id, o.rows);
  await pruneEvidence(tx, was.id);
  await enqueue(tx, CHECK_JOB, { parent: ctx.parent, domain: was.id }, { at: nextCheckAt, key: was.id });
  const base = { to: 'owners' as const, domain: was.id, name: was.shown };
  const tell = (news: DomainNews): Promise<void> => herald.tell(tx, ctx, news);
  if (o.taken) {
    if (was.standing.state === 'conflict') return [];
    await tell({ kind: 'conflict', ...base });
    return [event(domainEvents, 'domain.conflicted', named(was))];
  }
  switch (happened?.kind) {
    case undefined:
      return [];
    case 'verified': {
      await tell({ kind: 'verified', ...base });
      const [servers, resolvers] = o.verdict.proved ? [o.verdict.where.length, o.verdict.resolvers] : [0, 0];
      return [event(domainEvents, 'domain.verified', { ...named(was), servers, resolvers })];
    }
    case 'recovered':
      await tell({ kind: 'recovered', ...base });
      return [event(domainEvents, 'domain.recovered', { ...named(was), after: happened.after })];
    case 'failing':
    case 'lapsed': {
      if (standing.state !== 'failing' && standing.state !== 'lapsed') return [];
      const { fault } = standing;
      const words = { fault, says: faultSays(fault, was.shown, effectOf(standing)), fix: faultFix(fault, was.shown) };
      if (happened.kind === 'lapsed') {
        await tell({ kind: 'lapsed', ...base, ...words });
        return [event(domainEvents, 'domain.lapsed', { ...named(was), code: happened.code })];
      }
      const { code, day, lapsesAt } = happened;
      await tell({ kind: 'failing', ...base, ...words, day, lapsesAt });
      return [event(domainEvents, 'domain.failing', { ...named(was), code, day, lapses: lapsesAt.toISOString() })];
    }
  }
}
