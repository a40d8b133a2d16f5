import { z } from 'zod';
import { accesses, actsAs } from '#vault/vendor-auth.ts';
import { redirectUri } from './connect/consent.ts';
import type { Connector } from './connector.ts';
import { modes } from './kit/manifest.ts';

/** A connector as the API shows it, without anything secret. */
export const ConnectorShown = z.object({
  id: z.string(),
  /** Of the catalogue; `mcp` is a server of one's own. */
  type: z.string(),
  mode: z.enum(modes),
  /** Whose account calls use. */
  actAs: z.enum(actsAs),
  access: z.enum(accesses),
  settings: z.record(z.string(), z.unknown()),
  /** Addresses that stand in place of the vendor's. */
  origins: z.record(z.string(), z.string()),
  slug: z.string(),
  name: z.string(),
  url: z.string(),
  /** What an MCP client is given. */
  mcp: z.string(),
  /** What an app at the vendor is registered with, where people connect their own accounts. */
  redirectUri: z.string().nullable(),
  allowPrivate: z.boolean(),
  /** Through which it is reached. */
  tunnel: z.string().nullable(),
  auth: z.enum(['none', 'bearer']),
  state: z.enum(['on', 'off']),
  created: z.string(),
});
export const shownConnector = (c: Connector, origin: string): z.infer<typeof ConnectorShown> => ({
  id: c.id,
  type: c.type,
  mode: c.mode,
  actAs: c.actAs,
  access: c.access,
  settings: c.settings,
  origins: c.origins,
  slug: c.slug,
  name: c.name,
  url: c.url,
  mcp: `${origin}/mcp/${c.slug}`,
  redirectUri: c.actAs === 'person' ? redirectUri(origin, c.id) : null,
  allowPrivate: c.privateHost !== undefined || c.originsPrivate,
  tunnel: c.tunnel ?? null,
  auth: c.auth.kind,
  state: c.state,
  created: c.created.toISOString(),
});
