import { errors } from 'oidc-provider';

/** What somebody said about their client, by registration or by a metadata document. Nobody has checked any of it. */
export type ClientMetadata = Record<string, unknown>;

/** A property that the library knows is ours, so that it calls `tidyClient`; nobody may set it. */
export const OUR_PROPERTY = 'gatehouse';

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
/** RFC 7523, with an ID-JAG as the assertion and nothing else (id-jag-grant.ts). */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/**
 * Grants at which a person decides, or their identity provider for them. INVARIANT (a person stands behind every token): a client cannot
 * register for any other.
 */
export const GRANTS = ['authorization_code', 'refresh_token', DEVICE_CODE, JWT_BEARER] as const;

/**
 * The one client that everybody has without registering it: `gatehouse bridge`. A program on a person's machine keeps no secret, so it has
 * none; it can do nothing but ask a person with a code.
 */
export const BRIDGE_CLIENT = {
  client_id: 'gatehouse-bridge',
  client_name: 'Gatehouse bridge',
  token_endpoint_auth_method: 'none',
  grant_types: [DEVICE_CODE, 'refresh_token'],
  response_types: [],
  redirect_uris: [],
} as const;

const texts = (v: unknown): string[] => (Array.isArray(v) ? v.filter((x): x is string => typeof x === 'string') : []);

/** Whether a host is this machine, as browsers see it. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** A redirect to a program on the person's own machine: loopback, or a scheme of its own. */
export function staysOnDevice(uri: string): boolean {
  const url = URL.parse(uri);
  return url !== null && (url.protocol === 'http:' ? isLoopback(url.hostname) : url.protocol !== 'https:');
}

/**
 * Cuts down what a stranger may say of a client, in place. Every client is a stranger here: none is set up by an administrator.
 * `scope` would pin the client for ever and both SDKs send it; `application_type` is often missing, and `web` refuses private schemes.
 */
export function tidyClient(m: ClientMetadata): void {
  delete m[OUR_PROPERTY];
  delete m['scope'];
  const redirects = texts(m['redirect_uris']);
  for (const uri of redirects) {
    const url = URL.parse(uri);
    if (url === null || url.username || url.password || url.hash)
      throw new errors.InvalidRedirectUri('redirect_uris must be absolute URIs without user name or fragment');
    if (url.protocol === 'http:' && !isLoopback(url.hostname))
      throw new errors.InvalidRedirectUri(
        'redirect_uris may use http only for this machine (localhost, 127.0.0.1, [::1])',
      );
  }
  const asked = texts(m['grant_types']);
  const grants = GRANTS.filter((g) => asked.includes(g));
  m['grant_types'] = grants.length > 0 ? grants : ['authorization_code', 'refresh_token'];
  m['response_types'] = grants.length === 0 || grants.includes('authorization_code') ? ['code'] : [];
  if (redirects.some(staysOnDevice)) m['application_type'] = 'native';
  else m['application_type'] = 'web';
}

/** Origins of browser pages that may call the token endpoint as this client: those of its redirects; on this machine, on any port. */
export function mayCallFrom(origin: string, redirects: readonly string[]): boolean {
  const from = URL.parse(origin);
  if (origin === 'null' || !from) return false;
  return redirects.some((uri) => {
    const url = URL.parse(uri);
    if (!url) return false;
    if (url.origin === from.origin) return url.origin !== 'null';
    return (
      url.protocol === 'http:' &&
      from.protocol === 'http:' &&
      isLoopback(url.hostname) &&
      url.hostname === from.hostname
    );
  });
}

/** Whether a client id may be fetched as a metadata document: a document has a path, and no tricks in its address. */
export function mayFetchClient(id: string): boolean {
  const url = URL.parse(id);
  return (
    url !== null &&
    url.protocol === 'https:' &&
    url.pathname !== '/' &&
    url.port === '' &&
    id.length <= 2048 &&
    url.href === id
  );
}
