import { createPrivateKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { parseJsonText } from '#kernel/json.ts';
import { Secret } from '#kernel/secret.ts';
import type { RefusedBecause } from '#vault/oauth-facts.ts';
import {
  GrantRefused,
  type Fields,
  type Minted,
  type Minting,
  type OrganizationGrant,
} from '#vault/organization-grant.ts';
import { docusignSettings, Guid } from './settings.ts';

const scopes = ['signature', 'impersonation'];

const Given = z.strictObject({
  integration_key: Guid.describe('Integration key of the app, on its page under "Apps and Keys"'),
  user_id: Guid.describe(
    '"User ID" (a GUID) of the Docusign user as whom the organization acts: a user made for this, who may see and send what agents may. For connectors that act as each person, this user looks up the others, so it must be an administrator of the account.',
  ),
  private_key: z
    .string()
    .max(10_000)
    .refine((pem) => keyOf(pem) !== undefined, 'expected the whole RSA private key, from -----BEGIN to END-----')
    .describe(
      'The RSA private key that Docusign showed once when the key pair was made ("Generate RSA"). Paste all of it.',
    ),
});

/** Docusign gives keys in the older form (PKCS#1). */
function keyOf(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'rsa' ? key : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The JWT grant: an app signs that it acts for a user of the account, who, or whose administrator, agreed to it once.
 * https://developers.docusign.com/platform/auth/jwt-grant/
 */
export const jwtGrant: OrganizationGrant = {
  kind: 'jwt_grant',
  name: 'App with an RSA key (JWT grant)',
  fields: Given,
  shown(fields) {
    const { integration_key, user_id } = Given.parse(fields);
    return { integration_key, user_id };
  },
  actsAs: ['organization', 'organization_as_person'],
  async mint(m) {
    const { user_id } = Given.parse(m.fields);
    const own = await mintFor(m, m.fields, user_id);
    if (m.subject === undefined) return own;
    return mintFor(m, m.fields, await userOf(m, own.token, m.subject));
  },
};

const Token = z.looseObject({ access_token: z.string().min(1), expires_in: z.coerce.number().positive() });

async function mintFor(m: Minting, fields: Fields, user: string): Promise<Minted> {
  const { integration_key: key, private_key } = Given.parse(fields);
  const signer = keyOf(private_key);
  if (!signer) throw new GrantRefused('app', 'the private key cannot be read');
  const at = Math.floor(m.now.getTime() / 1000);
  const assertion = await new SignJWT({ scope: scopes.join(' ') })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(key)
    .setSubject(user)
    // The host alone, as Docusign wants it; of the real server even where another address stands in its place.
    .setAudience(docusignSettings(m.settings).login)
    .setIssuedAt(at)
    .setExpirationTime(at + 3600)
    .sign(signer);
  const answer = await m.fetch(`${m.origin('login')}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }).toString(),
  });
  const body = parsed(await answer.text());
  const token = Token.safeParse(body);
  if (answer.status === 200 && token.success)
    return { token: new Secret(token.data.access_token), expiresIn: token.data.expires_in, scopes };
  throw refused(m, answer.status, body, key);
}

/** INVARIANT (only the caller): the user is found by the address that Gatehouse knows of the caller, exactly, among active users of the account. */
async function userOf(m: Minting, token: Secret, address: string): Promise<string> {
  const { account_id } = docusignSettings(m.settings);
  const url = new URL(`${m.origin('api')}/restapi/v2.1/accounts/${account_id}/users`);
  url.searchParams.set('email', address);
  url.searchParams.set('status', 'Active');
  const answer = await m.fetch(url.href, {
    method: 'GET',
    headers: { authorization: `Bearer ${token.reveal()}`, accept: 'application/json' },
  });
  const body = parsed(await answer.text());
  const found = Users.safeParse(body);
  if (answer.status !== 200 || !found.success)
    throw new GrantRefused(
      answer.status === 401 || answer.status === 403 ? 'app' : 'later',
      `Docusign does not let the user of this account look up others (status ${answer.status}${code(body)}); it must be an administrator`,
    );
  const users = found.data.users.filter(
    (u) => u.email.toLowerCase() === address.toLowerCase() && u.userStatus.toLowerCase() === 'active',
  );
  const [user] = users;
  if (users.length === 1 && user) return user.userId;
  throw new GrantRefused(
    'reconnect',
    users.length === 0
      ? `${address} is no active user of the Docusign account`
      : `${address} is ${users.length} users of the Docusign account, and nobody is guessed at`,
  );
}

const Users = z.looseObject({
  users: z.array(z.looseObject({ userId: Guid, email: z.string(), userStatus: z.string() })).default([]),
});

function refused(m: Minting, status: number, body: Body, key: string): GrantRefused {
  const { login } = docusignSettings(m.settings);
  const error = [body['error'], body['error_description']].filter((s) => typeof s === 'string').join(': ');
  if (error.startsWith('consent_required'))
    return new GrantRefused(
      'app',
      `nobody has agreed yet that the app acts for this user. For one user: that user opens https://${login}/oauth/auth?response_type=code&scope=signature%20impersonation&client_id=${key}&redirect_uri=… (an address registered with the app). For all users of claimed domains: an administrator of the Docusign organization opens the same address with scope=openid&admin_consent_scope=signature%20impersonation`,
    );
  const because: RefusedBecause =
    status === 429 || status >= 500 ? 'later' : /user_not_found/.test(error) ? 'reconnect' : 'app';
  const words = Object.entries(explained).find(([word]) => error.includes(word))?.[1];
  return new GrantRefused(
    because,
    `Docusign gives no token (status ${status}${error ? `, ${error.slice(0, 150)}` : ''})${words ? `: ${words}` : ''}`,
  );
}

const explained: Readonly<Record<string, string>> = {
  issuer_not_found: 'the integration key is not known at this login server; demo and production have their own apps',
  no_valid_keys_or_signatures: 'the private key does not belong to a key pair of the app; make a new pair and enter it',
  user_not_found: 'the user ID is not known at this login server, or the user is not active',
  invalid_scope: 'the app may not act for users; switch on the JWT grant for it',
};

type Body = Readonly<Record<string, unknown>>;
function parsed(text: string): Body {
  try {
    return z.record(z.string(), z.unknown()).catch({}).parse(parseJsonText(text));
  } catch {
    return {};
  }
}
const code = (body: Body): string =>
  typeof body['errorCode'] === 'string' ? `, ${body['errorCode'].slice(0, 80)}` : '';
