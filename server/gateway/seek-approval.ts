import { ask } from '#approvals/ask.ts';
import { useGrant } from '#approvals/use-grant.ts';
import type { Consent } from './call-tool.ts';
import type { CallScene } from './stages.ts';
import type { ToolCall } from './tool-call.ts';

/** Uses somebody's yes to exactly this call, or asks for it. */
export async function seekApproval({ ctx, who }: CallScene, call: ToolCall): Promise<Consent> {
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
