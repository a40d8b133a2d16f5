import * as client from 'openid-client';
import type { Egress } from '#kernel/egress.ts';
import { checkedUrl } from '#kernel/egress.ts';
import { MiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import type { Secret } from '#kernel/secret.ts';
import { asRefusal, refusal } from './sign-in-refusal.ts';
import { Discovery, redirectUri, safeDiscovery, type AuthMethod, type SsoConnection } from './sso-connection.ts';

/** Clocks of identity providers and ours differ; more than a minute is somebody's mistake. */
export const CLOCK_TOLERANCE_S = 60;
/** A discovery document or a key set of an honest identity provider has a few KiB. */
const MAX_METADATA_BYTES = 1 * MiB;
/** A person waits at the other end. */
const TIMEOUT_MS = 10_000;

const rules = (c: { allowPrivate: readonly string[] }) => ({
  allowPrivate: c.allowPrivate,
  maxBytes: MAX_METADATA_BYTES,
  timeoutMs: TIMEOUT_MS,
});

/** openid-client's requests, through our egress: its own switch for plain http may then be on, because egress decides that by host. */
const fetchOf =
  (egress: Egress, c: { allowPrivate: readonly string[] }): client.CustomFetch =>
  (url, { body, ...init }) =>
    egress.fetch(url, { ...init, ...(body === undefined ? {} : { body }) }, rules(c));

/** The Problem of our egress inside what a library made of it. */
function problemWithin(e: unknown): Problem | undefined {
  for (let x: unknown = e, depth = 0; x instanceof Error && depth < 6; x = x.cause, depth++)
    if (x instanceof Problem) return x;
  return undefined;
}

/** Asks an issuer for its discovery document and judges it. Never inside a transaction. */
export async function discover(
  egress: Egress,
  c: { issuer: string; clientId: string; allowPrivate: readonly string[] },
): Promise<Discovery> {
  const issuer = checkedUrl(c.issuer, { allowPrivate: c.allowPrivate });
  if (issuer.search || issuer.hash)
    throw new Problem('invalid', 'identity/issuer-form', {
      says: 'an issuer is an address without ? and #',
      fix: 'enter the issuer as the identity provider states it',
    });
  let metadata: unknown;
  try {
    const found = await client.discovery(issuer, c.clientId, undefined, client.None(), {
      [client.customFetch]: fetchOf(egress, c),
      execute: [client.allowInsecureRequests],
      timeout: TIMEOUT_MS / 1000,
    });
    metadata = found.serverMetadata();
  } catch (e) {
    const ours = problemWithin(e);
    throw new Problem('upstream', 'identity/discovery-failed', {
      says: `${c.issuer} has no usable discovery document: ${ours ? ours.says : e instanceof Error ? e.message : 'unknown'}`,
      fix:
        ours?.fix ??
        `open ${c.issuer.replace(/\/$/, '')}/.well-known/openid-configuration and compare its "issuer" with what you entered`,
      because: e,
    });
  }
  const parsed = Discovery.safeParse(metadata);
  if (!parsed.success)
    throw new Problem('upstream', 'identity/discovery-incomplete', {
      says: `the discovery document of ${c.issuer} lacks ${parsed.error.issues.map((i) => i.path.join('.')).join(', ')}`,
      fix: 'ask whoever runs the identity provider; OpenID Connect Discovery 1.0 §3 requires these',
    });
  const d = safeDiscovery(parsed.data, c.issuer);
  // The browser and our token requests go to these: the same rule as for the issuer.
  for (const url of [d.authorization_endpoint, d.token_endpoint, d.jwks_uri])
    checkedUrl(url, { allowPrivate: c.allowPrivate });
  return d;
}

/** Key sets by their address, as openid-client keeps them: five minutes, and asked for again early when a key is unknown, at most once a minute. */
const keySets = new Map<string, client.ExportedJWKSCache>();
const MAX_KEY_SETS = 1000;

function authOf(method: AuthMethod, secret: Secret | undefined): client.ClientAuth {
  if (method === 'none') return client.None();
  if (!secret) throw new Problem('bug', 'identity/no-secret', { says: 'the connection has lost its client secret' });
  return method === 'client_secret_post'
    ? client.ClientSecretPost(secret.reveal())
    : client.ClientSecretBasic(secret.reveal());
}

function configOf(egress: Egress, c: SsoConnection, secret: Secret | undefined): client.Configuration {
  const config = new client.Configuration(
    c.discovery,
    c.clientId,
    { [client.clockTolerance]: CLOCK_TOLERANCE_S },
    authOf(c.authMethod, secret),
  );
  config[client.customFetch] = fetchOf(egress, c);
  config.timeout = TIMEOUT_MS / 1000;
  client.allowInsecureRequests(config);
  // INVARIANT (signature checked): by default the library trusts TLS to the token endpoint and skips the signature (OIDC Core §3.1.3.7 allows it).
  // We do not, because TLS often ends at a proxy.
  client.enableNonRepudiationChecks(config);
  const keys = keySets.get(keysOf(c));
  if (keys) client.setJwksCache(config, keys);
  return config;
}

const keysOf = (c: SsoConnection): string => `${c.id} ${c.discovery.jwks_uri}`;

export type Outward = { state: string; nonce: string; verifier: string };

/** New secrets of one attempt. */
export const newOutward = (): Outward => ({
  state: client.randomState(),
  nonce: client.randomNonce(),
  verifier: client.randomPKCECodeVerifier(),
});

/** The address that the browser is sent to. */
export async function authorizationUrl(egress: Egress, c: SsoConnection, origin: string, o: Outward): Promise<URL> {
  const config = configOf(egress, { ...c, authMethod: 'none' }, undefined);
  return client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri(origin),
    response_type: 'code',
    scope: 'openid profile email',
    state: o.state,
    nonce: o.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(o.verifier),
    code_challenge_method: 'S256',
  });
}

/** What of a validated ID token we use: the key of the identity, and Entra's stable object id. Name and e-mail decide nothing. */
export type IdClaims = { issuer: string; subject: string; oid: string | undefined };

/** Pays the code in and validates the ID token; throws a SignInRefused that names the stage. */
export async function redeemCode(
  egress: Egress,
  c: SsoConnection,
  secret: Secret | undefined,
  answer: { origin: string; query: URLSearchParams; now: Date },
  o: Outward,
): Promise<IdClaims> {
  const config = configOf(egress, c, secret);
  const url = new URL(redirectUri(answer.origin));
  url.search = answer.query.toString();
  let claims: client.IDToken | undefined;
  try {
    const tokens = await client.authorizationCodeGrant(config, url, {
      pkceCodeVerifier: o.verifier,
      expectedState: o.state,
      expectedNonce: o.nonce,
      idTokenExpected: true,
    });
    claims = tokens.claims();
  } catch (e) {
    throw asRefusal(e, problemWithin(e));
  } finally {
    const keys = client.getJwksCache(config);
    if (keys) {
      if (keySets.size >= MAX_KEY_SETS) keySets.clear();
      keySets.set(keysOf(c), keys);
    }
  }
  if (!claims)
    throw refusal('claims', 'identity/no-id-token', { says: 'the identity provider answered without an ID token' });
  // The library asks for azp only when there are several audiences; a token made for another client is refused even with one.
  if (claims.azp !== undefined && claims.azp !== c.clientId)
    throw refusal('claims', 'identity/wrong-party', {
      says: 'the ID token was made for another application',
      found: `azp ${claims.azp}`,
      expected: `azp ${c.clientId}`,
    });
  if (claims.iat > answer.now.getTime() / 1000 + CLOCK_TOLERANCE_S)
    throw refusal('claims', 'identity/issued-in-future', {
      says: 'the ID token was issued in the future, as our clock sees it',
      fix: 'compare the clocks of the identity provider and of this server',
      found: `iat ${new Date(claims.iat * 1000).toISOString()}`,
      expected: `at most ${CLOCK_TOLERANCE_S} s after ${answer.now.toISOString()}`,
    });
  // OIDC Core §2: at most 255 ASCII characters.
  if (!/^[\u0020-\u007e]{1,255}$/.test(claims.sub))
    throw refusal('claims', 'identity/bad-subject', { says: 'the ID token has a subject that is empty or too long' });
  const { oid } = claims;
  return { issuer: claims.iss, subject: claims.sub, oid: typeof oid === 'string' && oid !== '' ? oid : undefined };
}
