import { z } from 'zod';
import { Secret } from '#kernel/secret.ts';
import { addressOf } from '#vault/vendor-address.ts';
import { GrantRefused, type OrganizationGrant } from '#vault/organization-grant.ts';
import type { OAuthFacts } from '#vault/oauth-facts.ts';
import type { Presenting } from '../kit/present-credential.ts';

const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'a scope has no spaces');
const Scopes = z.array(scope).max(100);
/** Where a service wants its key. Only names that a header or a query can have. */
const KeyName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'the name of a header or of a query parameter');
const ClientAuth = z.enum(['client_secret_basic', 'client_secret_post']).default('client_secret_basic');

/** How a service knows who calls, as an administrator chose it from what the document says. The secret itself is given as an account. */
export const Auth = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('bearer') }),
  z.strictObject({ kind: z.literal('basic') }),
  z.strictObject({ kind: z.literal('api_key'), in: z.enum(['header', 'query']), name: KeyName }),
  z.strictObject({ kind: z.literal('client_credentials'), scopes: Scopes.default([]), clientAuth: ClientAuth }),
  /** Each person's own consent. */
  z.strictObject({
    kind: z.literal('oauth2'),
    scopes: z
      .strictObject({ read_only: Scopes.default([]), read_write: Scopes.default([]) })
      .default({ read_only: [], read_write: [] }),
    clientAuth: ClientAuth,
  }),
]);
export type Auth = z.infer<typeof Auth>;

/** Headers that are the request's own: a key in one of them would make another request of it. */
const ownHeaders =
  /^(host|cookie|content-.*|connection|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-.*|accept.*)$/i;
export const fitsHeader = (a: Auth): boolean => a.kind !== 'api_key' || a.in !== 'header' || !ownHeaders.test(a.name);

/** How the credential is put into a request. */
export function presentingOf(a: Auth): Presenting {
  switch (a.kind) {
    case 'none':
      return { as: 'nothing' };
    case 'basic':
      return { as: 'header', name: 'authorization', before: 'Basic ' };
    case 'api_key':
      return { as: a.in, name: a.name, before: '' };
    case 'bearer':
    case 'client_credentials':
    case 'oauth2':
      return { as: 'header', name: 'authorization', before: 'Bearer ' };
  }
}

/** How persons consent; the addresses are the connector's, `authorize` and `token`. */
export const oauthOf = (a: Auth): OAuthFacts | undefined =>
  a.kind !== 'oauth2'
    ? undefined
    : {
        authorize: '{authorize}',
        token: '{token}',
        scopes: a.scopes,
        clientAuth: a.clientAuth,
        // Nobody says what the service does with an old one; `replaced` is right for those that keep it, too.
        lifetimes: { rotation: 'replaced' },
      };

const secret = (says: string) =>
  z
    .string()
    .min(1)
    .max(8000)
    .regex(/^[\x20-\x7e]+$/, 'printable ASCII')
    .describe(says);
const KeyFields = z.strictObject({ key: secret('The key, as the service issued it') });
const TokenFields = z.strictObject({ token: secret('The bearer token, as the service issued it') });
const BasicFields = z.strictObject({
  username: z
    .string()
    .min(1)
    .max(500)
    .regex(/^[^:\u0000-\u001f]+$/, 'without a colon')
    .describe('The user name at the service'),
  password: z.string().min(1).max(2000).describe('Its password'),
});
const ClientFields = z.strictObject({
  client_id: z.string().min(1).max(500).describe('The client id that the service issued'),
  client_secret: secret('Its secret'),
});

/** What the organization gives the service. */
export function grantsOf(a: Auth): OrganizationGrant[] {
  const actsAs = ['organization'] as const;
  switch (a.kind) {
    case 'bearer':
      return [
        {
          kind: 'bearer',
          name: 'Bearer token',
          fields: TokenFields,
          shown: () => ({}),
          actsAs,
          mint: (m) => Promise.resolve({ token: new Secret(TokenFields.parse(m.fields).token) }),
        },
      ];
    case 'api_key':
      return [
        {
          kind: 'api_key',
          name: 'API key',
          fields: KeyFields,
          shown: () => ({}),
          actsAs,
          mint: (m) => Promise.resolve({ token: new Secret(KeyFields.parse(m.fields).key) }),
        },
      ];
    case 'basic':
      return [
        {
          kind: 'basic',
          name: 'User name and password',
          fields: BasicFields,
          shown: (f) => ({ username: String(f['username']) }),
          actsAs,
          mint(m) {
            const { username, password } = BasicFields.parse(m.fields);
            // RFC 7617 §2.
            return Promise.resolve({ token: new Secret(Buffer.from(`${username}:${password}`).toString('base64')) });
          },
        },
      ];
    case 'client_credentials':
      return [clientCredentials(a)];
    case 'none':
    case 'oauth2':
      return [];
  }
}

const TokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().optional() });

/** RFC 6749 §4.4. */
const clientCredentials = (a: Auth & { kind: 'client_credentials' }): OrganizationGrant => ({
  kind: 'client_credentials',
  name: 'OAuth client of the organization',
  fields: ClientFields,
  shown: (f) => ({ client_id: String(f['client_id']) }),
  actsAs: ['organization'],
  async mint(m) {
    const { client_id, client_secret } = ClientFields.parse(m.fields);
    const basic = a.clientAuth === 'client_secret_basic';
    const pair = `${encodeURIComponent(client_id)}:${encodeURIComponent(client_secret)}`;
    const answer = await m.fetch(addressOf('{token}', { token: m.origin('token') }, m.settings), {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        ...(basic ? { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } : {}),
      },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        ...(a.scopes.length > 0 ? { scope: a.scopes.join(' ') } : {}),
        ...(basic ? {} : { client_id, client_secret }),
      }).toString(),
    });
    if (answer.status >= 500 || answer.status === 429)
      throw new GrantRefused('later', `its token endpoint answers with status ${answer.status}`);
    const read = TokenAnswer.safeParse(await answer.json().catch(() => undefined));
    if (!answer.ok || !read.success)
      throw new GrantRefused('app', `its token endpoint answers with status ${answer.status} and no token`);
    return { token: new Secret(read.data.access_token), expiresIn: read.data.expires_in };
  },
});
