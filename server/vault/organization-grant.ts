import type { z } from 'zod';
import type { Secret } from '#kernel/secret.ts';
import type { RefusedBecause } from './oauth-facts.ts';
import type { Access, Account, ActAs, Settings } from './vendor-auth.ts';

/**
 * One kind of account that an organization has at a vendor: a service account's key, a certificate, an internal integration's token. What is
 * given is sealed whole; `shown` says which parts people may see again.
 */
export type OrganizationGrant = {
  /** snake_case, for ever: rows name it. */
  kind: string;
  /** What the vendor calls it. */
  name: string;
  /** What an administrator enters, each field with a description that says where the vendor shows it. Strict. */
  fields: z.ZodType<Fields>;
  /** Parts that are no secret: client id, key id, the address of the account. */
  shown(fields: Fields): Readonly<Record<string, string>>;
  /** As whom it can act. */
  actsAs: readonly Exclude<ActAs, 'none' | 'person'>[];
  /** When what was given ends, where it says so itself (a certificate). An administrator may enter a date where it does not. */
  ends?(fields: Fields): Date | undefined;
  /**
   * Gets a token, or hands out what was given where it is one. Called again when it ends; nothing is refreshed. Throws `GrantRefused` where the
   * vendor says no.
   */
  mint(m: Minting): Promise<Minted>;
  /** Whose account it is, where that takes no call. Default: the manifest's `whoami`. */
  account?(fields: Fields): Account;
};

/** What an administrator gave, opened. Never logged, never in an error. */
export type Fields = Readonly<Record<string, unknown>>;

export type Minting = {
  fields: Fields;
  settings: Settings;
  access: Access;
  /** Scopes of the connector's access level, as in OAuthFacts. */
  scopes: readonly string[];
  /** The caller's verified address, for `organization_as_person`; never from arguments. */
  subject: string | undefined;
  /** Less than the account has, for one call: repositories and permissions of a GitHub App. */
  narrow: Readonly<Record<string, unknown>> | undefined;
  /** The address of a role of the manifest (`login`), as this connector has it. */
  origin(role: string): string;
  /** Through egress, to the connector's origins only. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  now: Date;
};

export type Minted = {
  token: Secret;
  /** Seconds; undefined: it does not end by itself. */
  expiresIn?: number | undefined;
  scopes?: readonly string[] | undefined;
  facts?: Readonly<Record<string, string>> | undefined;
};

/** The vendor gives no token for what an administrator gave. `says` is for that administrator, in the vendor's terms and without anything secret. */
export class GrantRefused extends Error {
  readonly because: RefusedBecause;
  readonly says: string;
  constructor(because: RefusedBecause, says: string) {
    super(says);
    this.name = 'GrantRefused';
    this.because = because;
    this.says = says;
  }
}
