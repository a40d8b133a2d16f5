import {
  allowInsecureRequests,
  ClientSecretPost,
  customFetch,
  genericTokenEndpointRequest,
  modifyAssertion,
  None,
  PrivateKeyJwt,
  type ClientAuth,
} from 'oauth4webapi';
import type { Egress } from '#kernel/egress.ts';
import { parseJson } from '#kernel/json.ts';
import { Problem } from '#kernel/problem.ts';
import type { OpenedApp } from './open-app.ts';
import { readTokenAnswer, type TokenOutcome, type TokenRefusal } from './token-answer.ts';
import { oauthOf, siteAddress, siteFetch, type VendorSite } from './vendor-site.ts';

export type TokenQuestion = {
  grantType: 'authorization_code' | 'refresh_token';
  parameters: Readonly<Record<string, string>>;
  now: Date;
};

/** Asks a vendor's token endpoint once. What it says, and what goes wrong on the way, is an answer; nothing of it is thrown. */
export async function askToken(
  egress: Pick<Egress, 'fetch'>,
  site: VendorSite,
  app: OpenedApp,
  q: TokenQuestion,
): Promise<TokenOutcome> {
  const facts = oauthOf(site);
  const endpoint = siteAddress(site, facts.token);
  const send = siteFetch(egress, site);
  let response: Response;
  let body: unknown;
  try {
    response = await genericTokenEndpointRequest(
      { issuer: new URL(endpoint).origin, token_endpoint: endpoint },
      { client_id: app.clientId },
      clientAuth(app, audienceOf(site, endpoint)),
      q.grantType,
      { ...q.parameters, ...(facts.resource === undefined ? {} : { resource: facts.resource }) },
      {
        // Egress decides what may be asked by plain http: what the connector's configuration names inside the network.
        [allowInsecureRequests]: true,
        [customFetch]: (url, o) => {
          const headers = new Headers(o.headers);
          const form = o.body instanceof URLSearchParams ? o.body : new URLSearchParams();
          if (facts.tokenBody === 'json') headers.set('content-type', 'application/json');
          return send(url, {
            method: 'POST',
            headers,
            body: facts.tokenBody === 'json' ? JSON.stringify(Object.fromEntries(form)) : form.toString(),
          });
        },
      },
    );
    const bytes = Buffer.from(await response.arrayBuffer());
    body = jsonOf(bytes);
    bytes.fill(0);
  } catch (e) {
    return { kind: 'refused', ...unanswered(site, e) };
  }
  const outcome = readTokenAnswer(facts, response.status, body, {
    settings: site.settings,
    secrets: [app.secret?.reveal(), ...Object.values(q.parameters)],
  });
  if (outcome.kind === 'granted') return outcome;
  return { ...outcome, retryAfterMs: retryAfterMs(response.headers, q.now) };
}

/** Whom a signed assertion is for: the issuer where it is known as one, else the endpoint, as vendors check it. RFC 7523 §3 lets it name either. */
export const audienceOf = (site: VendorSite, endpoint: string): string =>
  site.auth.boundTo === undefined ? endpoint : site.auth.boundTo.issuer;

/** How the app proves at the token endpoint that it is us. */
export function clientAuth(app: OpenedApp, audience: string): ClientAuth {
  if (app.method === 'none') return None();
  if (app.method === 'private_key_jwt')
    return PrivateKeyJwt(
      { key: app.key, kid: app.keyId },
      {
        [modifyAssertion]: (header, payload) => {
          header['x5t#S256'] = app.keyId;
          payload['aud'] = audience;
        },
      },
    );
  if (app.method === 'client_secret_post') return ClientSecretPost(app.secret.reveal());
  // As vendors document and check it, without the form encoding of RFC 6749 §2.3.1, which turns the hyphens of their ids into %2D.
  return (_as, client, _body, headers) =>
    headers.set(
      'authorization',
      `Basic ${Buffer.from(`${client.client_id}:${app.secret.reveal()}`).toString('base64')}`,
    );
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch {
    return undefined;
  }
}

/** Codes of a connection that was never made, so that nothing was sent. */
const beforeSending =
  /^(ECONNREFUSED|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS|CERT_|SELF_SIGNED|UNABLE_TO_|DEPTH_ZERO)/;

/** What a request that got no answer means. */
export function unanswered(site: VendorSite, e: unknown): TokenRefusal {
  if (!(e instanceof Problem)) throw e;
  if (e.code === 'vault/foreign-address') throw e;
  const code = e.cause instanceof Error && 'code' in e.cause && typeof e.cause.code === 'string' ? e.cause.code : '';
  const neverLeft =
    beforeSending.test(code) ||
    /^egress\/(no-address|certificate|private-address|forbidden-address|plain-http)/.test(e.code);
  return {
    because: 'later',
    code: 'network',
    says: `${site.name} was not reached: ${e.says}`,
    ...(neverLeft ? { acted: 'no', neverLeft } : { acted: 'perhaps' }),
  };
}

/** Retry-After (RFC 9110 §10.2.3): seconds or a date. */
function retryAfterMs(headers: Headers, now: Date): number | undefined {
  const said = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(said)) return Number(said) * 1000;
  const at = said === '' ? Number.NaN : Date.parse(said);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
