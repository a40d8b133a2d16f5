import { ask } from '#approvals/ask.ts';
import { useGrant } from '#approvals/use-grant.ts';
import { inspect } from '#dlp/inspect.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { because } from '#policy/because.ts';
import { decide, type Decision } from '#policy/decide.ts';
import type { Admission, Consent, Sent, Stages } from './call-tool.ts';
import type { CallWriter } from './call-writer.ts';
import { needsScope, type Known } from './caller.ts';
import type { OrgView } from './org-view.ts';
import { classOf, type Outcome, type ToolCall } from './tool-call.ts';

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
    approve: (call) => approve(s, call),
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

function admit({ who, view }: CallScene, call: ToolCall): Admission {
  const denied = (
    why: (Outcome & { kind: 'denied' })['why'],
    says: string,
    policies: readonly string[] = [],
  ): Admission => ({
    kind: 'denied',
    why,
    says,
    policies,
  });
  if (call.method === 'tools/call') {
    const state = call.known?.state ?? 'removed';
    if (state === 'removed') return denied('unknown_tool', 'the connector has no such tool');
    if (state === 'quarantined') return denied('unreviewed', `${call.tool} was not reviewed yet`);
    if (state === 'changed') return denied('changed', `${call.tool} is no longer as it was reviewed`);
  }
  const cls = classOf(call);
  const scope = needsScope(cls);
  if (!who.token.scopes.includes(scope))
    return denied('scope', `the token lacks the scope ${scope}, which a ${cls} tool needs`);
  const request = {
    user: who.caller.user,
    groups: who.caller.groups,
    tool: { connector: call.connector, name: call.tool, class: cls },
    context: { surface: 'mcp' },
  } as const;
  let may: Decision;
  let unattended: Decision;
  try {
    may = decide(view.policies, { ...request, action: 'call' });
    if (!may.allowed) return denied('policy', because(may, view.policies), may.reasons);
    unattended = decide(view.policies, { ...request, action: 'call_unattended' });
  } catch {
    // Unknown means no. What broke is the engine, and its own check says so in the log.
    return denied('cannot_decide', 'the policies could not be evaluated');
  }
  return {
    kind: 'admitted',
    needsApproval: !unattended.allowed,
    policies: [...new Set([...may.reasons, ...unattended.reasons])],
  };
}

async function approve({ ctx, who }: CallScene, call: ToolCall): Promise<Consent> {
  const asker = { member: who.caller.member, user: who.caller.user, client: who.caller.client };
  const action = { connector: call.connector, tool: call.tool, args: call.args ?? null };
  const grant = await useGrant(ctx, asker, action, call.id);
  if (grant) return { kind: 'granted', approval: grant };
  const approval = await ask(ctx, asker, action, call.id);
  // Somebody said yes between the two looks.
  if (approval.state === 'granted') {
    const late = await useGrant(ctx, asker, action, call.id);
    if (late) return { kind: 'granted', approval: late };
  }
  if (approval.state === 'refused') {
    const reason = approval.decided.reason;
    return {
      kind: 'denied',
      why: 'refused',
      says: `a person refused exactly this call${reason === undefined ? '' : `, saying: ${JSON.stringify(reason)}`} (${approval.id})`,
      policies: [],
    };
  }
  return { kind: 'waits', approval };
}
