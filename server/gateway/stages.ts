import type { Verdict } from '#dlp/judge.ts';
import { worstOf, type DlpAction } from '#dlp/verdict.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { decidedCall } from '#policy/decided-call.ts';
import { needsSession } from '#policy/decide.ts';
import type { Shadow } from '#policy/shadow.ts';
import { admit } from './admit.ts';
import type { Looked, Sent, Stages } from './call-tool.ts';
import type { Carrier } from './carrier.ts';
import { checkArguments } from './check-arguments.ts';
import type { CallWriter } from './call-writer.ts';
import type { Known } from './caller.ts';
import { contentStages } from './content-stages.ts';
import type { OrgView } from './org-view.ts';
import type { GatewayMetrics } from './metrics.ts';
import { seekApproval } from './seek-approval.ts';
import type { SessionBody } from './session-id.ts';
import { askedToolOf, type HasRead, type SessionOf, type SessionReads } from './session-reads.ts';
import type { Hold } from './take-hold.ts';
import type { Outcome, ToolCall } from './tool-call.ts';

/** What the stages of one call share: who calls, what was known of the org when it began, and the ways out. */
export type CallScene = {
  ctx: OrgCtx;
  who: Known;
  view: OrgView;
  writer: CallWriter;
  shadow: Shadow;
  hashArgs(args: unknown): string;
  carrier: Carrier;
  metrics: GatewayMetrics;
  /** What was found in messages that came before the answer. */
  early: readonly Verdict[];
  session: SessionBody | undefined;
  reads: SessionReads;
  /** What the client names its task by. */
  run: string | undefined;
  /** What the session has read before; looked up while the call is opened, where a policy asks about it. */
  hasRead: HasRead | undefined;
  /** Whether anything of an answer has gone to the client already. */
  begun(): boolean;
  /** Ends what is under way for this call. */
  signal: AbortSignal;
  /** The state of ours that the call brought. */
  hold: Hold | undefined;
  /** A request that the agent says is replaced by this call's. */
  replaces: Id<'apr'> | undefined;
  now(): Date;
  /** Who calls and what is known of the organization, as of now; undefined: he is let in no more. */
  renewed(): Promise<{ who: Known; view: OrgView } | undefined>;
  /** Waits a while for somebody to decide. */
  waitFor(approval: Id<'apr'>): Promise<void>;
  send(call: ToolCall, approved: string | undefined): Promise<Sent>;
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
      const opened = s.writer.open(
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
      // At the same time, so that nobody waits twice. What was read before this call came is durable, so it is seen.
      [s.hasRead] = await Promise.all([lookAtSession(s, call), opened]);
    },
    // A state that is not of this call is refused whatever the rules say now: whoever altered it meant something by it.
    admit: (call) =>
      s.hold?.kind === 'bad'
        ? { kind: 'denied', why: s.hold.why, says: s.hold.says, policies: [] }
        : checkArguments(admit(s, call), call),
    approve: (call, askedFor) => seekApproval(s, call, askedFor),
    ...contentStages(s),
    send: s.send,
    async close(call, outcome, admission, looked) {
      const facts = { ...factsOf(outcome), ...contentOf(outcome, looked, s.early) };
      for (const v of [looked.arguments, looked.result, ...s.early]) if (v) s.metrics.inspected(v.action);
      const decided = admission?.decided;
      const given =
        outcome.kind === 'answered' || ((outcome.kind === 'failed' || outcome.kind === 'blocked') && s.begun());
      const read = given ? s.reads.of(sessionOf(s), call, s.ctx.now) : undefined;
      const recorded = await s.writer.end(
        caller,
        {
          id: call.id,
          outcome: outcome.kind,
          why: facts.why,
          at: new Date(s.ctx.now.getTime() + (performance.now() - began)),
          decided: decided && decidedCall(decided.asked, decided.decision),
          reads: read?.rows,
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
      read?.durable();
      if (decided) s.shadow.see(caller, s.view.policies, decided.asked, decided.decision);
      // This node was thought dead and the call was closed for it. The log says lost, so nobody gets an answer that it does not know.
      if (!recorded)
        throw new Problem('unavailable', 'gateway/ended-as-lost', {
          says: 'this server was too slow to say that it is there, and the call was closed as lost; it may have had its effect',
          fix: 'check before calling again',
        });
    },
  };
}

const sessionOf = ({ who, run }: CallScene): SessionOf => ({
  member: who.caller.member,
  client: who.caller.client,
  run,
});

/** What the session has read, if the call cannot be decided without. Undefined also where it cannot be found out: then such a call is refused. */
export async function lookAtSession(s: CallScene, call: ToolCall): Promise<HasRead | undefined> {
  if (!needsSession(s.view.policies, askedToolOf(call))) return undefined;
  try {
    return await s.reads.find(s.ctx, sessionOf(s), s.view.policies.sessionHours);
  } catch (err) {
    s.ctx.log.error({ err, call: call.id }, 'what a session has read could not be looked up');
    return undefined;
  }
}

/** What the log may call it: names that a reviewer has seen, and methods. Never a client's own text, which could be anything. */
const nameOf = (call: ToolCall): string | null =>
  call.method === 'tools/call' ? (call.known?.name ?? null) : call.method;

function factsOf(o: Outcome): {
  why: string | null;
  approval: string | null;
  bytes: number | null;
  error: boolean;
} {
  const none = { why: null, approval: null, bytes: null, error: false };
  switch (o.kind) {
    case 'answered':
      return { ...none, approval: o.approval ?? null, bytes: o.bytes, error: o.error };
    case 'held':
      return { ...none, approval: o.approval.id };
    case 'denied':
      return { ...none, why: o.why };
    case 'blocked':
      return { ...none, why: o.where };
    case 'failed':
      return { ...none, why: o.why };
  }
}

/** What was found in the content, and what became of it. */
function contentOf(
  o: Outcome,
  looked: Looked,
  early: readonly Verdict[],
): {
  findings: { detector: string; at: string; count: number; hashes: string[] }[];
  content: { arguments: DlpAction | null; result: DlpAction | null };
  quarantine: string | null;
  unheard: string[];
} {
  const both = [looked.arguments, ...early, looked.result];
  const seen = both.flatMap((v) => v?.findings ?? []);
  // What was kept before tells what was found; what came before the answer is told by the one who stopped it.
  const findings = seen.length > 0 || o.kind !== 'blocked' ? seen : o.findings;
  return {
    findings: findings.slice(0, 100).map((f) => ({ ...f, hashes: [...f.hashes] })),
    content: {
      arguments: looked.arguments?.action ?? null,
      result:
        looked.result || early.length > 0
          ? worstOf([...early, ...(looked.result ? [looked.result] : [])].map((v) => v.action))
          : null,
    },
    quarantine: looked.kept?.id ?? null,
    unheard: [...new Set(both.flatMap((v) => v?.failed ?? []).map((f) => `${f.engine}: ${f.why}`))].slice(0, 20),
  };
}
