import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Aad } from '#kernel/seal.ts';
import type { Access } from '#vault/vendor-auth.ts';

/** A person on their way to a vendor. */
export type Consent = {
  id: Id<'cns'>;
  connector: Id<'con'>;
  member: Id<'mem'>;
  user: Id<'usr'>;
  session: Id<'ses'>;
  access: Access;
  /** What was asked for. */
  scopes: readonly string[];
  /** Who was asked, where its server says so itself: the answer must be from there. */
  issuer: string | undefined;
  expires: Date;
  answered: Date | undefined;
};

/** As long as somebody needs to sign in at a vendor with a second factor. */
export const CONSENT_MS = 10 * 60_000;

/** Where a person began, and comes back to. */
export const begunAt = ['connections', 'portal'] as const;
export type BegunAt = (typeof begunAt)[number];
/** Names of the keys (`Seal.derive`) that sign states: which of them did says where the answer leads, and nobody else can say so. */
export const stateKeys: Record<BegunAt, string> = {
  connections: 'connection consent',
  portal: 'connection consent of the portal',
};

export const verifierAad = (org: Id<'org'>, id: Id<'cns'>): Aad => ({
  table: 'connection_consent',
  scope: org,
  row: id,
  generation: 1,
});

/** One address for each connector, so that the answer of one vendor cannot be passed for another's. */
export const redirectUri = (origin: string, connector: Id<'con'>): string =>
  `${origin}/connections/callback/${connector}`;

/** What came back does not belong to what this person began: why. */
export function refuseReturn(
  c: Consent | undefined,
  by: { connector: Id<'con'>; user: Id<'usr'>; session: Id<'ses'>; now: Date },
): asserts c is Consent {
  // Another's is as if it were not there.
  if (!c || c.user !== by.user)
    throw returned('connectors/consent-unknown', 'this answer belongs to nothing that you began here');
  if (c.connector !== by.connector)
    throw returned('connectors/consent-other-connector', 'this answer came to the address of another connector');
  if (c.session !== by.session)
    throw returned(
      'connectors/consent-other-session',
      'you began this in another browser or before you signed in again',
    );
  if (c.answered) throw returned('connectors/consent-used', 'this answer was taken already');
  if (c.expires <= by.now) throw returned('connectors/consent-expired', 'this took longer than ten minutes');
}

export const returned = (code: string, says: string, because?: unknown): Problem =>
  new Problem('forbidden', code, { says, fix: 'begin again at /connections', because });

/** Scopes that ask for a refresh token or for who somebody is; vendors do not name them among what they granted. */
const unnamed = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access', 'refresh_token']);

/** `https://graph.microsoft.com/Files.Read` and `files.read` are one scope: vendors answer in either form. */
const form = (scope: string): string => scope.toLowerCase().replace(/^https:\/\/.*\//, '');

/** What was asked for and not granted, by name. */
export const missingScopes = (wanted: readonly string[], granted: readonly string[]): string[] => {
  const has = new Set(granted.map(form));
  return wanted.filter((s) => !unnamed.has(form(s)) && !has.has(form(s)));
};
