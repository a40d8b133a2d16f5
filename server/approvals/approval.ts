import { actionHash } from '@gatehouse/contract/action-hash.ts';
import {
  requestStates,
  type Action,
  type GrantState,
  type RequestState,
  type Verdict,
} from '@gatehouse/contract/approval.ts';
import type { Id } from '#kernel/id.ts';
import type { Surface, ToolClass } from '#policy/schema.ts';

export { requestStates };
export type { Action, GrantState, RequestState, Verdict };

/** Who asks: an agent (`client`) that acts for a member by a consent of his, which is what a run is bound to. */
export type Asker = { member: Id<'mem'>; user: Id<'usr'>; client: string; consent: string | null };

/** Why somebody is asked: a rule wants a yes, inspection found something in what goes out, or of what the session has read before. */
export const askedFors = ['policy', 'content', 'session'] as const;
export type AskedFor = (typeof askedFors)[number];

/** From where the session had read when it asked: no content, only which tool brought what, and when last. */
export type Source = { connector: string; tool: string; untrusted: boolean; private: boolean; at: Date };

/** Who decided, when, from where, and whether he showed with a passkey that it was he (`fresh`). */
export type Decided = {
  decision: Id<'dec'>;
  by: Id<'usr'>;
  at: Date;
  surface: Surface;
  fresh: boolean;
  reason: string | null;
};

/** Who may end a request before anybody has decided: the person himself, his agent, or his leaving. */
export type Cancelled = 'asker' | 'agent' | 'asker_gone';
/** What came in its place: a newer request of the same agent, another definition of the tool, or a stricter policy. */
export type Superseded = 'newer' | 'definition' | 'policy';

export type Grant = {
  id: Id<'gra'>;
  state: GrantState;
  used: number;
  most: number;
  expires: Date;
  policyVersion: string;
  /** Undefined: it pays for the one action of its request. */
  run: readonly RunCondition[] | undefined;
  lastCall: string | null;
  lastUsed: Date | null;
  /** Why it was taken back, where it was. */
  why: Revoked | null;
};
export type Revoked = 'asker' | 'admin' | 'asker_gone' | 'policy';

/** What every further call of a run must be like, by what its tool's reviewer called its arguments: exactly this, or below this path. */
export type RunCondition = { fact: RunFact; is: 'equal' | 'under'; value: string };
export const runFacts = [
  'path',
  'folder',
  'repository',
  'channel',
  'recipient',
  'recipient_domain',
  'url_host',
] as const;
export type RunFact = (typeof runFacts)[number];

export type Approval = {
  id: Id<'apr'>;
  hash: string;
  action: Action;
  class: ToolClass;
  asker: Asker;
  /** From where and when the call was made. */
  surface: Surface;
  device: string;
  asked: Date;
  askedFor: AskedFor;
  /** Undefined: no rule asked about it. */
  hasRead?: readonly Source[] | undefined;
  /** What the agent says about it; not verified, and not in the hash. */
  says: string | null;
  /** Until when somebody may decide. */
  expires: Date;
} & (
  | { state: 'pending' }
  | { state: 'approved'; decided: Decided; grant: Grant }
  | { state: 'denied'; decided: Decided }
  /** Nobody decided in time. Never the same as a denial. */
  | { state: 'expired'; ended: Date }
  | { state: 'cancelled'; ended: Date; why: Cancelled; by: string | null }
  | { state: 'superseded'; ended: Date; why: Superseded; by: Id<'apr'> | null }
);

/** How long somebody may take to decide; the agent is told to call again, so it need not be short. */
export const REQUEST_MS = 60 * 60_000;
/** How long a yes is good: the situation that was judged is still the one there is. */
export const GRANT_MS = 10 * 60_000;
/** How long a no is repeated without asking a person again. */
export const DENIAL_MS = 10 * 60_000;

/** The hash that request, decision and grant are bound to; hex. */
export const hashOf = (action: Action): string => actionHash(action).toString('hex');

/** The state as of now: what is over by its time counts as expired before the job has written it down. */
export function asOf(a: Approval, now: Date): Approval {
  if (a.state === 'pending' && a.expires <= now) return { ...a, state: 'expired', ended: a.expires };
  if (a.state === 'approved' && a.grant.state === 'unused' && a.grant.expires <= now)
    return { ...a, grant: { ...a.grant, state: 'expired' } };
  return a;
}
