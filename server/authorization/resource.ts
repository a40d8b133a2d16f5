/** What a token may be for. The gateway asks for `mcp:write` before tools that are not of the class `read`; policy decides the rest. */
export const SCOPES = ['mcp:read', 'mcp:write'] as const;
export type Scope = (typeof SCOPES)[number];

/** In the words of the consent page. */
export const scopeSays: Record<Scope, string> = {
  'mcp:read': 'Look things up: use tools that only read',
  'mcp:write': 'Change things: use tools that write or delete. Your organization’s rules still apply to every call.',
};

export const isScope = (s: string): s is Scope => SCOPES.some((known) => known === s);

/** Seconds that an access token lives. Short, because a signed token cannot be taken back; the gateway asks for its consent's life besides. */
export const ACCESS_TOKEN_SECONDS = 600;

/** How tokens for one of our addresses are made. */
export const resourceServer = (audience: string) =>
  ({
    scope: SCOPES.join(' '),
    audience,
    accessTokenTTL: ACCESS_TOKEN_SECONDS,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  }) as const;

const connectorForm = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** The part of our MCP address space that a path names: everything, one connector, or undefined. A trailing slash is the same place. */
export function placeOf(path: string): { connector: string | undefined } | undefined {
  const plain = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  if (plain === '/mcp') return { connector: undefined };
  const connector = plain.startsWith('/mcp/') ? plain.slice(5) : '';
  return connectorForm.test(connector) ? { connector } : undefined;
}

const pathOf = (place: { connector: string | undefined }): string =>
  place.connector === undefined ? '/mcp' : `/mcp/${place.connector}`;

/** The canonical form of a resource indicator (RFC 8707) that is ours, or undefined. It becomes the token's audience. */
export function canonicalResource(origin: string, uri: string): string | undefined {
  const url = URL.parse(uri);
  if (!url || url.origin !== new URL(origin).origin || url.search || url.hash || url.username || url.password)
    return undefined;
  const place = placeOf(url.pathname);
  return place && origin + pathOf(place);
}

/** Audiences that a request to this path accepts: its own, and `/mcp` for clients that know no protected-resource metadata. */
export function audiencesOf(origin: string, path: string): string[] {
  const place = placeOf(path);
  if (!place) return [];
  return place.connector === undefined ? [`${origin}/mcp`] : [`${origin}/mcp/${place.connector}`, `${origin}/mcp`];
}

export const PRM_PATH = '/.well-known/oauth-protected-resource';

/** Where the metadata of an MCP path is, for the challenge of a 401. */
export const resourceMetadataUrl = (origin: string, path: string): string | undefined => {
  const place = placeOf(path);
  return place && `${origin}${PRM_PATH}${pathOf(place)}`;
};

export type ProtectedResourceMetadata = {
  resource: string;
  resource_name: string;
  authorization_servers: [string];
  scopes_supported: string[];
  bearer_methods_supported: ['header'];
};

/**
 * The RFC 9728 document at a well-known path, or undefined where there is none. `resource` and the issuer are byte for byte what clients
 * compare with; scopes are all there are, so that a person is asked once.
 */
export function protectedResourceMetadata(origin: string, path: string): ProtectedResourceMetadata | undefined {
  if (path !== PRM_PATH && !path.startsWith(`${PRM_PATH}/`)) return undefined;
  const suffix = path.slice(PRM_PATH.length);
  const place = placeOf(suffix === '' || suffix === '/' ? '/mcp' : suffix);
  if (!place) return undefined;
  return {
    resource: origin + pathOf(place),
    resource_name: place.connector === undefined ? 'Gatehouse' : `Gatehouse: ${place.connector}`,
    authorization_servers: [origin],
    scopes_supported: [...SCOPES],
    bearer_methods_supported: ['header'],
  };
}
