import { hash } from 'node:crypto';
import { challengeOf, decisionHash } from '@gatehouse/contract/action-hash.ts';
import type { Decision } from '@gatehouse/contract/approval.ts';
import type { z } from 'zod';
import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { Authentication } from '#identity/passkey/answer.ts';
import { checkProof, noteProof, type CheckedProof } from '#identity/passkey/prove-with-passkey.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { project } from '#policy/argument.ts';
import { loadPolicySet } from '#policy/load-policy-set.ts';
import { asOf, GRANT_MS, type Approval, type Superseded, type Verdict } from './approval.ts';
import { findApproval, listByIds, lockApprovals, saveDecided } from './approval.sql.ts';
import { approvalEvents } from './approvals.events.ts';
import { casesOf, type Cases } from './cases.ts';
import { insertDecision, insertGrant } from './grant.sql.ts';
import { judge, stillAsks, type Case } from './judge.ts';
import { mannerOf, personOf } from './person.ts';
import { mayNot, noApproval, settled } from './refusals.ts';
import { refuseRun, type RunWanted } from './run.ts';
import { findSettings } from './settings.sql.ts';
import { usualSettings } from './settings.ts';
import { supersede } from './supersede.ts';
import { maySee } from './sight.ts';
import type { Tools } from './tools.ts';

/** Requests looked at and decided in one go; a person who is asked to judge more at once judges none of them. */
export const MAX_BATCH = 50;

export type Deciding = {
  /** `hash`: the action that was looked at; a request whose action is another is not decided. */
  items: readonly { approval: Id<'apr'>; hash?: string | undefined }[];
  verdict: Verdict;
  reason?: string | undefined;
  proof?: z.infer<typeof Authentication> | undefined;
  run?: RunWanted | undefined;
};

/**
 * Says yes or no to one request, or to a list of them at once: to all or, where one of them cannot be decided so, to none. The first
 * decision stands. A yes is good once per request, for ten minutes, for the agent that asked.
 */
export async function decideApprovals(ctx: OrgCtx, tools: Tools, d: Deciding): Promise<Approval[]> {
  const proof = d.proof && (await proofOf(ctx, d.items, d.proof));
  const done = await change<{ decided: Approval[] } | { over: Id<'apr'> }>(ctx, async (tx) => {
    const set = await loadPolicySet(tx);
    const cases = casesOf(tx, tools, set, ctx.now);
    const waiting = await lockWaiting(ctx, tx, d.items);
    const judged: { approval: Approval; at: Case | undefined }[] = [];
    for (const approval of waiting) {
      const at = await cases.of(approval);
      const over = d.verdict === 'approved' ? overtaken(approval, at) : undefined;
      if (over) {
        // Said in the row, so that everybody is told; the one who came to decide is told after the commit.
        const [first, ...rest] = await supersede(tx, approval, over, null, ctx.now);
        if (first) return { value: { over: approval.id }, events: [first, ...rest] };
      }
      await refuseDecider(ctx, tx, cases, approval, at, d.verdict, proof !== undefined);
      judged.push({ approval, at });
    }
    const [first, ...rest] = await save(ctx, tx, judged, d, proof, set.version);
    if (!first) throw new TypeError('a decision about nothing');
    const decided = await listByIds(
      tx,
      waiting.map((a) => a.id),
    );
    return { value: { decided }, events: [first, ...rest] };
  });
  if ('decided' in done) return done.decided;
  const over = await ctx.db.read(scopeOf(ctx), (db) => findApproval(db, done.over));
  if (!over || over.state === 'pending') throw noApproval(done.over);
  throw settled(over);
}

/** The proof that came with a decision, checked against what is being decided. */
async function proofOf(
  ctx: OrgCtx,
  items: Deciding['items'],
  answer: z.infer<typeof Authentication>,
): Promise<CheckedProof> {
  const about = await ctx.db.read(scopeOf(ctx), (db) =>
    listByIds(
      db,
      items.map((i) => i.approval),
    ),
  );
  const missing = items.find((i) => !about.some((a) => a.id === i.approval));
  if (missing) throw noApproval(missing.approval);
  return checkProof(ctx, personOf(ctx).user, challengeOf(about.map((a) => a.hash)), answer);
}

/** Takes the rows. INVARIANT (one decision): whoever holds the row sees it as it is now, so of two decisions the second reads the first. */
async function lockWaiting(
  ctx: OrgCtx,
  tx: Tx,
  items: Deciding['items'],
): Promise<(Approval & { state: 'pending' })[]> {
  const rows = await lockApprovals(
    tx,
    items.map((i) => i.approval),
  );
  return items
    .toSorted((a, b) => (a.approval < b.approval ? -1 : 1))
    .map((item, i, all) => {
      const row = rows.find((r) => r.id === item.approval);
      if (!row) throw noApproval(item.approval);
      if (all[i - 1]?.approval === item.approval)
        throw new Problem('invalid', 'approvals/twice', {
          says: `${item.approval} is in the list twice`,
          fix: 'name every request once',
        });
      if (item.hash !== undefined && item.hash !== row.hash)
        throw new Problem('conflict', 'approvals/other-action', {
          says: `${row.id} is about another action than the one that you looked at`,
          fix: 'open it again and decide about what it shows',
          more: { approval: row.id, hash: row.hash },
        });
      const now = asOf(row, ctx.now);
      if (now.state !== 'pending') throw settled(now);
      return now;
    });
}

/** Whether a yes would be to something that cannot run any more. */
function overtaken(a: Approval, at: Case | undefined): Superseded | undefined {
  if (!at) return 'definition';
  return a.askedFor !== 'content' && stillAsks(at) === 'denied' ? 'policy' : undefined;
}

async function refuseDecider(
  ctx: OrgCtx,
  tx: Tx,
  cases: Cases,
  a: Approval,
  at: Case | undefined,
  verdict: Verdict,
  fresh: boolean,
): Promise<void> {
  const person = personOf(ctx);
  const decider = await cases.decider(person.user, a);
  if (!decider) throw noApproval(a.id);
  // Who decides approvals at all may say no to what nobody can say yes to any more.
  if (!at && verdict === 'denied' && decider.mayDecide && person.user !== a.asker.user) return;
  const judgement = at && judge(at, decider, await mannerOf(tx, ctx, fresh));
  if (judgement?.may || (judgement?.elsewhere && verdict === 'denied')) return;
  // Somebody else's row is missing, not forbidden.
  if (!judgement || (!judgement.elsewhere && !(await maySee(ctx, tx, a)))) throw noApproval(a.id);
  throw mayNot(judgement);
}

async function save(
  ctx: OrgCtx,
  tx: Tx,
  judged: readonly { approval: Approval; at: Case | undefined }[],
  d: Deciding,
  proof: CheckedProof | undefined,
  policyVersion: string,
): Promise<AuditEvent[]> {
  const { now: at } = ctx;
  const person = personOf(ctx);
  const run = d.verdict === 'approved' ? d.run : undefined;
  const expires = new Date(at.getTime() + (run ? run.minutes * 60_000 : GRANT_MS));
  if (run) {
    const [only, ...more] = judged;
    const p = only?.at && project(only.at.projection, only.approval.action.args);
    if (!only || more.length > 0 || proof)
      throw new Problem('invalid', 'approvals/run-alone', {
        says: 'a yes to a run is about one request, and a passkey signs one exact action',
        fix: 'approve the run from one request, without a proof, or the requests one by one',
      });
    refuseRun(run, (await findSettings(tx)) ?? usualSettings, only.approval, p?.kind === 'facts' ? p.combinations : []);
  }
  const decision: Decision & { decision: Id<'dec'> } = {
    v: 1,
    decision: newId('dec', at.getTime()),
    org: ctx.org,
    items: judged.map((j) => ({ approval: j.approval.id, action: j.approval.hash })),
    verdict: d.verdict,
    by: person.user,
    surface: (await mannerOf(tx, ctx, false)).surface,
    at: at.toISOString(),
    reason: d.reason === undefined ? null : hash('sha256', d.reason, 'hex'),
    run: run ? { conditions: run.conditions, most: run.most, expires: expires.toISOString() } : null,
  };
  const kept = proof && { proof: proof.proof, key: proof.once };
  if ((await insertDecision(tx, decision, { reason: d.reason, session: person.session, proof: kept })) === 0)
    throw new Problem('conflict', 'approvals/proof-used', {
      says: 'this proof was given before, and each counts once',
      fix: 'use your passkey again',
    });
  if (proof) await noteProof(tx, proof);
  const decisionDigest = decisionHash(decision).toString('hex');
  const events: AuditEvent[] = [];
  for (const { approval: a } of judged) {
    const { connector, tool, pin } = a.action;
    if ((await saveDecided(tx, a.id, { state: d.verdict, decision: decision.decision, at })) === 0)
      throw noApproval(a.id);
    events.push(
      event(approvalEvents, `approval.${d.verdict}`, {
        approval: a.id,
        connector,
        tool,
        hash: a.hash,
        asker: a.asker.member,
        decision: decision.decision,
        decisionHash: decisionDigest,
        surface: decision.surface,
        fresh: proof !== undefined,
      }),
    );
    if (d.verdict === 'denied') continue;
    const grant = newId('gra', at.getTime());
    await insertGrant(tx, {
      id: grant,
      approval: a.id,
      decision: decision.decision,
      hash: a.hash,
      connector,
      tool,
      pin,
      member: a.asker.member,
      client: a.asker.client,
      consent: a.asker.consent,
      policyVersion,
      run: run?.conditions,
      most: run?.most ?? 1,
      at,
      expires,
    });
    if (run)
      events.push(
        event(approvalEvents, 'approval.run_allowed', {
          approval: a.id,
          grant,
          connector,
          tool,
          most: run.most,
          expires: expires.toISOString(),
        }),
      );
  }
  return events;
}
