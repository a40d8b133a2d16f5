import { createHash, createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { KiB } from '#kernel/limits.ts';
import type { Credentials } from '../credentials.ts';
import { ask, deadlineIn, jsonOf, ScanFailure, type Answered, type Deadline } from '../exchange.ts';
import type { Asking } from '../said.ts';
import type { PurviewMemory } from './memory.ts';

const Token = z.object({
  token_type: z.string().regex(/^bearer$/i),
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive(),
});
/** Before its end a token is not begun with: a request takes a while, and clocks differ. */
const SPARE_MS = 60_000;
const ASSERTION_SECONDS = 300;
/** An access token with its claims. */
const MAX_TOKEN_BYTES = 256 * KiB;

/** A token for Graph by client credentials, shared by all inspections until shortly before it ends. */
export async function purviewToken(a: Asking<'purview'>, memory: PurviewMemory): Promise<string> {
  const known = memory.token;
  if (known && known.until > performance.now()) return (await known.value).bearer;
  // For all who wait, so nobody's going away ends it.
  const until = deadlineIn(a.scanner.timeoutMs, new AbortController().signal);
  const mine = { value: fetched(a, until), until: Infinity };
  memory.token = mine;
  try {
    const token = await mine.value;
    mine.until = token.until;
    return token.bearer;
  } catch (e) {
    if (memory.token === mine) memory.token = undefined;
    throw e;
  }
}

async function fetched(a: Asking<'purview'>, until: Deadline): Promise<{ bearer: string; until: number }> {
  const { current, previous } = a.credentials;
  const first = await asked(a, current, until);
  // During a rotation the new credential may not have reached every server of the login yet.
  const answer = previous && (first.status === 400 || first.status === 401) ? await asked(a, previous, until) : first;
  if (answer.status === 400 || answer.status === 401)
    throw new ScanFailure(
      'refused',
      'the login does not accept the client: check the tenant, the client id and its credential',
    );
  const token = Token.safeParse(jsonOf(answer, [200]));
  if (!token.success) throw new ScanFailure('malformed', 'the login gave no token that can be read');
  const lasts = Math.max(token.data.expires_in * 1000 - SPARE_MS, (token.data.expires_in * 1000) / 2);
  return { bearer: token.data.access_token, until: performance.now() + lasts };
}

async function asked(a: Asking<'purview'>, c: Credentials['purview'], until: Deadline): Promise<Answered> {
  const endpoint = `${base(a.config.login)}/${encodeURIComponent(a.config.tenant)}/oauth2/v2.0/token`;
  const proof: Record<string, string> =
    'clientSecret' in c
      ? { client_secret: c.clientSecret }
      : {
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await assertion(c, a.config.clientId, endpoint, a.now),
        };
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: a.config.clientId,
    scope: `${new URL(a.config.graph).origin}/.default`,
    ...proof,
  });
  return ask(
    a.egress,
    {
      url: endpoint,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      rules: a.rules,
      maxBytes: MAX_TOKEN_BYTES,
    },
    until,
  );
}

/** Proves the client by its certificate, as the login asks for it: signed with PSS, and naming the certificate by its SHA-256. */
function assertion(
  c: { privateKey: string; certificate: string },
  client: string,
  endpoint: string,
  now: Date,
): Promise<string> {
  const thumbprint = createHash('sha256').update(new X509Certificate(c.certificate).raw).digest('base64url');
  const seconds = Math.floor(now.getTime() / 1000);
  return new SignJWT({})
    .setProtectedHeader({ alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint })
    .setIssuer(client)
    .setSubject(client)
    .setAudience(endpoint)
    .setJti(randomUUID())
    .setIssuedAt(seconds)
    .setNotBefore(seconds)
    .setExpirationTime(seconds + ASSERTION_SECONDS)
    .sign(createPrivateKey(c.privateKey));
}

/** An address without the slash at its end. */
export const base = (url: string): string => url.replace(/\/+$/, '');
