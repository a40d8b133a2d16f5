import { createHash } from 'node:crypto';
import type { Id } from '#kernel/id.ts';
import type { MemberRole } from '#org/member.ts';
import type { Decision } from '#provisioning/decide.ts';
import type { Mode } from '#provisioning/mode.ts';
import { reasons, type ReasonCode } from '#provisioning/reason.ts';
import { idpSideCodes, type Enforcement } from './enforcement.ts';

const DAY_MS = 86_400_000;
/** A sign-in that is older proves nothing about today. */
export const PROOF_MS = 30 * DAY_MS;

export const verdicts = ['ok_proved', 'ok_predicted', 'at_risk', 'locked_out'] as const;
export type Verdict = (typeof verdicts)[number];

/** A connection that the enforcement takes, with what could stop it. */
export type WayIn = {
  id: Id<'sso'>;
  name: string;
  matchDirectory: boolean;
  /** SAML: when the last of its certificates ends, and what happens then. */
  certificatesEnd: Date | null;
  refusesExpired: boolean;
  /** The newest attempts of the last day, all of them, ended with this code of the identity provider's side. */
  failing: string | null;
};

/** What is known of how one person could sign in. */
export type PersonEvidence = {
  user: Id<'usr'>;
  /** Connections of any kind and state that the person has an identity at. */
  linked: readonly Id<'sso'>[];
  /** externalId of their live entry in a directory; how many live entries of the parent have it. */
  externalId: string | null;
  sameExternalId: number;
  hasEntry: boolean;
  /** Their address came with a sign-in that nobody here was matched to: as which subject. */
  seenAs: string | null;
  provedAt: Date | null;
  /** Through a connection that does not count, or without one. */
  otherwiseAt: Date | null;
  failedAt: Date | null;
  failedCode: string | null;
  failedTrace: Id<'sgn'> | null;
};

export type PersonFacts = PersonEvidence & {
  email: string;
  displayName: string;
  role: MemberRole;
  breakGlass: boolean;
  mode: Mode;
  decision: Decision;
  /** Seats are left, but not for everybody who has none yet. */
  seatsShort: boolean;
  /** The stage would take the person in. */
  touched: boolean;
};

/** Why a person is not simply fine; null: fine. Provisioning's reasons stand with `provisioning_` before them. */
export type Code =
  | 'break_glass'
  | 'no_connection'
  | 'certificate_expired'
  | 'other_connection'
  | 'no_identity'
  | 'no_external_id'
  | 'ambiguous_external_id'
  | 'not_matched'
  | 'groups_unknown'
  | 'seats_run_out'
  | 'failed_lately'
  | 'certificate_ends'
  | 'idp_failing'
  | `provisioning_${ReasonCode}`
  | 'provisioning_not_in';

export type Prediction = { verdict: Verdict; code: Code | null; says: string; repair: string };

/** Whether a connection can let anybody in now. */
const usable = (w: WayIn, now: Date): boolean =>
  !(w.refusesExpired && w.certificatesEnd !== null && w.certificatesEnd <= now);

/**
 * What would become of one member if single sign-on were enforced now. It asks what a real sign-in asks, in the same order: a way in, an
 * identity that is somebody here, provisioning's decide(). What only the identity provider knows is a risk, never a promise.
 */
export function predict(p: PersonFacts, ways: readonly WayIn[], now: Date): Prediction {
  const found = predictOrdinary(p, ways, now);
  if (!p.breakGlass || found.verdict === 'ok_proved' || found.verdict === 'ok_predicted') return found;
  return {
    verdict: 'ok_predicted',
    code: 'break_glass',
    says: `break-glass account: is never asked for single sign-on (which would fail: ${found.says})`,
    repair: 'nothing to do; prove every 90 days that it still gets in',
  };
}

function predictOrdinary(p: PersonFacts, ways: readonly WayIn[], now: Date): Prediction {
  const good = ways.filter((w) => usable(w, now));
  if (good.length === 0) return ways.length === 0 ? lockedOut.no_connection() : lockedOut.certificate_expired(ways);
  const linkedAt = good.filter((w) => p.linked.includes(w.id));
  const matchable = p.externalId !== null && p.sameExternalId === 1;
  const matchedAt = matchable ? good.filter((w) => w.matchDirectory && !p.linked.includes(w.id)) : [];
  const through = [...linkedAt, ...matchedAt];
  if (through.length === 0) {
    if (p.linked.length > 0) return lockedOut.other_connection(good);
    if (p.externalId !== null && p.sameExternalId > 1) return lockedOut.ambiguous_external_id(p.externalId);
    if (p.hasEntry && p.externalId === null) return lockedOut.no_external_id();
    return lockedOut.no_identity(good);
  }
  if (linkedAt.length === 0 && p.provedAt === null && p.seenAs !== null)
    return lockedOut.not_matched(p.seenAs, p.externalId ?? '');
  const { admit, reasons: why } = p.decision;
  if (!admit) {
    // Where sign-ins bring the groups, nobody knows them before the first one.
    if (p.mode === 'jit_advanced' && p.provedAt === null && why.includes('no_mapped_group'))
      return atRisk('groups_unknown', {
        says: 'groups decide in this organization and are known only once the person has signed in through the identity provider',
        repair: 'ask the person to sign in through it once before enforcement',
      });
    return lockedOut.provisioning(why);
  }
  if (p.seatsShort)
    return atRisk('seats_run_out', {
      says: 'the person has no seat yet, and fewer are left than people without one',
      repair: 'raise the limit of seats or free idle ones',
    });
  if (p.failedAt !== null && p.failedCode !== null && (p.provedAt === null || p.failedAt > p.provedAt))
    return atRisk('failed_lately', {
      says: `the last sign-in through the identity provider failed (${p.failedCode}, ${p.failedAt.toISOString().slice(0, 10)})`,
      repair: `open ${p.failedTrace ?? 'the trace'} with "explain" and follow its repair; then let the person sign in once`,
    });
  const [soonest] = through;
  if (
    soonest &&
    through.every((w) => w.certificatesEnd !== null && w.certificatesEnd.getTime() < now.getTime() + PROOF_MS)
  )
    return atRisk('certificate_ends', {
      says: `the certificate of ${soonest.name} ${soonest.certificatesEnd && soonest.certificatesEnd <= now ? 'ended' : 'ends'} on ${soonest.certificatesEnd?.toISOString().slice(0, 10) ?? '?'}`,
      repair: 'add the identity provider’s next certificate to the connection',
    });
  const [failing] = through;
  if (failing && through.every((w) => w.failing !== null))
    return atRisk('idp_failing', {
      says: `all sign-ins of the last day through ${failing.name} failed with ${failing.failing}`,
      repair: 'test the connection and repair what the test shows',
    });
  return p.provedAt !== null
    ? { verdict: 'ok_proved', code: null, says: `signed in so on ${p.provedAt.toISOString().slice(0, 10)}`, repair: '' }
    : {
        verdict: 'ok_predicted',
        code: null,
        says:
          linkedAt.length > 0
            ? 'has a linked identity, and has not used it for 30 days'
            : 'has not signed in so for 30 days; the directory’s externalId names them',
        repair: '',
      };
}

const out = (code: Code, says: string, repair: string): Prediction => ({ verdict: 'locked_out', code, says, repair });
const atRisk = (code: Code, w: { says: string; repair: string }): Prediction => ({ verdict: 'at_risk', code, ...w });
const names = (ways: readonly WayIn[]): string => ways.map((w) => w.name).join(' or ');

const lockedOut = {
  no_connection: () =>
    out('no_connection', 'no active connection counts', 'connect an identity provider, or switch one on again'),
  certificate_expired: (ways: readonly WayIn[]) =>
    out(
      'certificate_expired',
      `every certificate of ${names(ways)} has expired, and the connection refuses expired ones`,
      'add the identity provider’s present certificate to the connection',
    ),
  other_connection: (ways: readonly WayIn[]) =>
    out(
      'other_connection',
      'is linked only at a connection that would not count',
      `let the person link an identity at ${names(ways)} (on their door page), or let that connection count, too`,
    ),
  no_identity: (ways: readonly WayIn[]) =>
    out(
      'no_identity',
      'no identity is linked to the person, and no directory has sent them',
      `let the person sign in the present way and press "Link ${names(ways)}" on their door page, or assign them in the directory`,
    ),
  no_external_id: () =>
    out(
      'no_external_id',
      'the directory’s entry has no externalId, so a sign-in cannot be matched to it',
      'map externalId at the identity provider to what it sends as subject or object id, or let the person link their identity',
    ),
  ambiguous_external_id: (id: string) =>
    out(
      'ambiguous_external_id',
      `two or more directory entries have the externalId ${JSON.stringify(id)}`,
      'give each person their own externalId in the directory',
    ),
  not_matched: (seen: string, id: string) =>
    out(
      'not_matched',
      `the identity provider called the person ${JSON.stringify(seen)}, the directory ${JSON.stringify(id)}`,
      'map externalId at the identity provider to what it sends as subject or object id, or let the person link their identity',
    ),
  provisioning: (why: readonly ReasonCode[]) => {
    const [first] = why;
    return first
      ? out(`provisioning_${first}`, reasons[first], 'repair it under provisioning, or let the person leave')
      : out('provisioning_not_in', 'provisioning would not let the person in', 'ask provisioning why (explain)');
  },
};

export type Counts = Record<Verdict, number>;
export const countVerdicts = (all: readonly { verdict: Verdict }[]): Counts => {
  const counts: Counts = { ok_proved: 0, ok_predicted: 0, at_risk: 0, locked_out: 0 };
  for (const p of all) counts[p.verdict]++;
  return counts;
};

/**
 * What a change of enforcement is bound to: who would be how, and what is wanted. Without times, so that it stays the same while nothing
 * that matters changes.
 */
export function previewHash(
  org: Id<'org'>,
  wanted: Enforcement,
  people: readonly { user: Id<'usr'>; verdict: Verdict; code: Code | null; touched: boolean; role: MemberRole }[],
): string {
  const rows = people
    .map((p) => [p.user, p.role, p.verdict, p.code, p.touched])
    .toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  const { state, percent, groups, connections } = wanted;
  const text = JSON.stringify([org, state, percent, groups.toSorted(), connections.toSorted(), rows]);
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Whether the newest outcomes are one side's fault. */
export const failingCode = (outcomes: readonly string[]): string | null => {
  const [newest] = outcomes;
  return newest !== undefined && outcomes.every((o) => idpSideCodes.some((c) => c === o)) ? newest : null;
};
