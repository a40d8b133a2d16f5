import type { OAuthFacts } from './oauth-facts.ts';
import type { OrganizationGrant } from './organization-grant.ts';

/** How much a connection may do. The scopes that are asked for and the tools that are offered follow from it. */
export const accesses = ['read_only', 'read_write'] as const;
export type Access = (typeof accesses)[number];

/**
 * As whom calls act at the vendor. Chosen by an administrator for each connector, never guessed: `person` is the caller's own consent,
 * `organization` is the organization's account for everyone, `organization_as_person` is that account speaking for the caller, whose verified
 * address is the subject. `none`: the server asks for nobody, or for the connector's own bearer.
 */
export const actsAs = ['none', 'person', 'organization', 'organization_as_person'] as const;
export type ActAs = (typeof actsAs)[number];

/** What the vault must know of a kind of system to get, renew and end credentials for it. */
export type VendorAuth = {
  /** Kebab-case, for ever: rows name it. */
  type: string;
  /**
   * Where the vendor is, by role (`api`, `login`, …), without a trailing slash; `{setting}` stands for a setting. A connector may replace some
   * of them (a server of one's own, a national cloud). INVARIANT: a credential goes to these origins only.
   */
  origins: Readonly<Record<string, string>>;
  /** How a person consents; absent where the vendor has no consent of persons. */
  oauth?: OAuthFacts;
  /** The kinds of account that an organization can give it. */
  organization: readonly OrganizationGrant[];
  /** Whose credentials these are, where the system itself names who gives them: what another gave, or for another resource, is sent to neither. */
  boundTo?: { issuer: string; resource: string };
};

/** What an administrator said about a connector that is no secret; of the form that the vendor's manifest asks for. */
export type Settings = Readonly<Record<string, unknown>>;

/** Whose account a credential is, as the vendor says. */
export type Account = {
  /** Never changes; e-mail addresses do. */
  subject: string;
  /** For people to read: an address or a name. */
  label: string;
  email?: string;
  /** The vendor's name for the organization: `hd`, `tid`, workspace, instance. */
  tenant?: string;
};

/** A member, by what Gatehouse knows itself. Never from arguments. */
export type Person = { email: string; name: string };
