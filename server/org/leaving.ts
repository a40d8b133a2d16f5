import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';

/** What a member has that rooms above this one keep. Removing ends all of it but sessions, suspending ends sessions too. */
export type Held = { sessions: number; consents: number; connections: number; approvals: number };

/** Counts it; `doors.ts` puts it in. */
export type HeldOf = (db: Reader, who: { user: Id<'usr'>; member: Id<'mem'> }, now: Date) => Promise<Held>;

/** Why something would be refused, in the words of the refusal itself. */
export type Refusal = { code: string; says: string; fix: string | null };

/** Runs a check that throws, and gives what it would have said. */
export function refusalOf(check: () => void): Refusal | null {
  try {
    check();
    return null;
  } catch (e) {
    if (e instanceof Problem && e.kind !== 'bug') return { code: e.code, says: e.says, fix: e.fix ?? null };
    throw e;
  }
}
