import { project } from '#policy/argument.ts';
import { because } from '#policy/because.ts';
import { ask } from '#policy/decided-call.ts';
import { needsSession, type PolicySet } from '#policy/decide.ts';
import { nowIn } from '#policy/now.ts';
import { freshSession, type Moment } from '#policy/schema.ts';
import type { Admission } from './call-tool.ts';
import { needsScope } from './caller.ts';
import { askedToolOf } from './session-reads.ts';
import type { CallScene } from './stages.ts';
import { classOf, type Outcome, type ToolCall } from './tool-call.ts';

/** What rules are told about when and from where an agent calls. Nobody vouches for the device of an MCP client. */
export const momentOf = (policies: Pick<PolicySet, 'zone'>, at: Date): Moment => ({
  surface: 'mcp',
  device: 'unknown',
  now: nowIn(policies.zone, at),
});

/** May it run, and must somebody be asked first? Everything this looks at is what was known of the organization when the call began. */
export function admit({ ctx, who, view, hasRead }: CallScene, call: ToolCall): Admission {
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
  try {
    const projected = project(call.known?.projection ?? [], call.toolArgs);
    if (projected.kind === 'unreadable')
      return denied('unreadable_argument', `the argument at ${projected.at} ${projected.says}`);
    const tool = askedToolOf(call);
    // Unknown means no: rules that ask about the session are not asked without it.
    if (!hasRead && needsSession(view.policies, tool))
      return denied('cannot_decide', 'what this session has read could not be looked up');
    const session = hasRead && { readUntrusted: hasRead.readUntrusted, readPrivate: hasRead.readPrivate };
    const asked = {
      user: who.caller.user,
      groups: who.caller.groups,
      tool,
      context: { ...momentOf(view.policies, ctx.now), session },
      args: projected.combinations,
    };
    const decision = ask(view.policies, asked);
    const decided = { asked, decision };
    if (decision.outcome === 'denied')
      return { ...denied('policy', because(decision.telling, view.policies), decision.reasons), decided };
    const needsApproval = decision.outcome === 'asks';
    const fresh = { ...asked, context: { ...asked.context, session: freshSession } };
    const bySession = needsApproval && session !== undefined && ask(view.policies, fresh).outcome === 'allowed';
    return { kind: 'admitted', needsApproval, bySession, policies: decision.reasons, decided };
  } catch {
    // Unknown means no. What broke is the engine, and its own check says so in the log.
    return denied('cannot_decide', 'the policies could not be evaluated');
  }
}
