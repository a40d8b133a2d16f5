import type { Approval, AskedFor } from '#approvals/approval.ts';
import type { Verdict } from '#dlp/judge.ts';
import type { Kept } from '#dlp/quarantine.ts';
import type { Redaction } from '#dlp/verdict.ts';
import type { Id } from '#kernel/id.ts';
import type { CallDecision } from '#policy/decide.ts';
import type { AskedCall } from '#policy/decided-call.ts';
import type { Blocked, Outcome, ToolCall } from './tool-call.ts';

/** `decided`: what policy was asked and answered; absent where it was not asked. */
export type Admission =
  /** `bySession`: it needs approval only for what its session has read. */
  (
    | { kind: 'admitted'; needsApproval: boolean; bySession?: boolean; policies: readonly string[] }
    | (Outcome & { kind: 'denied' })
  ) & { decided?: { asked: AskedCall; decision: CallDecision } | undefined };
export type Consent =
  /** `hash`: of the action that may be sent, and no other. */
  | { kind: 'granted'; approval: Id<'apr'>; hash: string }
  | { kind: 'waits'; approval: Approval; round: number | null; because?: string | undefined }
  | (Outcome & { kind: 'denied' });
export type Sent =
  | { ok: true; result: unknown; bytes: number; error: boolean }
  | { ok: false; ended: Outcome & { kind: 'failed' | 'blocked' } };

/** What was seen of the content of one call, for the record. */
export type Looked = {
  arguments?: Verdict;
  result?: Verdict;
  kept?: Kept | undefined;
  /** Of the call as it went on, where something was taken out of it first. */
  admission?: Admission;
};

/** What a call goes through. None knows of another; what they share is in the call and in whoever made them (stages.ts). */
export type Stages = {
  open(call: ToolCall): Promise<void>;
  admit(call: ToolCall): Admission;
  /** What was kept of exactly this call before, and has not ended. */
  kept(call: ToolCall): Promise<Kept | undefined> | undefined;
  inspect(phase: 'arguments' | 'result', call: ToolCall, value: unknown): Promise<Verdict> | Verdict;
  /** The call as it goes on, without what must not. */
  redactArguments(call: ToolCall, redactions: readonly Redaction[]): ToolCall | undefined;
  /** `askedFor`: whether a rule wants a yes, what was found in the call, or what its session has read. */
  approve(call: ToolCall, askedFor: AskedFor): Promise<Consent>;
  /** `approved`: the hash of the action that somebody said yes to, where one had to. */
  send(call: ToolCall, approved: string | undefined): Promise<Sent>;
  /** Bytes of the answer without what must not be given out. */
  redactResult(redactions: readonly Redaction[]): number | undefined;
  /** Keeps what was stopped for reviewers. Undefined: it could not be kept, and is stopped all the same. */
  keep(phase: 'arguments' | 'result', call: ToolCall, v: Verdict): Promise<Kept | undefined>;
  /** Takes what was released, once. Of a result it is the answer from now on. */
  take(kept: Kept, call: ToolCall): Promise<{ bytes: number; error: boolean } | undefined>;
  close(call: ToolCall, outcome: Outcome, admission: Admission | undefined, looked: Looked): Promise<void>;
};

/** One call, top to bottom. Read it aloud: open, admit, inspect, approve, send, inspect, close. */
export async function callTool(call: ToolCall, the: Stages): Promise<Outcome> {
  await the.open(call); // durable before anything leaves; a crash from here on leaves an open row, which ends as lost
  const admission = the.admit(call);
  const looked: Looked = {};
  const outcome = await decideAndSend(call, admission, the, looked);
  await the.close(call, outcome, looked.admission ?? admission, looked); // durable before the answer is given: nobody holds an answer that is not in the log
  return outcome;
}

async function decideAndSend(call: ToolCall, admission: Admission, the: Stages, looked: Looked): Promise<Outcome> {
  if (admission.kind === 'denied') return admission;
  const known = the.kept(call);
  const earlier = known && (await known);
  if (earlier?.phase === 'result') return sameAgain(call, earlier, the, looked);

  const seen = the.inspect('arguments', call, call.args);
  // Nearly always at hand: nobody waits for what need not be waited for.
  const out = (looked.arguments = seen instanceof Promise ? await seen : seen);
  if (out.action === 'block') return blocked('arguments', out);
  let released: Kept | undefined;
  if (out.action === 'quarantine') {
    const kept = earlier?.state === 'released' ? earlier : await the.keep('arguments', call, out);
    looked.kept = kept;
    if (kept?.state !== 'released') return blocked('arguments', out, kept);
    released = kept;
  }
  let going = call;
  let { needsApproval, bySession = false } = admission;
  if (!released && out.redactions.length > 0) {
    const without = the.redactArguments(call, out.redactions);
    if (!without) return blocked('arguments', out);
    // INVARIANT (what was approved is what runs): rules and people judge the call as it goes on, not as it came.
    going = without;
    const anew = (looked.admission = the.admit(going));
    if (anew.kind === 'denied') return anew;
    bySession = anew.needsApproval ? (anew.bySession ?? false) : bySession;
    needsApproval ||= anew.needsApproval;
  }
  let approval: Id<'apr'> | undefined;
  let approved: string | undefined;
  if (needsApproval || out.action === 'require_approval') {
    const consent = await the.approve(going, !needsApproval ? 'content' : bySession ? 'session' : 'policy');
    if (consent.kind === 'waits') return { ...consent, kind: 'held' };
    if (consent.kind === 'denied') return consent;
    ({ approval, hash: approved } = consent);
  }
  // Taken last, so that a release is not used up by a call that then waits for somebody. It pays for one sending.
  if (released && !(await the.take(released, call))) return blocked('arguments', out, released);
  const sent = await the.send(going, approved);
  if (!sent.ok) return sent.ended;

  const came = the.inspect('result', going, sent.result);
  const back = (looked.result = came instanceof Promise ? await came : came);
  if (back.action === 'block') return blocked('result', back);
  if (back.action === 'quarantine') {
    looked.kept = await the.keep('result', call, back);
    return blocked('result', back, looked.kept);
  }
  let { bytes } = sent;
  if (back.redactions.length > 0) {
    const left = the.redactResult(back.redactions);
    if (left === undefined) return blocked('result', back);
    bytes = left;
  }
  return { kind: 'answered', approval, bytes, error: sent.error };
}

/** The result of exactly this call is kept, so it has run: it is given out once it is released, and does not run again meanwhile. */
async function sameAgain(call: ToolCall, kept: Kept, the: Stages, looked: Looked): Promise<Outcome> {
  looked.kept = kept;
  const given = kept.state === 'released' ? await the.take(kept, call) : undefined;
  if (given) return { kind: 'answered', approval: undefined, ...given };
  return { kind: 'blocked', where: 'result', findings: kept.findings, kept };
}

const blocked = (where: 'arguments' | 'result', v: Verdict, kept?: Kept): Blocked => ({
  kind: 'blocked',
  where,
  findings: v.findings,
  kept,
  reason: v.reason,
  reference: v.reference,
});
