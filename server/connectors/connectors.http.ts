import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { accesses, actsAs } from '#vault/vendor-auth.ts';
import { addConnector } from './add-connector.ts';
import { addVendorConnector } from './add-vendor-connector.ts';
import { catalogueOperations } from './catalogue.http.ts';
import { countAtConnectors, findConnector, pageOfConnectors } from './connector.sql.ts';
import { editConnector } from './edit-connector.ts';
import { modes } from './kit/manifest.ts';
import { checkConnector } from './check-connector.ts';
import { AuthorizationShown, shownAuthorization } from './discovery/shown-authorization.ts';
import { siteOf } from './connect/site-of.ts';
import { vendorOf } from './vendors/all-vendors.ts';
import { makeVault } from '#vault/vault.ts';
import { ConnectorName, idOf, InOrg, inOrg, OneConnector, Slug } from './connector-door.ts';
import { openApiOperations } from './openapi/openapi.http.ts';
import { noConnector, refreshTools } from './refresh-tools.ts';
import { ConnectorShown, shownConnector } from './shown-connector.ts';
import { toolOperations } from './tools.http.ts';

const ConnectorListed = ConnectorShown.extend({
  /** Tools that can be used, definitions that wait for a review, live connections. */
  counts: z.object({ usable: z.number(), waiting: z.number(), connections: z.number() }),
});
const OwnServer = z.strictObject({
  slug: Slug,
  name: ConnectorName,
  url: z.string().max(2000),
  bearer: z.string().min(1).max(8000).optional(),
  allowPrivate: z.boolean().optional(),
  tunnel: z.string().max(60).optional(),
  /** Absent: nobody's account where the server lets everyone in, else each person's own. */
  actAs: z.enum(['none', 'person', 'organization']).optional(),
  /** Where the server names several authorization servers or none, or one inside the network. */
  authorizationServer: z.string().max(2000).optional(),
});
const OfCatalogue = z.strictObject({
  type: z.string().min(1).max(60),
  slug: Slug.optional(),
  name: ConnectorName.optional(),
  mode: z.enum(modes).optional(),
  actAs: z.enum(actsAs).optional(),
  access: z.enum(accesses).optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
  origins: z.record(z.string(), z.string().max(2000)).optional(),
  originsPrivate: z.boolean().optional(),
});

const Refused = z.array(z.object({ name: z.string(), why: z.string() }));
const names = z.array(z.string());

export const connectorOperations: readonly Operation[] = [
  operation({
    id: 'connectors.list',
    at: 'GET /orgs/:org/connectors',
    can: 'connector.read',
    says: 'Lists the connectors of the organization; q searches slug, name and type.',
    params: InOrg,
    query: ListQuery,
    reply: listOf(ConnectorListed),
    handle: (ctx, { query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const page = listed(await pageOfConnectors(db, query), query.limit, (c) => [c.slug]);
        const counts = await countAtConnectors(
          db,
          page.items.map((c) => c.id),
        );
        const none = { usable: 0, waiting: 0, connections: 0 };
        const items = page.items.map((c) => ({ ...shownConnector(c, ctx.origin), counts: counts.get(c.id) ?? none }));
        return { ...page, items };
      }),
  }),
  operation({
    id: 'connectors.add',
    at: 'POST /orgs/:org/connectors',
    can: 'connector.manage',
    says: 'Makes an MCP server available by its url, or a system of the catalogue by its type. What is not of the catalogue waits for a review.',
    params: InOrg,
    body: z.union([OwnServer, OfCatalogue]),
    status: 201,
    reply: ConnectorShown.extend({
      server: z.object({ name: z.string(), version: z.string() }),
      /** Over which transport a server of one's own was found. */
      transport: z.enum(['streamable-http', 'http+sse']).optional(),
      refused: Refused,
      /** How a server wants to be authorized at, where it says so itself. */
      authorization: AuthorizationShown.optional(),
    }),
    handle: async (ctx, { body }) => {
      if ('type' in body) {
        const c = await addVendorConnector(inOrg(ctx), body);
        return { ...shownConnector(c, ctx.origin), server: { name: c.type, version: '' }, refused: [] };
      }
      const added = await addConnector(inOrg(ctx), body);
      const { connector, server = { name: connector.name, version: '' }, transport, refused, found } = added;
      const authorization =
        found && shownAuthorization(found, { origin: ctx.origin, connector: connector.id, app: undefined });
      return { ...shownConnector(connector, ctx.origin), server, transport, refused, authorization };
    },
    headers: (value, ctx) => ({ location: `${ctx.origin}/api/orgs/${ctx.org}/connectors/${value.id}` }),
  }),
  operation({
    id: 'connectors.get',
    at: 'GET /orgs/:org/connectors/:con',
    can: 'connector.read',
    says: 'Shows a connector.',
    params: OneConnector,
    reply: ConnectorShown,
    handle: async (ctx, { params }) => {
      const c = await ctx.db.read(scopeOf(ctx), (db) => findConnector(db, idOf(params.con)));
      if (!c) throw noConnector(params.con);
      return shownConnector(c, ctx.origin);
    },
  }),
  operation({
    id: 'connectors.edit',
    at: 'PATCH /orgs/:org/connectors/:con',
    can: 'connector.manage',
    says: 'Switches a connector on or off for everyone, or changes what was chosen for it.',
    params: OneConnector,
    body: z
      .strictObject({
        state: z.enum(['on', 'off']).optional(),
        name: ConnectorName.optional(),
        access: z.enum(accesses).optional(),
        actAs: z.enum(actsAs).optional(),
        settings: z.record(z.string(), z.unknown()).optional(),
        tunnel: z.string().max(60).optional(),
      })
      .refine((b) => Object.keys(b).length > 0, 'say what to change'),
    reply: ConnectorShown,
    handle: async (ctx, { params, body }) =>
      shownConnector(await editConnector(inOrg(ctx), idOf(params.con), body), ctx.origin),
  }),
  operation({
    id: 'connectors.refresh_tools',
    at: 'POST /orgs/:org/connectors/:con/refresh',
    can: 'connector.manage',
    says: 'Asks the upstream for its tools again. What differs from its review stops being usable.',
    params: OneConnector,
    reply: z.object({ added: names, changed: names, restored: names, removed: names, refused: Refused }),
    handle: (ctx, { params }) => refreshTools(inOrg(ctx), idOf(params.con)),
  }),
  operation({
    id: 'connectors.check',
    at: 'POST /orgs/:org/connectors/:con/check',
    can: 'connector.manage',
    says: 'Tries a connector with the account that its calls would use: whose it is, and whether each tool works that only reads and needs no arguments. What they answer is shown to nobody. A server that says itself how to be authorized at is asked again.',
    params: OneConnector,
    reply: z.object({
      account: z.string().nullable(),
      /** Why the account cannot be used. */
      wrong: z.string().nullable(),
      scopes: names,
      tools: z.array(
        z.object({
          tool: z.string(),
          outcome: z.enum(['works', 'refused', 'not_tried']),
          says: z.string(),
          missingScopes: names,
        }),
      ),
      authorization: AuthorizationShown.nullable(),
    }),
    handle: async (ctx, { params }) => {
      // One of its own for one check: what nodes must agree on is in the database.
      const vault = makeVault({ ...ctx, now: () => ctx.now }, { siteOf: siteOf(vendorOf) });
      const { account, wrong, scopes, tools, authorization } = await checkConnector(
        inOrg(ctx),
        idOf(params.con),
        vault,
      );
      return {
        account: account?.label ?? null,
        wrong: wrong ?? null,
        scopes: [...scopes],
        tools: tools.map((t) => ({ ...t, missingScopes: [...t.missingScopes] })),
        authorization: authorization ?? null,
      };
    },
  }),
  ...catalogueOperations,
  ...openApiOperations,
  ...toolOperations,
];
