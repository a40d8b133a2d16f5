import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { actorId } from '../actor-id.ts';
import type { EngineFailure } from '../engine.ts';
import type { DlpAction, Phase } from '../verdict.ts';
import { askScanner } from './ask-scanner.ts';
import { openCredentials } from './credentials.ts';
import { deadlineIn, ScanFailure } from './exchange.ts';
import { PurviewMemory } from './purview/memory.ts';
import { egressRules, noScanner } from './scanner.ts';
import { scannerEvents } from './scanner.events.ts';
import { findScanner } from './scanner.sql.ts';

export type TestResult =
  | { outcome: 'verdict'; action: DlpAction; reason: string | null; reference: string | null }
  | { outcome: EngineFailure; says: string };

/** Harmless text, the same as nothing that anybody looks for. */
const SAMPLE = 'This is a connection test of Gatehouse. It contains nothing of anybody.';

/**
 * Sends a sample to a scanner as it is configured, whatever its mode, percentage and breaker, and says what came back. Nothing that is
 * remembered is used or changed: a token is asked for anew.
 */
export async function testScanner(
  ctx: OrgCtx,
  id: Id<'scn'>,
  sample: { phase: Phase; text?: string | undefined; email?: string | undefined },
): Promise<TestResult> {
  const s = await ctx.db.read(scopeOf(ctx), (db) => findScanner(db, id));
  if (!s) throw noScanner(id);
  const credentials = await openCredentials(ctx.seal, ctx.org, s, s.config.kind, ctx.now);
  const aside: Promise<unknown>[] = [];
  const result = await askScanner(
    {
      scanner: s,
      config: s.config,
      credentials,
      egress: ctx.egress,
      rules: egressRules(s),
      now: ctx.now,
      invocation: newId('dsr', ctx.now.getTime()),
      test: true,
    },
    {
      phase: sample.phase,
      org: ctx.org,
      connector: undefined,
      tool: undefined,
      class: undefined,
      actor: { type: 'user', id: actorId(ctx.actor), email: sample.email },
      session: undefined,
      call: ctx.request,
      content: sample.text ?? SAMPLE,
    },
    deadlineIn(s.timeoutMs, new AbortController().signal),
    { purview: new PurviewMemory(), later: (work) => void aside.push(work) },
  ).then(
    (said): TestResult => ({
      outcome: 'verdict',
      action: said.action,
      reason: said.reason ?? null,
      reference: said.reference ?? null,
    }),
    (e: unknown): TestResult => {
      if (e instanceof ScanFailure) return { outcome: e.why, says: e.message };
      throw e;
    },
  );
  const after = (await Promise.allSettled(aside)).flatMap((r) =>
    r.status === 'rejected' ? [r.reason as unknown] : [],
  );
  const failed = after.find((e) => e instanceof ScanFailure);
  const shown: TestResult =
    result.outcome === 'verdict' && failed instanceof ScanFailure
      ? { outcome: failed.why, says: failed.message }
      : result;
  await change(ctx, async () => ({
    value: undefined,
    events: [
      event(scannerEvents, 'dlp.scanner_tested', {
        scanner: id,
        outcome: shown.outcome,
        action: shown.outcome === 'verdict' ? shown.action : null,
      }),
    ],
  }));
  return shown;
}
