import { z } from 'zod';
import type { Egress, EgressRules } from '#kernel/egress.ts';
import type { Id } from '#kernel/id.ts';
import { parseJson } from '#kernel/json.ts';
import { KiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import { Secret } from '#kernel/secret.ts';
import { clientAuthMethods, type ClientAuthMethod } from '#vault/oauth-facts.ts';
import { cleaned } from '#vault/token-answer.ts';
import { clientMetadata } from './client-document.ts';
import type { FoundAuthorization } from './found-authorization.ts';

const MAX_ANSWER_BYTES = 64 * KiB;
const REGISTER_MS = 10_000;

/** What a registration came to. `ends`: when its secret does. */
export type Registration = {
  clientId: string;
  secret: Secret | undefined;
  method: ClientAuthMethod;
  ends: Date | undefined;
};

/** RFC 7591 §3.2.1. */
const Registered = z.looseObject({
  client_id: z.string().min(1).max(2000),
  client_secret: z.string().min(1).max(8000).optional(),
  client_secret_expires_at: z.number().int().min(0).optional(),
  token_endpoint_auth_method: z.string().optional(),
  redirect_uris: z.array(z.string()).optional(),
});
const Refused = z.looseObject({ error: z.string().max(100), error_description: z.string().max(1000).optional() });

/** Registers Gatehouse for one connector at an authorization server (RFC 7591). */
export async function registerClient(
  egress: Egress,
  r: { found: FoundAuthorization; endpoint: string; origin: string; connector: Id<'con'>; rules: EgressRules },
): Promise<Registration> {
  const asked = methodToAsk(r.found.auths);
  if (asked === undefined)
    throw refused(
      r.found,
      `it takes clients by ${r.found.auths.join(', ').slice(0, 200)} only, none of which follows from a registration`,
    );
  const metadata = clientMetadata(r.origin, r.connector, asked);
  const response = await egress.fetch(
    r.endpoint,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(metadata),
      redirect: 'manual',
    },
    { ...r.rules, maxBytes: MAX_ANSWER_BYTES, timeoutMs: REGISTER_MS },
  );
  const body: unknown = await response
    .bytes()
    .then(parseJson)
    .catch(() => undefined);
  if (response.status !== 201 && response.status !== 200) {
    const said = Refused.safeParse(body).data;
    throw refused(
      r.found,
      said ? cleaned([said.error, said.error_description].filter(Boolean).join(': '), []) : `status ${response.status}`,
    );
  }
  const read = Registered.safeParse(body);
  if (!read.success) throw refused(r.found, 'its answer is no registration');
  const {
    client_id: clientId,
    client_secret: secret,
    client_secret_expires_at: ends = 0,
    redirect_uris: uris,
  } = read.data;
  const wanted = metadata['redirect_uris'];
  if (uris && uris.length > 0 && Array.isArray(wanted) && !wanted.every((u) => uris.includes(String(u))))
    throw refused(r.found, 'it registered another address to come back to');
  return {
    clientId,
    secret: secret === undefined ? undefined : new Secret(secret),
    method: methodGiven(read.data.token_endpoint_auth_method ?? asked, secret, r.found.auths),
    ends: ends === 0 || secret === undefined ? undefined : new Date(ends * 1000),
  };
}

/** Proving ourselves is better than not; a key needs one that the server knows before. */
const methodToAsk = (taken: readonly string[]): ClientAuthMethod | undefined =>
  (['client_secret_basic', 'client_secret_post', 'none'] as const).find((m) => taken.includes(m));

function methodGiven(said: string, secret: string | undefined, taken: readonly string[]): ClientAuthMethod {
  if (secret === undefined) return 'none';
  const known = clientAuthMethods.find((m) => m === said && m !== 'private_key_jwt');
  if (known && known !== 'none') return known;
  // Given a secret all the same: it is shown where the server takes one at all.
  return taken.includes('client_secret_basic')
    ? 'client_secret_basic'
    : taken.includes('client_secret_post')
      ? 'client_secret_post'
      : 'none';
}

const refused = (f: FoundAuthorization, why: string): Problem =>
  new Problem('upstream', 'connectors/registration-refused', {
    says: `the authorization server ${new URL(f.issuer).host} does not let Gatehouse register itself: ${why}`,
    fix: 'an administrator registers an application there and enters it for this connector',
  });
