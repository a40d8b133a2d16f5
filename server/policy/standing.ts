import type { CataloguedTool } from './catalogue.ts';
import { reach, type Reach } from './compile.ts';
import { factsOf, type PolicySet } from './decide.ts';
import type { Asker } from './schema.ts';
import { CedarRecord, type Facts } from './value.ts';

/**
 * What a person has of a tool before anything is known of a call. `sometimes`: it depends on the arguments, the device, the time or the like.
 */
export const standings = ['denied', 'sometimes', 'asks', 'allowed'] as const;
export type Standing = (typeof standings)[number];

export type Held = {
  standing: Standing;
  /** The policies that it comes from, sorted; where it is `sometimes`, also those that wait for what is not known. */
  policies: readonly string[];
};

const nothingKnown = new CedarRecord(new Map());
const anyMoment = { surface: 'mcp', device: 'unknown', now: { weekday: 1, minute: 0 }, args: {} } as const;

/** A call of which only the tool and the caller are known. */
export function factsOfAny(
  set: PolicySet,
  who: Asker,
  tool: CataloguedTool,
  action: 'call' | 'call_unattended',
): Facts {
  return { ...factsOf(set.org, { ...who, tool, action, context: anyMoment }), context: nothingKnown };
}

/** What two answers about a call whose circumstances are not known come to. */
export function standingFrom(call: Reach, alone: Reach): Held {
  if (call.may === 'never') return { standing: 'denied', policies: call.policies };
  const policies = [...new Set([...call.policies, ...alone.policies])].sort();
  if (call.may === 'always' && alone.may !== 'some')
    return { standing: alone.may === 'always' ? 'allowed' : 'asks', policies };
  return { standing: 'sometimes', policies };
}

/** What this person has of this tool, whatever the circumstances of the call. */
export function standingOf(set: PolicySet, who: Asker, tool: CataloguedTool): Held {
  const ask = (action: 'call' | 'call_unattended'): Reach => reach(set.program, factsOfAny(set, who, tool, action));
  return standingFrom(ask('call'), ask('call_unattended'));
}
