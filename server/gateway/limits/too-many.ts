import { Problem } from '#kernel/problem.ts';
import type { Limited } from './call-limits.ts';
import type { Reached } from './fair-use.ts';

/** A call that comes too early: which limit, found, expected, and when to come again. */
export function tooMany(r: Reached, at: { connector: string; tool: string }): Problem {
  const whose: Record<Limited, string> = {
    person: 'you have',
    personHere: `you have, at the connector ${at.connector},`,
    connector: `the connector ${at.connector} has`,
    tool: `the tool ${JSON.stringify(at.tool.slice(0, 100))} of the connector ${at.connector} has`,
  };
  const { measure, found, most, retryAfterSeconds, limited } = r;
  return new Problem('too_many', 'gateway/too-many', {
    says:
      measure === 'atOnce'
        ? `${whose[limited]} ${found} calls under way, and at most ${most} may be at once`
        : `${whose[limited]} begun ${found} calls within a minute, and at most ${most} may be`,
    fix: `try again in ${retryAfterSeconds} ${retryAfterSeconds === 1 ? 'second' : 'seconds'}; an administrator can set the limit`,
    more: { limit: `${limited}.${measure}`, found, expected: most, retryAfterSeconds },
  });
}
