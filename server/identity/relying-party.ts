import * as client from 'openid-client';
import type { Egress } from '#kernel/egress.ts';
import { checkedUrl } from '#kernel/egress.ts';
import { MiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import { Secret } from '#kernel/secret.ts';
import type { SaidAtSignIn } from '#provisioning/sign-in.ts';
import type { ClientCredential } from './oidc/client-credential.ts';
import { refuseStaleProof, saidOf, textOf } from './oidc/read-claims.ts';
import { isGoogle, refuseOtherTenant } from './oidc/tenant.ts';
import { receivedOf } from './received-claims.ts';
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
  (url, { method, headers, redirect, signal, body }) =>
    egress.fetch(
      url,
      {
        method,
        headers,
        redirect,
        ...(signal === undefined ? {} : { signal }),
        ...(body === undefined ? {} : { body: body instanceof Uint8Array ? Uint8Array.from(body) : body }),
      },
      rules(c),
    );

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
  for (const url of [d.authorization_endpoint, d.token_endpoint, d.jwks_uri, d.pushed_authorization_request_endpoint])
    if (url !== undefined) checkedUrl(url, { allowPrivate: c.allowPrivate });
  return d;
}

/** Key sets by their address, as openid-client keeps them: five minutes, and asked for again early when a key is unknown, at most once a minute. */
const keySets = new Map<string, client.ExportedJWKSCache>();
const MAX_KEY_SETS = 1000;

/** Okta's name for the audience of a client assertion is the endpoint that is asked, not the issuer. */
const OKTA = /\.(okta|oktapreview|okta-emea|okta-gov)\.com$/;

function authOf(c: SsoConnection, secret: ClientCredential, endpoint: string): client.ClientAuth {
  const method: AuthMethod = c.authMethod;
  if (method === 'none') return client.None();
  if (method === 'private_key_jwt' && secret && 'kid' in secret)
    return client.PrivateKeyJwt(secret, {
      [client.modifyAssertion]: (_header, payload) => {
        if (OKTA.test(new URL(c.issuer).hostname)) payload['aud'] = endpoint;
      },
    });
  if (!(secret instanceof Secret))
    throw new Problem('bug', 'identity/no-secret', { says: 'the connection has lost its client secret' });
  return method === 'client_secret_post'
    ? client.ClientSecretPost(secret.reveal())
    : client.ClientSecretBasic(secret.reveal());
}

function configOf(
  egress: Egress,
  c: SsoConnection,
  secret: ClientCredential,
  endpoint: string = c.discovery.token_endpoint,
): client.Configuration {
  const config = new client.Configuration(
    c.discovery,
    c.clientId,
    { [client.clockTolerance]: CLOCK_TOLERANCE_S },
    authOf(c, secret, endpoint),
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

/** Whether requests of a connection are pushed. */
export const pushes = (c: Pick<SsoConnection, 'par' | 'discovery'>): boolean =>
  c.par !== 'never' && c.discovery.pushed_authorization_request_endpoint !== undefined;

/** An address to send the browser to. `said`: what became of pushing the request, for the trace. */
export type Outbound = { url: URL; said: string | undefined };

/**
 * The address that the browser is sent to. A pushed request (RFC 9126) goes from us to the provider, so nobody on the way sees or changes
 * it. INVARIANT (no silent step down): where the connection or the provider demands pushing, a refused push ends the sign-in.
 */
export async function authorizationUrl(
  egress: Egress,
  c: SsoConnection,
  origin: string,
  o: Outward,
  more: { credential: ClientCredential; maxAge: number | null; loginHint?: string | undefined },
): Promise<Outbound> {
  const [domain] = c.hostedDomains;
  const parameters = {
    redirect_uri: redirectUri(origin),
    response_type: 'code',
    scope: 'openid profile email',
    state: o.state,
    nonce: o.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(o.verifier),
    code_challenge_method: 'S256',
    ...(more.maxAge === null ? {} : { max_age: String(more.maxAge) }),
    // What the person typed; only a hint which account to offer.
    ...(more.loginHint === undefined ? {} : { login_hint: more.loginHint }),
    // Only a hint to Google which accounts to offer; what comes back is checked.
    ...(domain !== undefined && isGoogle(c.issuer) ? { hd: c.hostedDomains.length === 1 ? domain : '*' } : {}),
  };
  const plain = (said: string | undefined): Outbound => ({
    url: client.buildAuthorizationUrl(configOf(egress, { ...c, authMethod: 'none' }, undefined), parameters),
    said,
  });
  const endpoint = c.discovery.pushed_authorization_request_endpoint;
  if (c.par === 'always' && endpoint === undefined)
    throw new Problem('upstream', 'identity/no-par', {
      says: `${c.name} demands pushed requests, and the identity provider does not offer them any more`,
      fix: 'switch them on there, or let the connection go without (par: offered)',
    });
  if (!pushes(c) || endpoint === undefined) return plain(undefined);
  try {
    const config = configOf(egress, c, more.credential, endpoint);
    return { url: await client.buildAuthorizationUrlWithPAR(config, parameters), said: 'the request was pushed' };
  } catch (e) {
    const ours = problemWithin(e);
    const says = ours?.says ?? (e instanceof client.ResponseBodyError ? `${e.status} ${e.error}` : 'no proper answer');
    if (c.par === 'offered' && c.discovery.require_pushed_authorization_requests !== true)
      return plain(`the request could not be pushed (${says}) and went by the address`);
    throw new Problem('upstream', 'identity/par-failed', {
      says: `the identity provider did not take the pushed request: ${says}`,
      fix: ours?.fix ?? 'allow this client to push requests there, with the authentication that the connection uses',
      because: e,
    });
  }
}

/**
 * What of a validated ID token we use: the key of the identity, and Entra's stable object id. Name and e-mail never say who somebody is;
 * provisioning reads them, and the groups, to say whether and as what a person may come in.
 */
export type IdClaims = {
  issuer: string;
  subject: string;
  oid: string | undefined;
  /** What the provider calls its session, for back-channel logout. */
  sid?: string | undefined;
  said: Omit<SaidAtSignIn, 'connection'>;
  /** As the identity provider said it; for showing to whoever manages the connection. */
  received?: readonly { name: string; values: readonly string[] }[];
};

/** Pays the code in and validates the ID token; throws a SignInRefused that names the stage. */
export async function redeemCode(
  egress: Egress,
  c: SsoConnection,
  secret: ClientCredential,
  /** `proofSince`: the person must have proved who they are after this moment. */
  answer: { origin: string; query: URLSearchParams; now: Date; proofSince: Date | undefined },
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
  // `idTokenExpected` has the library refuse an answer without one, as identity/token-unreadable.
  if (!claims) throw new TypeError('an answer without an ID token was let through');
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
  refuseOtherTenant(c, claims);
  refuseStaleProof(claims, answer.proofSince);
  const { oid, sid } = claims;
  const otherId = typeof oid === 'string' && oid !== '' ? oid : undefined;
  return {
    issuer: claims.iss,
    subject: claims.sub,
    oid: otherId,
    sid: textOf(sid),
    said: saidOf(claims, otherId),
    received: receivedOf(claims),
  };
}
