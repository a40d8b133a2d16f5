import { createHash, timingSafeEqual } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import Provider, { errors, interactionPolicy, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import type { World } from '#kernel/ctx.ts';
import { hashedSecret, makeAdapter } from './adapter.ts';
import type { Units } from './adapter-transaction.ts';
import type { Documents } from './client-document.ts';
import { BRIDGE_CLIENT, JWT_BEARER, mayCallFrom, mayFetchClient, OUR_PROPERTY, tidyClient } from './client-metadata.ts';
import { devicePages, showPage } from './device-pages.ts';
import { ID_JAG_PROFILE, idJagGrant } from './id-jag-grant.ts';
import type { SigningKeys } from './keys.ts';
import { findMembership } from './membership.sql.ts';
import { refusalPage } from './refusal-page.ts';
import { ACCESS_TOKEN_SECONDS, canonicalResource, resourceServer, SCOPES } from './resource.ts';

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;

/** Lives in seconds. A consent's is the absolute limit: refreshing does not extend it. */
export const LIVES = {
  code: MINUTE,
  refreshToken: 30 * DAY,
  consent: 90 * DAY,
  interaction: 30 * MINUTE,
  deviceCode: 10 * MINUTE,
  pushedRequest: MINUTE,
} as const;

export type ProviderKit = {
  world: World;
  units: Units;
  keys: SigningKeys;
  documents: Documents;
  /** RFC 7591: anybody may register a client. */
  dcr: boolean;
};

/** Routes of the library; the well-knowns are at the root by themselves, because the issuer is the origin. */
const routes = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  jwks: '/oauth/jwks',
  registration: '/oauth/register',
  revocation: '/oauth/revoke',
  introspection: '/oauth/introspect',
  pushed_authorization_request: '/oauth/par',
  device_authorization: '/oauth/device/code',
  code_verification: '/oauth/device',
  end_session: '/oauth/session/end',
};

/** One stop on our own page, where sign-in and consent are one question. Our session says who somebody is; the library's never does. */
function oneStop(): interactionPolicy.DefaultPolicy {
  const { Check, Prompt, base } = interactionPolicy;
  const policy = base();
  const login = policy.get('login');
  login?.checks.remove('no_session');
  login?.checks.add(
    new Check('ours', 'sign-in and consent are on our page', (ctx) =>
      ctx.oidc.result?.login ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT,
    ),
    0,
  );
  policy.get('consent')?.checks.remove('native_client_prompt');
  // Clients that send these prompts would be refused if the library did not know them.
  for (const name of ['select_account', 'create']) policy.add(new Prompt({ name, requestable: true }));
  return policy;
}

/** Without a scope in the request the library would refuse it or issue a token without any: reading is what a silent client gets. */
function defaultScope(ctx: KoaContextWithOIDC): void {
  const { route, params } = ctx.oidc;
  if (route === 'authorization' || route === 'pushed_authorization_request' || route === 'device_authorization')
    if (params) params['scope'] ||= SCOPES[0];
}

function configuration(kit: ProviderKit): Configuration {
  const { world, units } = kit;
  const { origin, seal } = world;
  const tls = origin.startsWith('https:');
  const cookie = { httpOnly: true, sameSite: 'lax', secure: tls, signed: true, overwrite: true } as const;
  return {
    clients: [{ ...BRIDGE_CLIENT, grant_types: [...BRIDGE_CLIENT.grant_types], response_types: [], redirect_uris: [] }],
    adapter: makeAdapter({ units, now: () => world.now(), key: seal.derive('authorization items', 32) }),
    jwks: { keys: kit.keys.jwks },
    routes,
    cookies: {
      keys: [seal.derive('authorization cookies', 32).toString('base64url')],
      // The two of an interaction carry a path, which `__Host-` forbids.
      names: tls
        ? { session: '__Host-oauth', interaction: '__Secure-oauth-consent', resume: '__Secure-oauth-resume' }
        : { session: 'oauth', interaction: 'oauth-consent', resume: 'oauth-resume' },
      long: cookie,
      short: cookie,
    },
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    // Public clients with PKCE are the rule; whoever wants a secret must ask for it.
    clientDefaults: {
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      id_token_signed_response_alg: 'ES256',
    },
    enabledJWA: {
      idTokenSigningAlgValues: ['ES256'],
      clientAuthSigningAlgValues: ['ES256', 'EdDSA', 'RS256', 'PS256'],
      dPoPSigningAlgValues: ['ES256', 'EdDSA'],
    },
    extraClientMetadata: {
      properties: [OUR_PROPERTY],
      // The library gives its own schema object, whose properties are the metadata's.
      validator: (_ctx, _key, _value, metadata) => tidyClient(metadata),
    },
    // How clients learn that the grant above is for ID-JAGs (draft §7.2), and no other assertion.
    discovery: { authorization_grant_profiles_supported: [ID_JAG_PROFILE] },
    responseTypes: ['code'],
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    // Resource scopes do not belong here. No offline_access: clients would append it, and prompt=consent with it.
    scopes: ['openid'],
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    ttl: {
      // Functions, because a number here would silently beat accessTokenTTL.
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? ACCESS_TOKEN_SECONDS,
      IdToken: ACCESS_TOKEN_SECONDS,
      AuthorizationCode: LIVES.code,
      RefreshToken: LIVES.refreshToken,
      Grant: LIVES.consent,
      Interaction: LIVES.interaction,
      Session: LIVES.interaction,
      DeviceCode: LIVES.deviceCode,
      PushedAuthorizationRequest: LIVES.pushedRequest,
    },
    extraTokenClaims: (_ctx, token) => {
      const member = units.current()?.member;
      if (!member || !('grantId' in token)) throw new errors.InvalidGrant('no member stands behind this token');
      return { org: member.org, gid: token.grantId };
    },
    // Undefined refuses a refresh and burns nothing: who comes back may go on.
    findAccount: (_ctx, sub) =>
      units.using(async (unit) => {
        const member = await unit.read((db) => findMembership(db, sub));
        if (member?.state !== 'active') return undefined;
        unit.member = member;
        return { accountId: member.member, claims: () => ({ sub: member.member }) };
      }),
    loadExistingGrant: async (ctx) => {
      const id = ctx.oidc.result?.consent?.grantId;
      return id === undefined ? undefined : ctx.oidc.provider.Grant.find(id);
    },
    interactions: { policy: oneStop(), url: (_ctx, interaction) => `/consent/${interaction.uid}` },
    clientBasedCORS: (_ctx, from, client) =>
      client.clientAuthMethod === 'none' && mayCallFrom(from, client.redirectUris ?? []),
    fetch: (input, init) => kit.documents.fetch(input, init),
    renderError: (ctx, out) => showPage(ctx, refusalPage(out)),
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      // A client that acts for nobody has no member, no organization and no consent; policy could not say what it may do.
      clientCredentials: { enabled: false },
      introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      pushedAuthorizationRequests: { enabled: true },
      dPoP: { enabled: true, nonceSecret: seal.derive('authorization dpop-nonce', 32), requireNonce: () => false },
      deviceFlow: { enabled: true, mask: '****-****', ...devicePages },
      registration: kit.dcr
        ? { enabled: true, initialAccessToken: false, issueRegistrationAccessToken: false }
        : { enabled: false },
      clientIdMetadataDocument: {
        enabled: true,
        ack: 'draft-02',
        allowFetch: (_ctx, id) => mayFetchClient(id),
        allowClient: () => true,
        cacheDuration: { min: 60, max: 3600 },
      },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        defaultResource: (_ctx, _client, oneOf) => oneOf ?? `${origin}/mcp`,
        getResourceServerInfo: (ctx, uri) => {
          const audience = canonicalResource(origin, uri);
          if (audience === undefined) throw new errors.InvalidTarget();
          defaultScope(ctx);
          return resourceServer(audience);
        },
      },
    },
  };
}

/** The library, set up. It keeps nothing but caches: everything that matters is in PostgreSQL, so making another one is cheap. */
export function makeProvider(kit: ProviderKit): Provider {
  const provider = new Provider(kit.world.origin, configuration(kit));
  // Safe only because the handler overwrites the forwarding headers from the issuer (authorization-handler.ts).
  provider.proxy = true;
  Object.defineProperty(provider.Client.prototype, 'compareClientSecret', { value: secretMatches });
  provider.registerGrantType(JWT_BEARER, idJagGrant(kit), ['assertion', 'scope', 'resource']);
  provider.on('grant.revoked', (_ctx, grant) => {
    const unit = kit.units.current();
    if (unit) unit.revoked = grant;
  });
  const failed = (err: unknown): void => kit.world.log.error({ err }, 'the authorization server failed');
  provider.on('server_error', (_ctx, err) => failed(err));
  const koa: EventEmitter = provider;
  koa.on('error', failed);
  return provider;
}

/** Compares with what the adapter stored: the hash. */
function secretMatches(this: { clientSecret?: string }, actual: string): boolean {
  const digest = (s: string): Buffer => createHash('sha256').update(s).digest();
  return this.clientSecret !== undefined && timingSafeEqual(digest(this.clientSecret), digest(hashedSecret(actual)));
}
