import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { AttributeMap } from './attributes.ts';
import type { Certificate } from './certificate.ts';
import type { TrustedCertificate } from './verify-signature.ts';

export const bindings = ['redirect', 'post'] as const;
export type Binding = (typeof bindings)[number];

/** Where the identity provider takes logout messages; answers may go elsewhere (saml-metadata §2.2.2). */
export type LogoutAt = { url: string; responseUrl: string | undefined; binding: Binding };

/** What the identity provider says of itself, in metadata or through an administrator's hand. */
export type IdpFacts = {
  signInUrl: string;
  signInBinding: Binding;
  logout: LogoutAt | undefined;
};

/** What the connection's owner decides. Each default is the strict one. */
export type SamlSettings = {
  /** Our requests are signed. */
  signRequests: boolean;
  /** A response that nobody asked for signs in, too: anybody who can make a browser post one chooses who is signed in there. */
  idpInitiated: boolean;
  mustEncrypt: boolean;
  clockSkewSeconds: number;
  /** SHA-1 is taken until then. */
  sha1Until: Date | null;
  expiredCertificate: 'warn' | 'refuse';
  /** `emailAddress`, `persistent`, …; null: any that lasts. */
  nameIdFormat: string | null;
  groupsOverage: 'refuse' | 'keep';
  /** Domains that the identity provider may speak for beside the verified ones. */
  emailDomains: string[];
  attributeMap: AttributeMap;
};

export const strict: SamlSettings = {
  signRequests: true,
  idpInitiated: false,
  mustEncrypt: false,
  clockSkewSeconds: 60,
  sha1Until: null,
  expiredCertificate: 'warn',
  nameIdFormat: null,
  groupsOverage: 'refuse',
  emailDomains: [],
  attributeMap: {},
};

/** Where metadata is fetched from, and how that went last. */
export type MetadataSource = {
  url: string;
  /** The certificate (base64) that must have signed it; null: signed by a known key, or not signed and trusted as far as TLS is. */
  signedBy: string | null;
  checkedAt: Date | null;
  /** Code of what went wrong at the last refresh. */
  problem: string | null;
  validUntil: Date | null;
};

export type SamlConnection = IdpFacts &
  SamlSettings & {
    id: Id<'sso'>;
    /** Whose address and entity ID the identity provider uses. */
    org: Id<'org'>;
    name: string;
    /** Entity ID of the identity provider. */
    issuer: string;
    state: 'active' | 'disabled';
    matchDirectory: boolean;
    allowPrivate: string[];
    metadata: MetadataSource | null;
    createdAt: Date;
  };

/** A certificate of a connection, and where it came from. */
export type HeldCertificate = Certificate & { source: 'metadata' | 'hand'; addedAt: Date; warnedDays: number | null };

/** Our addresses and our name, per organization; to be entered at the identity provider exactly so. */
export const entityId = (origin: string, org: Id<'org'>): string => `${origin}/saml/${org}`;
export const acsUrl = (origin: string, org: Id<'org'>): string => `${origin}/saml/acs/${org}`;
export const logoutUrl = (origin: string, org: Id<'org'>): string => `${origin}/saml/slo/${org}`;
export const metadataUrl = (origin: string, org: Id<'org'>): string => `${origin}/saml/${org}/metadata`;

export const trusted = (c: Certificate): TrustedCertificate => ({
  fingerprint: c.fingerprint,
  certificate: c.der.toString('base64'),
  notBefore: c.notBefore.getTime(),
  notAfter: c.notAfter.getTime(),
});

/** SHA-1 is a way out for a while, and the while has an end. */
export const MAX_SHA1_DAYS = 90;
export const DAY_MS = 86_400_000;

export function refuseEndlessSha1(until: Date | null | undefined, now: Date): void {
  if (until && until.getTime() > now.getTime() + MAX_SHA1_DAYS * DAY_MS)
    throw new Problem('invalid', 'identity/saml-sha1-too-long', {
      says: `SHA-1 may be allowed for ${MAX_SHA1_DAYS} days at most; ${until.toISOString().slice(0, 10)} is later`,
      fix: 'set an earlier day, and switch the identity provider to SHA-256 until then',
    });
}

/** Days before the end of a certificate at which somebody is told. */
export const WARN_DAYS = [30, 14, 7, 1] as const;

/** The nearest of the warning days that has come, if it was not told yet. 0: it has ended. */
export function dueWarning(c: Pick<HeldCertificate, 'notAfter' | 'warnedDays'>, now: Date): number | undefined {
  const left = (c.notAfter.getTime() - now.getTime()) / DAY_MS;
  const due = left <= 0 ? 0 : WARN_DAYS.findLast((d) => left <= d);
  return due === undefined || (c.warnedDays !== null && c.warnedDays <= due) ? undefined : due;
}
