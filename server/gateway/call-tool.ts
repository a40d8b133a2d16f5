import type { Approval } from '#approvals/approval.ts';
import type { Id } from '#kernel/id.ts';
import type { Finding, Verdict } from '#dlp/inspect.ts';
import type { Outcome, ToolCall } from './tool-call.ts';

export type Admission =
  | { kind: 'admitted'; needsApproval: boolean; policies: readonly string[] }
  | (Outcome & { kind: 'denied' });
export type Consent =
  | { kind: 'granted'; approval: Id<'apr'> }
  | { kind: 'waits'; approval: Approval }
  | (Outcome & { kind: 'denied' });
export type Sent =
  | { ok: true; result: unknown; bytes: number; error: boolean }
  | { ok: false; ended: Outcome & { kind: 'failed' | 'blocked' } };

/** What a call goes through. None knows of another; what they share is in the call and in whoever made them (stages.ts). */
export type Stages = {
  open(call: ToolCall): Promise<void>;
  admit(call: ToolCall): Admission;
  approve(call: ToolCall): Promise<Consent>;
  inspect(phase: 'to_tool' | 'to_user', value: unknown): Promise<Verdict> | Verdict;
  send(call: ToolCall): Promise<Sent>;
  close(call: ToolCall, outcome: Outcome, admission: Admission | undefined): Promise<void>;
};

/** One call, top to bottom. Read it aloud: open, admit, approve, inspect, send, inspect, close. */
export async function callTool(call: ToolCall, the: Stages): Promise<Outcome> {
  await the.open(call); // durable before anything leaves; a crash from here on leaves an open row, which ends as lost
  const admission = the.admit(call);
  const outcome = await decideAndSend(call, admission, the);
  await the.close(call, outcome, admission); // durable before the answer is given: nobody holds an answer that is not in the log
  return outcome;
}

async function decideAndSend(call: ToolCall, admission: Admission, the: Stages): Promise<Outcome> {
  if (admission.kind === 'denied') return admission;
  let approval: Id<'apr'> | undefined;
  if (admission.needsApproval) {
    const consent = await the.approve(call);
    if (consent.kind === 'waits') return { kind: 'held', approval: consent.approval };
    if (consent.kind === 'denied') return consent;
    approval = consent.approval;
  }
  const out = await the.inspect('to_tool', call.args);
  if (stops(out)) return { kind: 'blocked', where: 'to_tool', findings: out.findings };
  const sent = await the.send(call);
  if (!sent.ok) return sent.ended;
  const back = await the.inspect('to_user', sent.result);
  if (stops(back)) return { kind: 'blocked', where: 'to_user', findings: back.findings };
  return { kind: 'answered', approval, flagged: [...found(out), ...found(back)], bytes: sent.bytes, error: sent.error };
}

const stops = (v: Verdict): v is Verdict & { kind: 'blocked' | 'quarantined' } =>
  v.kind === 'blocked' || v.kind === 'quarantined';
const found = (v: Verdict): readonly Finding[] => (v.kind === 'flagged' ? v.findings : []);
