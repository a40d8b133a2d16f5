import type { Id } from '#kernel/id.ts';
import type { Policies } from './cedar.ts';
import { and, at, entity } from './cedar-json.ts';
import { AFTER_READING } from './decide.ts';
import { principalOf, resourceOf } from './rule.ts';

/** What becomes of an outward action of a session that has read untrusted text and private content: somebody is asked, nobody may, or nothing. */
export const thens = ['ask', 'forbid', 'off'] as const;
export type AfterReading = {
  outward: (typeof thens)[number];
  /** For how long what a session has read counts. */
  hours: number;
};

/** A new organization's. Long enough for a working day, because a conversation with an agent is as long as that. */
export const askAfterReading: AfterReading = { outward: 'ask', hours: 8 };
export const MAX_SESSION_HOURS = 168;

/**
 * The control as Cedar: text that outsiders wrote can tell an agent to send what it has read, so whoever has read both is asked before anything
 * goes out. A forbid, so no rule lets it through; of `ask` only the question whether it may go unattended.
 */
export function policiesAfterReading(a: AfterReading, org: Id<'org'>): Policies {
  if (a.outward === 'off') return {};
  return {
    [AFTER_READING]: {
      effect: 'forbid',
      principal: principalOf({ kind: 'everyone' }, org),
      action:
        a.outward === 'ask'
          ? { op: '==', entity: entity('Action', 'call_unattended') }
          : { op: 'in', entities: [entity('Action', 'call'), entity('Action', 'call_unattended')] },
      resource: resourceOf('any', org),
      conditions: [
        { kind: 'when', body: at('resource', 'outward') },
        {
          kind: 'when',
          body: and(at('context', 'session', 'read_untrusted'), at('context', 'session', 'read_private')),
        },
      ],
      annotations: { id: AFTER_READING, name: wordsAfterReading(a) },
    },
  };
}

export function wordsAfterReading(a: AfterReading): string {
  const session = `who has read untrusted text and private content in the last ${a.hours === 1 ? 'hour' : `${a.hours} hours`}`;
  if (a.outward === 'off') return 'what a session has read does not matter';
  return a.outward === 'ask'
    ? `${session} may take outward actions only after somebody agrees`
    : `${session} may not take outward actions`;
}
