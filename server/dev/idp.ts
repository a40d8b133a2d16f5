// An identity provider with the people of `people.ts`: OpenID Connect, authorization code with PKCE, one client that the command line
// names, and with --agent a second one: an agent that may trade a person's ID token for an assertion (ID-JAG) that lets it act for that
// person at --audience, where it is called --agent-client. Whoever comes picks who they are; everything else is what a real provider does
// and refuses.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { errors as jose, exportJWK, jwtVerify, SignJWT } from 'jose';
import Provider, {
  errors,
  type Configuration,
  type KoaContextWithOIDC,
  type TokenEndpointGrantContext,
} from 'oidc-provider';
import { displayName, everybody, company, type Person } from './people.ts';
import { serveStandIn, standInArgs } from './stand-in-process.ts';

const args = standInArgs([
  'client-id',
  'client-secret',
  'redirect-uri',
  'agent',
  'agent-secret',
  'agent-client',
  'audience',
]);
const clientId = args['client-id'] ?? 'gatehouse';
const clientSecret = args['client-secret'] ?? randomBytes(24).toString('base64url');
// Several, as the form of a real provider takes them: separated by commas.
const redirectUris = (args['redirect-uri'] ?? 'http://127.0.0.1/callback').split(',');

const { agent, audience } = args;
const agentSecret = args['agent-secret'] ?? randomBytes(24).toString('base64url');
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';

const bySub = new Map<string, Person>(everybody.map((p) => [p.sub, p]));

/** What the provider says of a person, in the ID token as well as at userinfo. */
const claimsOf = (p: Person) => ({
  sub: p.sub,
  email: p.email,
  email_verified: true,
  name: displayName(p),
  given_name: p.given,
  family_name: p.family,
  department: p.department,
  groups: [...p.groups],
});

type Exchange = Partial<
  Record<'subject_token' | 'subject_token_type' | 'requested_token_type' | 'audience' | 'resource' | 'scope', string>
>;
type Key = ReturnType<typeof generateKeyPairSync>;

/** RFC 8693 as the ID-JAG draft §4.3 wants it: the agent shows the ID token that it got when its person signed in. */
const exchange =
  (issuer: string, { publicKey, privateKey }: Pick<Key, 'publicKey' | 'privateKey'>) =>
  async (ctx: TokenEndpointGrantContext<Exchange>): Promise<void> => {
    const { client, params } = ctx.oidc;
    if (params.requested_token_type !== ID_JAG || params.subject_token_type !== ID_TOKEN)
      throw new errors.InvalidRequest(`only ${ID_TOKEN} for ${ID_JAG}`);
    // An administrator names the server; that a client writes a slash behind an origin changes nothing.
    if (audience === undefined || params.audience?.replace(/\/$/, '') !== audience) throw new errors.InvalidTarget();
    const { payload } = await jwtVerify(params.subject_token ?? '', publicKey, {
      issuer,
      audience: client.clientId,
    }).catch((e: unknown) => {
      throw e instanceof jose.JOSEError ? new errors.InvalidGrant('not an ID token of this client') : e;
    });
    const idJag = await new SignJWT({
      client_id: args['agent-client'],
      ...(params.resource === undefined ? {} : { resource: params.resource }),
      ...(params.scope === undefined ? {} : { scope: params.scope }),
    })
      .setProtectedHeader({ alg: 'RS256', typ: 'oauth-id-jag+jwt', kid: 'northwind-1' })
      .setIssuer(issuer)
      .setSubject(payload.sub ?? '')
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('5m')
      .setJti(randomBytes(16).toString('hex'))
      .sign(privateKey);
    console.error(`id-jag ${payload.sub}`);
    ctx.set('cache-control', 'no-store');
    ctx.body = {
      issued_token_type: ID_JAG,
      access_token: idJag,
      token_type: 'N_A',
      expires_in: 300,
      scope: params.scope,
    };
  };

const page = (uid: string): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in to ${company.name}</title>
<style>body{font:1rem/1.5 system-ui;max-width:28rem;margin:4rem auto;padding:0 1rem}button{display:block;width:100%;margin:.5rem 0;padding:.75rem;text-align:left;font:inherit}</style>
<h1>${company.name}</h1>
<p>This stands for your company's identity provider. Who are you?</p>
<form method="post" action="/interaction/${uid}">
${everybody.map((p) => `<button name="sub" value="${p.sub}">${displayName(p)}, ${p.department}<br><small>${p.email}</small></button>`).join('\n')}
</form></html>`;

const body = async (stream: AsyncIterable<Buffer>): Promise<URLSearchParams> => {
  const chunks: Buffer[] = [];
  for await (const c of stream) chunks.push(c);
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
};

/** Consent was given by the company's administrator when the application was added, as at every provider for companies. */
const loadExistingGrant = async (ctx: KoaContextWithOIDC) => {
  const { session, client, provider } = ctx.oidc;
  if (!session?.accountId || !client) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid email profile groups offline_access');
  await grant.save();
  return grant;
};

await serveStandIn(
  args.port,
  async (url) => {
    const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const configuration: Configuration = {
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          client_name: 'Gatehouse',
          redirect_uris: redirectUris,
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
        },
        ...(agent === undefined
          ? []
          : [
              {
                client_id: agent,
                client_secret: agentSecret,
                client_name: 'Agent',
                redirect_uris: redirectUris,
                grant_types: ['authorization_code', TOKEN_EXCHANGE],
                response_types: ['code' as const],
              },
            ]),
      ],
      jwks: { keys: [{ ...(await exportJWK(keys.privateKey)), alg: 'RS256', use: 'sig', kid: 'northwind-1' }] },
      cookies: { keys: [randomBytes(32).toString('hex')] },
      pkce: { required: () => true },
      scopes: ['openid', 'email', 'profile', 'groups', 'offline_access'],
      claims: {
        openid: ['sub'],
        email: ['email', 'email_verified'],
        profile: ['name', 'given_name', 'family_name', 'department'],
        groups: ['groups'],
      },
      // Companies' providers put the claims into the ID token; the strict reading would leave them at userinfo.
      conformIdTokenClaims: false,
      findAccount: (_ctx, sub) => {
        const p = bySub.get(sub);
        return p && { accountId: sub, claims: () => claimsOf(p) };
      },
      loadExistingGrant,
      interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
      features: { devInteractions: { enabled: false }, userinfo: { enabled: true } },
      ttl: {
        AccessToken: () => 600,
        IdToken: () => 600,
        RefreshToken: () => 86_400,
        Session: () => 86_400,
        Grant: () => 86_400,
        Interaction: () => 600,
      },
      renderError: (ctx, out) => {
        ctx.type = 'text/plain';
        ctx.body = `${out.error}: ${out.error_description ?? ''}\n`;
      },
    };
    const provider = new Provider(url, configuration);
    if (agent !== undefined)
      provider.registerGrantType<Exchange>(TOKEN_EXCHANGE, exchange(url, keys), [
        'subject_token',
        'subject_token_type',
        'requested_token_type',
        'audience',
        'resource',
        'scope',
      ]);
    provider.use(async (ctx, next) => {
      const uid = /^\/interaction\/([\w-]+)$/.exec(ctx.path)?.[1];
      if (!uid) return next();
      if (ctx.method === 'GET') {
        await provider.interactionDetails(ctx.req, ctx.res);
        ctx.type = 'html';
        ctx.body = page(uid);
        return undefined;
      }
      const sub = (await body(ctx.req)).get('sub') ?? '';
      if (!bySub.has(sub)) {
        ctx.status = 403;
        ctx.body = 'nobody of that name works here\n';
        return undefined;
      }
      ctx.respond = false;
      console.error(`sign-in ${sub}`);
      return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: sub } });
    });
    const callback = provider.callback();
    return (req, res) => void callback(req, res);
  },
  (url) => ({ issuer: url, client_id: clientId, client_secret: clientSecret }),
);
