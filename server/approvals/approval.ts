import { actionHash } from '@gatehouse/contract/action-hash.ts';
import type { Id } from '#kernel/id.ts';

/** The exact call that a person is asked about. INVARIANT (what was approved is what runs): everything that decides what happens is in here. */
export type Action = { connector: Id<'con'>; tool: string; args: unknown };

/** Who asks: an agent (`client`) that acts for a member. */
export type Asker = { member: Id<'mem'>; user: Id<'usr'>; client: string };

type Decided = { by: string; at: Date; reason: string | undefined };

export type Approval = {
  id: Id<'apr'>;
  hash: string;
  action: Action;
  asker: Asker;
  asked: Date;
  /** Of the request while it waits, of the grant once it is given. */
  expires: Date;
} & (
  | { state: 'pending' }
  | { state: 'granted'; decided: Decided }
  | { state: 'refused'; decided: Decided }
  | { state: 'used'; decided: Decided; used: { at: Date; call: string } }
  /** Nobody decided in time, or the grant was not used in time. Never the same as a refusal. */
  | { state: 'expired'; decided: Decided | undefined }
);
export type ApprovalState = Approval['state'];
export const approvalStates = ['pending', 'granted', 'refused', 'used', 'expired'] as const satisfies ApprovalState[];

/** How long somebody may take to decide; the agent is told to call again, so it need not be short. */
export const REQUEST_MS = 60 * 60_000;
/** How long a yes is good: the situation that was judged is still the one there is. */
export const GRANT_MS = 10 * 60_000;
/** How long a no is repeated without asking a person again. */
export const REFUSAL_MS = 10 * 60_000;

/** The hash that request, decision and grant are bound to; hex. */
export const hashOf = (action: Action): string => actionHash(action).toString('hex');

/** The state as of now: a row whose time is over counts as expired before the job has written it down. */
export function asOf(a: Approval, now: Date): Approval {
  if ((a.state !== 'pending' && a.state !== 'granted') || a.expires > now) return a;
  const { id, hash, action, asker, asked, expires } = a;
  return {
    id,
    hash,
    action,
    asker,
    asked,
    expires,
    state: 'expired',
    decided: a.state === 'granted' ? a.decided : undefined,
  };
}
