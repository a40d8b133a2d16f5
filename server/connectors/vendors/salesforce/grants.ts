import { X509Certificate } from 'node:crypto';
import { importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import { Secret } from '#kernel/secret.ts';
import { GrantRefused, type Minted, type Minting, type OrganizationGrant } from '#vault/organization-grant.ts';
import { classifySalesforce, explainSalesforce, factsOfSalesforce } from './oauth.ts';
import { DEFAULT_VERSION } from './salesforce-api.ts';
import { salesforceSettings } from './settings.ts';
import { quotedText } from './soql-tokens.ts';

const ConsumerKey = z
  .string()
  .min(10)
  .max(500)
  .describe('"Consumer Key" of the External Client App (Settings, OAuth Settings)');

const Jwt = z.strictObject({
  consumer_key: ConsumerKey,
  username: z.string().min(3).max(80).describe('Username of the integration user, like gatehouse@acme.example'),
  private_key: z
    .string()
    .startsWith('-----BEGIN PRIVATE KEY-----')
    .max(10_000)
    .describe('Private key in PEM (PKCS #8) whose certificate the app has'),
  certificate: z
    .string()
    .startsWith('-----BEGIN CERTIFICATE-----')
    .max(10_000)
    .optional()
    .describe('The certificate that the app has, in PEM; with it Gatehouse warns before it ends'),
  audience: z
    .enum(['my_domain', 'login', 'test'])
    .optional()
    .describe(
      'Whom the assertion is for: My Domain (default), or login.salesforce.com or test.salesforce.com for older connected apps',
    ),
});
const ClientCredentials = z.strictObject({
  consumer_key: ConsumerKey,
  consumer_secret: z.string().min(10).max(500).describe('"Consumer Secret" of the External Client App'),
});

/** Salesforce takes an assertion for 3 minutes. */
const ASSERTION_SECONDS = 180;
const MAX_SUBJECT = 254;

export const jwtBearer: OrganizationGrant = {
  kind: 'jwt_bearer',
  name: 'Integration user by certificate (JWT bearer)',
  fields: Jwt,
  shown(fields) {
    const f = Jwt.parse(fields);
    return { consumer_key: f.consumer_key, username: f.username };
  },
  actsAs: ['organization', 'organization_as_person'],
  ends(fields) {
    const { certificate } = Jwt.parse(fields);
    return certificate === undefined ? undefined : new Date(new X509Certificate(certificate).validTo);
  },
  async mint(m) {
    const f = Jwt.parse(m.fields);
    const own = await assert(m, f, f.username);
    // The person is found with the integration user's own permissions and speaks with the person's.
    return m.subject === undefined ? own : assert(m, f, await usernameOf(m, own.token, m.subject));
  },
};

export const clientCredentials: OrganizationGrant = {
  kind: 'client_credentials',
  name: 'Run-as user of an External Client App (client credentials)',
  fields: ClientCredentials,
  shown: (fields) => ({ consumer_key: ClientCredentials.parse(fields).consumer_key }),
  actsAs: ['organization'],
  mint(m) {
    const f = ClientCredentials.parse(m.fields);
    return askToken(m, {
      grant_type: 'client_credentials',
      client_id: f.consumer_key,
      client_secret: f.consumer_secret,
    });
  },
};

async function assert(m: Minting, f: z.infer<typeof Jwt>, username: string): Promise<Minted> {
  const key = await importPKCS8(f.private_key, 'RS256').catch(() => {
    throw new GrantRefused(
      'app',
      'the private key is not an RSA key in PKCS #8; convert it with: openssl pkcs8 -topk8 -nocrypt',
    );
  });
  const audience =
    f.audience === 'login' || f.audience === 'test'
      ? `https://${f.audience}.salesforce.com`
      : `https://${salesforceSettings(m.settings).my_domain}`;
  const assertion = await new SignJWT({})
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(f.consumer_key)
    .setSubject(username)
    .setAudience(audience)
    .setExpirationTime(Math.floor(m.now.getTime() / 1000) + ASSERTION_SECONDS)
    .sign(key);
  return askToken(m, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
}

async function askToken(m: Minting, form: Record<string, string>): Promise<Minted> {
  const answer = await m.fetch(`${m.origin('api')}/services/oauth2/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams(form).toString(),
  });
  const body = z.looseObject({}).safeParse(await answer.json().catch(() => undefined)).data ?? {};
  const token = z.looseObject({ access_token: z.string().min(1), scope: z.string().optional() }).safeParse(body).data;
  if (answer.ok && token) {
    // No `expires_in`: how long a session lasts is a setting of the organization, and a 401 is how one learns of its end.
    return { token: new Secret(token.access_token), scopes: token.scope?.split(' '), facts: factsOfSalesforce(body) };
  }
  const why = z.looseObject({ error: z.string(), error_description: z.string().optional() }).safeParse(body).data;
  const said = why ? `${why.error}: ${why.error_description ?? 'no reason given'}` : `status ${answer.status}`;
  throw new GrantRefused(
    classifySalesforce(answer.status, body) ?? (answer.status >= 500 || answer.status === 429 ? 'later' : 'app'),
    explainSalesforce(body) ?? `Salesforce gives no token (${said})`,
  );
}

/**
 * The username of the person with a verified address: by the federation id that single sign-on has set, else by the e-mail address. INVARIANT
 * (nobody is guessed): two who could be meant are none.
 */
async function usernameOf(m: Minting, token: Secret, subject: string): Promise<string> {
  if (subject.length > MAX_SUBJECT)
    throw new GrantRefused('reconnect', 'the address of the person is longer than any in Salesforce');
  const version = salesforceSettings(m.settings).api_version ?? DEFAULT_VERSION;
  for (const field of ['FederationIdentifier', 'Email']) {
    const soql = `SELECT Username FROM User WHERE ${field} = ${quotedText(subject)} AND IsActive = TRUE AND UserType = 'Standard' LIMIT 2`;
    const answer = await m.fetch(
      `${m.origin('api')}/services/data/${version}/query?${new URLSearchParams({ q: soql }).toString()}`,
      {
        method: 'GET',
        headers: { authorization: `Bearer ${token.reveal()}`, accept: 'application/json' },
      },
    );
    const found = z
      .looseObject({ records: z.array(z.looseObject({ Username: z.string() })) })
      .safeParse(await answer.json().catch(() => undefined));
    if (!answer.ok || !found.success)
      throw new GrantRefused(
        answer.status >= 500 || answer.status === 429 ? 'later' : 'app',
        `the integration user may not look up users (status ${answer.status}); give it the permission "View Setup and Configuration" and read access to FederationIdentifier`,
      );
    const [one, ...more] = found.data.records;
    if (more.length > 0)
      throw new GrantRefused(
        'reconnect',
        `several active Salesforce users have ${field} ${subject}; give the right one this address as its federation id`,
      );
    if (one) return one.Username;
  }
  throw new GrantRefused('reconnect', `no active Salesforce user has the federation id or e-mail address ${subject}`);
}
