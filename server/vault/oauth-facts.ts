import type { Access, Settings } from './vendor-auth.ts';

/**
 * How a vendor speaks OAuth 2.0, as data. Addresses are templates over the manifest's origins and the connector's settings, e.g.
 * `{login}/oauth2/v2.0/token`.
 */
export type OAuthFacts = {
  authorize: string;
  token: string;
  /** Where and how a grant is ended at the vendor; absent: it cannot be, and people are told where to do it. */
  revoke?: { url: string; how: 'rfc7009' | RevokeByHand };
  /** What the vendor puts into `iss` of its answer (RFC 9207), where it does. */
  issuer?: string;
  /** `perhaps`: an answer that does not name it is taken; one that names another never is. */
  namesItself?: 'perhaps';
  /** What every request for a grant and for a token names (RFC 8707), byte for byte. */
  resource?: string;
  scopes: Readonly<Record<Access, readonly string[]>>;
  /** Scopes beside those, that a setting of the connector asks for (private channels). */
  moreScopes?(settings: Settings, access: Access): readonly string[];
  /** Default ' '. */
  scopeSeparator?: ',';
  /** Default 'scope'; Slack asks for a person's under another name. */
  scopeParameter?: 'user_scope';
  /** More parameters of the authorization request, e.g. `access_type=offline`. */
  authorizeParameters?: Readonly<Record<string, string>>;
  /** The vendor may grant less than was asked for; what is missing it says when it is needed. */
  partial?: true;
  /** `registered`: as the app says, which belongs to one issuer. */
  clientAuth: ClientAuthMethod | 'registered';
  /** What the vendor takes, where the app says which. */
  clientAuths?: readonly string[];
  /** Default: form. */
  tokenBody?: 'json';
  /** PKCE S256 is always sent, unless the vendor refuses requests that have it. */
  pkce?: false;
  /** Reads a token answer that is not as RFC 6749 §5.1 says. `undefined` members mean what they mean there. */
  readToken?(answer: Readonly<Record<string, unknown>>): TokenAnswer;
  /** What the API needs beside the token, from the token answer or a call after it: `instance_url`, `base_uri`. */
  factsOf?(answer: Readonly<Record<string, unknown>>): Readonly<Record<string, string>>;
  lifetimes: Lifetimes;
  /** What goes wrong at a refresh and how it must be understood, where it is not RFC 6749 §5.2. */
  classify?(status: number, answer: Readonly<Record<string, unknown>>): RefusedBecause | undefined;
  /**
   * What an error of the authorization or token endpoint means and who can mend it, in words for people; undefined: nothing more than the
   * vendor says. Never anything secret.
   */
  explain?(answer: Readonly<Record<string, unknown>>, settings: Settings): string | undefined;
};

export const clientAuthMethods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const;
export type ClientAuthMethod = (typeof clientAuthMethods)[number];

/** Ends a grant in the vendor's own way. */
export type RevokeByHand = (r: {
  url: string;
  token: string;
  refreshToken: string | undefined;
  clientId: string;
  clientSecret: string | undefined;
  settings: Settings;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
}) => Promise<void>;

export type TokenAnswer = {
  accessToken: string;
  refreshToken?: string | undefined;
  /** Seconds; undefined: the vendor does not say, and a 401 is how one learns of it. */
  expiresIn?: number | undefined;
  refreshExpiresIn?: number | undefined;
  /** Undefined: as asked for (RFC 6749 §5.1). */
  scopes?: readonly string[] | undefined;
};

/** All in seconds; absent: no such end. */
export type Lifetimes = {
  /** Where the answer has no `expires_in` and the vendor documents one. */
  access?: number;
  /** From the consent, or from the newest refresh token where it rotates. */
  refresh?: number;
  /** Without any use of the refresh token. */
  idle?: number;
  /** `single_use`: the old refresh token is dead at once; `replaced`: a new one comes and the old one goes on; `same`: it stays. */
  rotation: 'single_use' | 'replaced' | 'same';
};

/** `reconnect`: only the person can mend it. `app`: the registration at the vendor is wrong or its secret has ended, which hits everyone. `later`: try again. */
export type RefusedBecause = 'reconnect' | 'app' | 'later';
