import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { barredByType } from '#policy/barred-by-type.ts';
import { listAppConnectors } from '#vault/connector-app.sql.ts';
import { accesses, actsAs } from '#vault/vendor-auth.ts';
import { scopesFor } from '#vault/vendor-site.ts';
import { listConnections } from '../connections/connections.sql.ts';
import { ConnectionShown, shownConnections } from '../connections/shown-connection.ts';
import { InOrg, inOrg } from '../connector-door.ts';
import { listConnectors } from '../connector.sql.ts';
import { visitorOf, type Connecting } from './place.ts';
import { listAuthorizations } from '../discovery/authorization.sql.ts';
import { waysOf } from '../discovery/found-authorization.ts';
import { manifestOf, siteOf, siteOrNone } from './site-of.ts';

const MyConnector = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  type: z.string(),
  on: z.boolean(),
  /** What an MCP client is given. */
  mcp: z.string(),
  /** Whose account calls use; `person`: everybody connects their own. */
  actAs: z.enum(actsAs),
  /** The most that a connection may be for, with what the vendor will ask for; empty where nobody connects. */
  levels: z.array(z.object({ access: z.enum(accesses), scopes: z.array(z.string()) })),
  /** An app is registered at the vendor, so that people can connect. */
  ready: z.boolean(),
  /** Why the caller may not connect, whatever else holds. */
  barred: z.string().nullable(),
  connection: ConnectionShown.nullable(),
});
/** More than an organization has connectors. */
const MAX_OWN = 1000;

/** What each connector is to whoever asks. */
export const myConnectorOperations = (how: Pick<Connecting, 'vendorOf'>): readonly Operation[] => [
  operation({
    id: 'mine.list_connectors',
    at: 'GET /orgs/:org/my/connectors',
    can: 'signed_in',
    says: 'Lists the connectors that are on, and those where the caller has an account connected: whose account calls use, how the caller’s own stands, and whether they can connect one.',
    params: InOrg,
    reply: z.object({ items: z.array(MyConnector) }),
    handle: (ctx) => {
      const { user } = visitorOf(ctx);
      const { origin, now } = ctx;
      return ctx.db.read(scopeOf(inOrg(ctx)), async (db) => {
        const own = await listConnections(db, { owner: user, limit: MAX_OWN });
        const shown = await shownConnections(db, own, siteOf(how.vendorOf), now);
        const mine = new Map(shown.map((c) => [c.connector.id, c]));
        const registered = await listAppConnectors(db);
        const authorizations = await listAuthorizations(db);
        const items: z.infer<typeof MyConnector>[] = [];
        for (const c of await listConnectors(db)) {
          const connection = mine.get(c.id) ?? null;
          if (c.state !== 'on' && !connection) continue;
          const found = authorizations.get(c.id);
          const manifest = manifestOf(c, how.vendorOf, found);
          const site = manifest && siteOrNone(c, manifest);
          const personal = c.actAs === 'person' && site?.auth.oauth !== undefined;
          const offered = accesses.filter((a) => personal && (a === 'read_only' || c.access === 'read_write'));
          items.push({
            id: c.id,
            slug: c.slug,
            name: c.name,
            type: c.type,
            on: c.state === 'on',
            mcp: `${origin}/mcp/${c.slug}`,
            actAs: c.actAs,
            levels: site ? offered.map((access) => ({ access, scopes: [...scopesFor(site, access)] })) : [],
            ready: personal && (registered.has(c.id) || (found !== undefined && waysOf(found, origin).length > 0)),
            barred: (await barredByType(db, user, c.type)) ?? null,
            connection,
          });
        }
        return { items };
      });
    },
  }),
];
