import { inspect } from '#dlp/inspect.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { admit } from './admit.ts';
import type { Sent, Stages } from './call-tool.ts';
import type { CallWriter } from './call-writer.ts';
import type { Known } from './caller.ts';
import type { OrgView } from './org-view.ts';
import { seekApproval } from './seek-approval.ts';
import type { Outcome, ToolCall } from './tool-call.ts';

/** What the stages of one call share: who calls, what was known of the org when it began, and the ways out. */
export type CallScene = {
  ctx: OrgCtx;
  who: Known;
  view: OrgView;
  writer: CallWriter;
  hashArgs(args: unknown): string;
  send(call: ToolCall): Promise<Sent>;
};

/** The stages of DESIGN §5 for one call. */
export function stagesOf(s: CallScene): Stages {
  const began = performance.now();
  const { caller } = s.who;
  const by = { actor: caller.actor, request: s.ctx.request };
  const asker = { member: caller.member, user: caller.user, client: caller.client };
  return {
    async open(call) {
      const name = nameOf(call);
      const argsHash = s.hashArgs(call.args);
      await s.writer.open(
        caller,
        { id: call.id, connector: call.connector, tool: name ?? '?', ...asker, argsHash, at: s.ctx.now },
        {
          call: call.id,
          connector: call.connector,
          tool: name,
          member: caller.member,
          argsHash,
          bytes: call.bytes,
        },
        by,
      );
    },
    admit: (call) => admit(s, call),
    approve: (call) => seekApproval(s, call),
    inspect: (phase, value) => inspect(s.view.dlp, phase, value),
    send: s.send,
    async close(call, outcome, admission) {
      const facts = factsOf(outcome);
      const recorded = await s.writer.end(
        caller,
        {
          id: call.id,
          outcome: outcome.kind,
          why: facts.why,
          at: new Date(s.ctx.now.getTime() + (performance.now() - began)),
        },
        {
          call: call.id,
          connector: call.connector,
          tool: nameOf(call),
          outcome: outcome.kind,
          ...facts,
          policies: (admission?.policies ?? []).slice(0, 100),
          policyVersion: s.view.policies.version,
          ms: Math.round(performance.now() - began),
        },
        by,
      );
      // This node was thought dead and the call was closed for it. The log says lost, so nobody gets an answer that it does not know.
      if (!recorded)
        throw new Problem('unavailable', 'gateway/ended-as-lost', {
          says: 'this server was too slow to say that it is there, and the call was closed as lost; it may have had its effect',
          fix: 'check before calling again',
        });
    },
  };
}

/** What the log may call it: names that a reviewer has seen, and methods. Never a client's own text, which could be anything. */
const nameOf = (call: ToolCall): string | null =>
  call.method === 'tools/call' ? (call.known?.name ?? null) : call.method;

function factsOf(o: Outcome): {
  why: string | null;
  approval: string | null;
  findings: { detector: string; at: string; count: number }[];
  bytes: number | null;
  error: boolean;
} {
  const none = { why: null, approval: null, findings: [], bytes: null, error: false };
  switch (o.kind) {
    case 'answered':
      return {
        ...none,
        approval: o.approval ?? null,
        findings: o.flagged.slice(0, 100),
        bytes: o.bytes,
        error: o.error,
      };
    case 'held':
      return { ...none, approval: o.approval.id };
    case 'denied':
      return { ...none, why: o.why };
    case 'blocked':
      return { ...none, why: o.where, findings: o.findings.slice(0, 100) };
    case 'failed':
      return { ...none, why: o.why };
  }
}
