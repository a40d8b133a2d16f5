import { because } from '#policy/because.ts';
import { decide, type Decision } from '#policy/decide.ts';
import type { Admission } from './call-tool.ts';
import { needsScope } from './caller.ts';
import type { CallScene } from './stages.ts';
import { classOf, type Outcome, type ToolCall } from './tool-call.ts';

/** May it run, and must somebody be asked first? Everything this looks at is what was known of the organization when the call began. */
export function admit({ who, view }: CallScene, call: ToolCall): Admission {
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
