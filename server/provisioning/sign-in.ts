import type { Id } from '#kernel/id.ts';
import type { Decision, Situation } from './decide.ts';
import type { Mode } from './mode.ts';
import type { ReasonCode } from './reason.ts';

/** What an identity provider said of a person at a sign-in, beside who they are. Names and groups; believed as far as the connection is. */
export type SaidAtSignIn = {
  connection: Id<'sso'>;
  subject: string;
  /** Entra's object id, or another stable second name. */
  otherId: string | undefined;
  email: string | undefined;
  displayName: string | undefined;
  /** `too_many`: Entra left them out, because there were more than fit into a token. */
  groups: readonly string[] | 'too_many';
  department: string | undefined;
};

/** What one organization makes of a sign-in. */
export type Verdict = { org: Id<'org'>; orgName: string; mode: Mode; decision: Decision; wanted: readonly string[] };

/** Groups of one sign-in that are kept; Entra stops at 200 by itself. */
export const MAX_GROUPS_SAID = 500;
const MAX_VALUE = 256;

/** Attribute values of a sign-in as groups: each value once, none empty or endless. */
export function saidGroups(s: Pick<SaidAtSignIn, 'groups' | 'department'>): { attribute: string; value: string }[] {
  const fine = (v: string): boolean => v.length > 0 && v.length <= MAX_VALUE && !v.includes('\0');
  const groups = s.groups === 'too_many' ? [] : [...new Set(s.groups)].filter(fine).slice(0, MAX_GROUPS_SAID);
  return [
    ...groups.map((value) => ({ attribute: 'groups', value })),
    ...(s.department !== undefined && fine(s.department) ? [{ attribute: 'department', value: s.department }] : []),
  ];
}

/** Why nobody lets the person in: a refusal for the person, and what was found and wanted for whoever reads the trace. */
export type DoorWords = { code: string; says: string; fix: string; found: string; expected: string };

const askAdmin = 'ask whoever manages people in your organization; with the number below they see what happened';
const first: [ReasonCode[], Pick<DoorWords, 'code' | 'says'>][] = [
  [
    ['no_seat'],
    { code: 'provisioning/no-seat', says: 'you may come in, but every seat of your organization is taken' },
  ],
  [
    ['no_mapped_group'],
    {
      code: 'provisioning/no-mapped-group',
      says: 'your identity provider let you through, but none of your groups gives access here',
    },
  ],
  [
    ['removed_by_hand', 'removed_by_directory', 'removed_unmapped'],
    {
      code: 'provisioning/removed',
      says: 'you were removed from your organization here, and signing in does not undo that',
    },
  ],
  [
    ['no_address', 'other_domain'],
    {
      code: 'provisioning/address',
      says: 'your identity provider names you with an address for which no account is made here',
    },
  ],
  [
    ['unverified_domain'],
    {
      code: 'provisioning/domain-unverified',
      says: 'no new accounts are made here at present for addresses like yours',
    },
  ],
];

/**
 * Whether a sign-in may make an account for this address: the organization names its domain, and the parent has it verified (which the room
 * of domains knows). It is asked for new accounts alone: whoever has one goes on when a domain lapses.
 */
export function judgeAddress(
  email: string | undefined,
  named: readonly string[],
  verified: boolean,
): Situation['address'] {
  const domain = email?.split('@').at(-1)?.toLowerCase();
  if (domain === undefined) return 'missing';
  if (!named.includes(domain)) return 'other_domain';
  return verified ? 'allowed' : 'unverified_domain';
}

/** The most helpful refusal of several organizations; undefined where the room of identity has better words. */
export function doorWords(verdicts: readonly Verdict[], said: SaidAtSignIn): DoorWords | undefined {
  for (const [codes, words] of first) {
    const v = verdicts.find((x) => x.decision.reasons.some((r) => codes.includes(r)));
    if (!v) continue;
    const groups = said.groups === 'too_many' ? 'too many groups to be sent (overage)' : `groups ${shown(said.groups)}`;
    return {
      ...words,
      fix: askAdmin,
      found: `${v.orgName}, ${v.mode}: ${v.decision.reasons.join(' ')}; received ${groups}; address ${said.email ?? 'none'}`,
      expected: codes[0] === 'no_mapped_group' ? `one of the groups ${shown(v.wanted)}` : expectedFor(codes[0]),
    };
  }
  return undefined;
}

const shown = (names: readonly string[]): string =>
  names.length === 0
    ? '(none)'
    : names
        .slice(0, 10)
        .map((n) => JSON.stringify(n))
        .join(', ') + (names.length > 10 ? ` and ${names.length - 10} more` : '');

const expectedFor = (code: ReasonCode | undefined): string =>
  code === 'no_seat'
    ? 'a free seat: raise the limit, or free one (seats, idle seats)'
    : code === 'no_address'
      ? 'an address of one of the domains for which a sign-in may make accounts'
      : code === 'unverified_domain'
        ? 'a domain that is verified now (domains); accounts that exist go on without'
        : 'nobody who was removed; an administrator can let them in again (tombstones)';

/** One line of the trace per organization. */
export const tracedVerdicts = (verdicts: readonly Verdict[]): string =>
  verdicts
    .map(
      (v) =>
        `${v.orgName}: ${v.decision.admit ? `in as ${v.decision.role ?? '?'}` : 'not in'}${v.decision.reasons.length > 0 ? ` (${v.decision.reasons.join(' ')})` : ''}`,
    )
    .join('; ');
