import { importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import { parseJsonText } from '#kernel/json.ts';
import { Secret } from '#kernel/secret.ts';
import { GrantRefused, type Fields, type Minting, type OrganizationGrant } from '#vault/organization-grant.ts';
import { classifyGoogle, domainOf, domainsOf, explainGoogle, identityScopes } from './google-auth.ts';

/** The key file as the Google Cloud console gives it; its addresses are not believed, ours are asked. */
const Key = z.looseObject({
  type: z.literal('service_account'),
  client_email: z.email(),
  client_id: z.string().min(1),
  private_key_id: z.string().min(1),
  private_key: z.string().includes('PRIVATE KEY'),
});

const KeyText = z
  .string()
  .max(10_000)
  .refine((text) => readKey(text) !== undefined, 'expected the whole JSON key file of a service account')
  .describe(
    'The JSON key file of the service account, as the Google Cloud console gave it (Service accounts, Keys, Add key). Paste the whole file.',
  );

const Given = z.strictObject({
  key: KeyText,
  act_as: z
    .email()
    .optional()
    .describe(
      'For connectors that act as the organization: the address of the account of your Google Workspace as which the service account acts, e.g. a robot account made for this. Left out: the service account acts as itself, which has no mailbox and sees what is shared with its own address. For connectors that act as each person it is used for the daily check alone.',
    ),
});

function readKey(text: string): z.output<typeof Key> | undefined {
  try {
    return Key.safeParse(parseJsonText(text)).data;
  } catch {
    return undefined;
  }
}

function given(fields: Fields): { key: z.output<typeof Key>; actAs: string | undefined } {
  const { key, act_as } = Given.parse(fields);
  const read = readKey(key);
  if (!read) throw new GrantRefused('app', 'the key of the service account cannot be read');
  return { key: read, actAs: act_as };
}

/** A service account whose client ID an administrator has given domain-wide delegation, for exactly the scopes of the connector. */
export const serviceAccount: OrganizationGrant = {
  kind: 'service_account',
  name: 'Service account with domain-wide delegation',
  fields: Given,
  shown(fields) {
    const { key, actAs } = given(fields);
    return {
      client_email: key.client_email,
      client_id: key.client_id,
      private_key_id: key.private_key_id,
      ...(actAs === undefined ? {} : { act_as: actAs }),
    };
  },
  actsAs: ['organization', 'organization_as_person'],
  mint,
};

const Token = z.looseObject({ access_token: z.string().min(1), expires_in: z.number().positive() });

/** RFC 7523 as Google does it: https://developers.google.com/identity/protocols/oauth2/service-account. */
async function mint(m: Minting): ReturnType<OrganizationGrant['mint']> {
  const { key, actAs } = given(m.fields);
  // Who a service account is needs no scope of its own; asked for, it would have to be delegated too.
  const scopes = m.scopes.filter((s) => !identityScopes.some((i) => i === s));
  const sub = m.subject ?? actAs;
  if (sub !== undefined && !domainsOf(m.settings).includes(domainOf(sub)))
    throw new GrantRefused(
      'reconnect',
      `${sub} is not of a domain of this connector, and nobody is spoken for outside of them`,
    );
  const url = `${m.origin('oauth')}/token`;
  const at = Math.floor(m.now.getTime() / 1000);
  const signed = new SignJWT({ scope: scopes.join(' '), ...(sub === undefined ? {} : { sub }) })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.private_key_id })
    .setIssuer(key.client_email)
    .setAudience(url)
    .setIssuedAt(at)
    .setExpirationTime(at + 3600);
  const assertion = await importPKCS8(key.private_key, 'RS256').then(
    (k) => signed.sign(k),
    () => {
      throw new GrantRefused('app', 'the private key of the service account cannot be read');
    },
  );
  const answer = await m.fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }).toString(),
  });
  const text = await answer.text();
  const body = answered(text);
  const token = Token.safeParse(body);
  if (answer.status === 200 && token.success)
    return { token: new Secret(token.data.access_token), expiresIn: token.data.expires_in, scopes };
  const because = classifyGoogle(answer.status, body) ?? 'app';
  // `invalid_grant` here is not a consent that ended: the person is not known there, or the key is not.
  const says =
    body['error'] === 'invalid_grant'
      ? `Google gives no token${sub === undefined ? '' : ` for ${sub}`}: ${wordsOf(body)}`
      : (explainGoogle(body) ?? `Google gives no token (status ${answer.status}): ${wordsOf(body)}`);
  const person = body['error'] === 'invalid_grant' && /email|user id/i.test(wordsOf(body));
  throw new GrantRefused(body['error'] === 'invalid_grant' && !person ? 'app' : because, says);
}

function answered(text: string): Readonly<Record<string, unknown>> {
  try {
    return z.record(z.string(), z.unknown()).catch({}).parse(parseJsonText(text));
  } catch {
    return {};
  }
}

const wordsOf = (body: Readonly<Record<string, unknown>>): string =>
  [body['error_description'], body['error']].find((s) => typeof s === 'string')?.slice(0, 200) ?? 'no reason given';
