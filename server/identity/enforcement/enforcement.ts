import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { refusal, type SignInRefused } from '../sign-in-refusal.ts';
import type { OtherMethod } from '../sign-in-trace.ts';

/** From nothing to all: `report_only` refuses nobody and counts, `staged` refuses a part. */
export const enforcementStates = ['off', 'report_only', 'staged', 'full'] as const;
export type EnforcementState = (typeof enforcementStates)[number];

/** How far an organization insists on single sign-on. */
export type Enforcement = {
  state: EnforcementState;
  /** Of a staged one: so many of a hundred people, and everybody in one of these groups. */
  percent: number;
  groups: Id<'grp'>[];
  /** The only connections that count; empty: every active one of the parent. */
  connections: Id<'sso'>[];
};

export const noEnforcement: Enforcement = { state: 'off', percent: 0, groups: [], connections: [] };

/** How somebody proved who they are. */
export type Via = { kind: 'sso'; connection: Id<'sso'> } | { kind: OtherMethod };

/** What one organization asks of one of its members. */
export type Asked = {
  org: Id<'org'>;
  name: string;
  state: Exclude<EnforcementState, 'off'>;
  /** The stage takes this person in. */
  applies: boolean;
  breakGlass: boolean;
  connections: Id<'sso'>[];
};

/** Whether single sign-on, as the organization means it, was used. */
const satisfied = (a: Pick<Asked, 'connections'>, via: Via): boolean =>
  via.kind === 'sso' && (a.connections.length === 0 || a.connections.includes(via.connection));

export type Judgement =
  | { kind: 'ok'; wouldRefuse: readonly Asked[] }
  | { kind: 'refused'; by: Asked; wouldRefuse: readonly Asked[] };

/**
 * Whether a member may open a session this way. A session is the parent's, so one organization that insists is enough to refuse it.
 * INVARIANT (break-glass): a break-glass account is never refused here.
 */
export function judgeVia(asked: readonly Asked[], via: Via): Judgement {
  const against = asked.filter((a) => !a.breakGlass && !satisfied(a, via));
  const wouldRefuse = against.filter((a) => a.state === 'report_only');
  const by = against.find((a) => a.state !== 'report_only' && a.applies);
  return by ? { kind: 'refused', by, wouldRefuse } : { kind: 'ok', wouldRefuse };
}

const words = (by: Pick<Asked, 'name'>, via: Via) => ({
  says: `${by.name} lets its members in through its own identity provider only`,
  fix:
    via.kind === 'sso'
      ? 'go back to /sign-in and choose the way that your organization told you about'
      : 'sign in at /sign-in through your identity provider; if that does not work, ask an owner of your organization',
});

/** The refusal of a way that enforcement does not take: with a trace for single sign-on, a plain Problem for the others. */
export const notThisWay = (by: Asked, via: Via): SignInRefused | Problem =>
  via.kind === 'sso'
    ? refusal('enforcement', 'identity/sso-required', {
        ...words(by, via),
        found: `signed in through ${via.connection}; ${by.org} enforces (${by.state})`,
        expected: by.connections.length === 0 ? 'an active connection' : `one of ${by.connections.join(', ')}`,
      })
    : new Problem('forbidden', 'identity/sso-required', { ...words(by, via), more: { org: by.org } });

/** How strict a state is. */
export const rank = (state: EnforcementState): number => enforcementStates.indexOf(state);

/**
 * Whether `to` shuts out people whom `from` does not. Everything else may be done at any time by whoever manages sign-in, without a
 * simulation: undoing must never wait.
 */
export const tightens = (from: Enforcement, to: Enforcement): boolean =>
  rank(to.state) >= rank('staged') &&
  (rank(to.state) > rank(from.state) ||
    (from.state === 'staged' && (to.percent > from.percent || to.groups.some((g) => !from.groups.includes(g)))) ||
    (to.connections.length > 0 &&
      (from.connections.length === 0 || from.connections.some((c) => !to.connections.includes(c)))));

/** INVARIANT (report first): nobody is refused by an organization that has not counted first whom it would refuse. */
export function refuseLeap(from: Enforcement, to: Enforcement): void {
  if (from.state === 'off' && rank(to.state) > rank('report_only'))
    throw new Problem('conflict', 'identity/enforcement-report-first', {
      says: 'enforcement goes from off to report-only first, which refuses nobody and counts whom it would refuse',
      fix: 'set the state report_only, look at the count and the simulation, then go on',
    });
  if (to.state === 'staged' && to.percent === 0 && to.groups.length === 0)
    throw new Problem('invalid', 'identity/enforcement-empty-stage', {
      says: 'a staged enforcement for nobody enforces nothing',
      fix: 'name groups, or a percentage above 0',
    });
  if (to.state !== 'staged' && (to.percent !== 0 || to.groups.length > 0))
    throw new Problem('invalid', 'identity/enforcement-not-staged', {
      says: `percent and groups belong to the state staged; this is ${to.state}`,
      fix: 'leave them out, or set the state staged',
    });
}

/** Codes of refusals that are the identity provider's doing, or of what we have of it; never those that one person's browser can cause. */
export const idpSideCodes = [
  'identity/idp-unreachable',
  'identity/client-refused',
  'identity/saml-certificate-expired',
] as const;
/** So many refusals of those within the window, and at least this part of all attempts, bring enforcement back to report-only. */
export const RETURN_AFTER = { refusals: 3, share: 0.5, windowMs: 15 * 60_000 };

/** The code for which enforcement returns to report-only, or undefined. */
export function returnsBecause(outcomes: readonly { outcome: string; n: number }[]): string | undefined {
  const idp = outcomes.filter((o) => idpSideCodes.some((c) => c === o.outcome));
  const refused = idp.reduce((sum, o) => sum + o.n, 0);
  const all = outcomes.reduce((sum, o) => sum + o.n, 0);
  if (refused < RETURN_AFTER.refusals || refused < all * RETURN_AFTER.share) return undefined;
  return idp.toSorted((a, b) => b.n - a.n)[0]?.outcome;
}
