import type { Action, Asker } from '#approvals/approval.ts';
import type { Asked } from '#approvals/ask.ts';
import { newId, type Id } from '#kernel/id.ts';

/** A call that an agent asks approval for, as tests make one: of a destructive tool with its own definition, unless they say otherwise. */
export function asking(
  asker: Asker,
  org: Id<'org'>,
  over: Partial<Pick<Action, 'connector' | 'tool' | 'args' | 'pin' | 'also'>> &
    Partial<Omit<Asked, 'action' | 'asker'>> = {},
): Asked {
  const {
    connector = newId('con'),
    tool = 'delete_deal',
    args = {},
    pin = 'a'.repeat(64),
    also = null,
    ...more
  } = over;
  const { member, user, client } = asker;
  return {
    asker,
    action: { v: 1, org, connector, tool, pin, args, also, executor: { member, user, client } },
    call: newId('tcl'),
    class: 'destructive',
    surface: 'mcp',
    device: 'unknown',
    askedFor: 'policy',
    ...more,
  };
}
