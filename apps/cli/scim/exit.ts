import { Problem } from '@gatehouse/server/kernel/problem.ts';

/** Exit statuses of `gatehouse scim`. Scripts branch on them, so they stay. */
export const EXIT = { ok: 0, failed: 1, usage: 2, differs: 3 } as const;

/** A mistake in the command line. */
export const usage = (says: string, fix?: string): Problem => new Problem('invalid', 'scim/usage', { says, fix });

const codes: Readonly<Record<string, number>> = {
  'scim/usage': EXIT.usage,
  'scim/url': EXIT.usage,
  'scim/desired': EXIT.usage,
  'scim/not-a-plan': EXIT.usage,
  'scim/target-moved': EXIT.differs,
  'scim/plan-hash': EXIT.differs,
};

/** The status that a refusal ends the process with. */
export const exitOf = (p: Problem): number => codes[p.code] ?? EXIT.failed;
