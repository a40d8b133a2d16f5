import type { Id } from '#kernel/id.ts';
import { Secret } from '#kernel/secret.ts';

/** A credential in the hand of the one who sends it. */
export type Unlocked = {
  token: Secret;
  scopes: readonly string[];
  /** What came with the token that the API needs: `instance_url`, `base_uri`. */
  facts: Readonly<Record<string, string>>;
};

/** For a system that asks for nobody: there is nothing to send. */
export const noCredential: Unlocked = { token: new Secret(''), scopes: [], facts: {} };

/** Which credential is wanted, and for what. */
export type Use = {
  connection: Id<'cnn'>;
  /** The caller's verified address, for an account of the organization that speaks for persons. */
  subject?: string | undefined;
  /** Less than the account has, for one call. */
  narrow?: Readonly<Record<string, unknown>> | undefined;
  /** The vendor refused this one (401); it is not given out again. */
  refused?: Secret | undefined;
};

/** The vault, as those see it who call vendors: it gives a token that is good now, renewing it where it must, or says why there is none. */
export interface Credentials {
  /**
   * Refuses with `vault/reconnect` (the person must consent again), `vault/app` (the registration or its secret has ended: an administrator
   * must act), `vault/later` (the vendor cannot be reached; with how long to wait), `vault/no-connection`.
   */
  unlock(org: { parent: Id<'par'>; org: Id<'org'> }, use: Use): Promise<Unlocked>;
}
