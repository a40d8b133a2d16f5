import { project } from '#policy/argument.ts';
import { because } from '#policy/because.ts';
import { ask } from '#policy/decided-call.ts';
import type { PolicySet } from '#policy/decide.ts';
import { nowIn } from '#policy/now.ts';
import type { Moment } from '#policy/schema.ts';
import type { Admission } from './call-tool.ts';
import { needsScope } from './caller.ts';
import type { CallScene } from './stages.ts';
import { classOf, type Outcome, type ToolCall } from './tool-call.ts';

/** What rules are told about when and from where an agent calls. Nobody vouches for the device of an MCP client. */
export const momentOf = (policies: Pick<PolicySet, 'zone'>, at: Date): Moment => ({
  surface: 'mcp',
  device: 'unknown',
  now: nowIn(policies.zone, at),
});

/** May it run, and must somebody be asked first? Everything this looks at is what was known of the organization when the call began. */
export function admit({ ctx, who, view }: CallScene, call: ToolCall): Admission {
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
    const asked = {
      user: who.caller.user,
      groups: who.caller.groups,
      tool: { connector: call.connector, name: call.tool, class: cls },
      context: momentOf(view.policies, ctx.now),
      args: projected.combinations,
    };
    const decision = ask(view.policies, asked);
    const decided = { asked, decision };
    if (decision.outcome === 'denied')
      return { ...denied('policy', because(decision.telling, view.policies), decision.reasons), decided };
    return { kind: 'admitted', needsApproval: decision.outcome === 'asks', policies: decision.reasons, decided };
  } catch {
    // Unknown means no. What broke is the engine, and its own check says so in the log.
    return denied('cannot_decide', 'the policies could not be evaluated');
  }
}
