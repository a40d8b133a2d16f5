import type { Id } from '#kernel/id.ts';
import type { CataloguedTool } from './catalogue.ts';
import { classOf, reach, type Reach } from './compile.ts';
import { factsOf, type PolicySet } from './decide.ts';
import type { Asker } from './schema.ts';
import { CedarRecord, Uid, type Facts } from './value.ts';

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

function factsOfAny(set: PolicySet, who: Asker, tool: CataloguedTool, action: 'call' | 'call_unattended'): Facts {
  return { ...factsOf(set.org, { ...who, tool, action, context: anyMoment }), context: nothingKnown };
}

/** What this person has of this tool, whatever the circumstances of the call. */
export function standingOf(set: PolicySet, who: Asker, tool: CataloguedTool): Held {
  const ask = (action: 'call' | 'call_unattended'): Reach => reach(set.program, factsOfAny(set, who, tool, action));
  const call = ask('call');
  if (call.may === 'never') return { standing: 'denied', policies: call.policies };
  const alone = ask('call_unattended');
  const policies = [...new Set([...call.policies, ...alone.policies])].sort();
  if (call.may === 'always' && alone.may !== 'some')
    return { standing: alone.may === 'always' ? 'allowed' : 'asks', policies };
  return { standing: 'sometimes', policies };
}

/** Two people with the same text have the same standing at every tool of these, which are of one connector. */
export function peerKey(set: PolicySet, who: Asker, connector: Id<'con'>, tools: readonly CataloguedTool[]): string {
  const [any] = tools;
  if (!any) return '';
  const anchors = [
    new Uid('Org', set.org),
    new Uid('Connector', connector),
    ...tools.map((t) => new Uid('Tool', `${t.connector}/${t.name}`)),
  ].map((u) => u.key);
  return classOf(set.program, factsOfAny(set, who, any, 'call'), anchors);
}
