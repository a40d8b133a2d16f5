import type { ArgumentFacts } from '#policy/argument.ts';
import { readPath } from '#policy/argument-value.ts';
import { Problem } from '#kernel/problem.ts';
import type { Approval, RunCondition } from './approval.ts';
import type { ApprovalSettings } from './settings.ts';

/** A yes to further calls of the same run, as somebody wants to give it. */
export type RunWanted = { conditions: readonly RunCondition[]; most: number; minutes: number };

/**
 * Whether a call is one of those that a run's yes covers. INVARIANT (every combination): each combination of its arguments meets every
 * condition, so a list with one item elsewhere is elsewhere, and what is not there is met by nothing.
 */
export const fitsRun = (conditions: readonly RunCondition[], combinations: readonly ArgumentFacts[]): boolean =>
  conditions.length > 0 &&
  combinations.length > 0 &&
  combinations.every((facts) => conditions.every((c) => meets(c, facts[c.fact])));

const meets = (c: RunCondition, value: string | undefined): boolean =>
  value !== undefined && (c.is === 'equal' ? value === c.value : value === c.value || value.startsWith(below(c.value)));
const below = (path: string): string => (path.endsWith('/') ? path : `${path}/`);

/** Refuses a yes to a run that the organization does not want, or that would not even cover the call that it is the answer to. */
export function refuseRun(
  wanted: RunWanted,
  settings: ApprovalSettings,
  a: Approval,
  combinations: readonly ArgumentFacts[],
): void {
  const no = (says: string, fix: string): Problem => new Problem('conflict', 'approvals/no-run', { says, fix });
  if (!settings.runGrants)
    throw no(
      'this organization does not let one yes cover further calls',
      'approve this one call; an administrator can allow it',
    );
  if (a.class === 'destructive') throw no('a destructive tool is approved call by call', 'approve this one call');
  if (a.asker.consent === null)
    throw no('the agent has no sign-in of its own that the run could be bound to', 'approve this one call');
  if (wanted.most > settings.runMost || wanted.minutes > settings.runMinutes)
    throw no(
      `a run is at most ${settings.runMost} calls in ${settings.runMinutes} minutes here`,
      'choose less, or let an administrator allow more',
    );
  for (const c of wanted.conditions) {
    const path = c.fact === 'path' || c.fact === 'folder';
    if (c.is === 'under' && !path)
      throw no(`only a path or a folder has something under it, not a ${c.fact}`, 'say what it is equal to');
    const read = path ? readPath(c.value) : undefined;
    if (read && (!('path' in read) || read.path !== c.value))
      throw no(
        `"${c.value}" is not a path in the form that rules know`,
        'write it from the root, like /Reports, without a slash at the end',
      );
  }
  if (!fitsRun(wanted.conditions, combinations))
    throw no(
      'the call itself does not meet these conditions, or its tool’s reviewer has not said where such arguments stand',
      'take conditions from the arguments of the call',
    );
}
