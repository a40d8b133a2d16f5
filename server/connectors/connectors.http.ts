import { z } from 'zod';
import { scopeOf, type Ctx, type OrgCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listOf } from '#kernel/list.ts';
import { operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { toolClasses } from '#policy/schema.ts';
import { addConnector } from './add-connector.ts';
import { slugForm, type Connector } from './connector.ts';
import { findConnector, listConnectors } from './connector.sql.ts';
import { noConnector, refreshTools } from './refresh-tools.ts';
import { reviewTools } from './review-tools.ts';
import { scanDefinition } from './scan-definition.ts';
import { switchConnector } from './switch-connector.ts';
import { listToolsOf } from './tool.sql.ts';
import { toolStates, type Tool } from './tool.ts';

const InOrg = z.strictObject({ org: z.string() });
const OneConnector = z.strictObject({ org: z.string(), con: z.string() });

const ConnectorShown = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  url: z.string(),
  /** What an MCP client is given. */
  mcp: z.string(),
  allowPrivate: z.boolean(),
  auth: z.enum(['none', 'bearer']),
  state: z.enum(['on', 'off']),
  created: z.string(),
});
const shownConnector = (c: Connector, origin: string): z.infer<typeof ConnectorShown> => ({
  id: c.id,
  slug: c.slug,
  name: c.name,
  url: c.url,
  mcp: `${origin}/mcp/${c.slug}`,
  allowPrivate: c.privateHost !== undefined,
  auth: c.auth.kind,
  state: c.state,
  created: c.created.toISOString(),
});

const ToolShown = z.object({
  name: z.string(),
  state: z.enum(toolStates),
  class: z.enum(toolClasses).nullable(),
  /** Send this one back with the review. */
  pin: z.string(),
  reviewedPin: z.string().nullable(),
  definition: z.unknown(),
  /** For a diff, where the definition is not the reviewed one. */
  reviewedDefinition: z.unknown(),
  flags: z.array(z.object({ at: z.string(), what: z.string() })),
  firstSeen: z.string(),
});
const shownTool = (t: Tool): z.infer<typeof ToolShown> => {
  const definition: unknown = JSON.parse(t.definition);
  return {
    name: t.name,
    state: t.state,
    class: t.class ?? null,
    pin: t.pin,
    reviewedPin: t.reviewedPin ?? null,
    definition,
    reviewedDefinition:
      t.reviewedDefinition === undefined || t.state === 'reviewed' ? null : JSON.parse(t.reviewedDefinition),
    flags: scanDefinition(definition),
    firstSeen: t.firstSeen.toISOString(),
  };
};

const Refused = z.array(z.object({ name: z.string(), why: z.string() }));
const names = z.array(z.string());

const inOrg = (ctx: Ctx): OrgCtx => {
  if (ctx.org === undefined)
    throw new Problem('bug', 'connectors/no-org', { says: 'this operation is inside an organization' });
  return { ...ctx, org: ctx.org };
};
const idOf = (text: string): Id<'con'> => {
  const id = parseId('con', text);
  if (!id) throw noConnector(text.slice(0, 60));
  return id;
};

export const connectorOperations = [
  operation({
    id: 'connectors.list',
    at: 'GET /orgs/:org/connectors',
    can: 'connector.read',
    says: 'Lists the connectors of the organization.',
    params: InOrg,
    reply: listOf(ConnectorShown),
    handle: async (ctx) => ({
      items: (await ctx.db.read(scopeOf(ctx), listConnectors)).map((c) => shownConnector(c, ctx.origin)),
      next: null,
    }),
  }),
  operation({
    id: 'connectors.add',
    at: 'POST /orgs/:org/connectors',
    can: 'connector.manage',
    says: 'Makes an MCP server available. Its tools wait for a review.',
    params: InOrg,
    body: z.strictObject({
      slug: z.string().min(1).max(40).regex(slugForm, 'a-z, 0-9 and single hyphens'),
      name: z.string().min(1).max(100),
      url: z.string().max(2000),
      bearer: z.string().min(1).max(8000).optional(),
      allowPrivate: z.boolean().optional(),
    }),
    status: 201,
    reply: ConnectorShown.extend({ server: z.object({ name: z.string(), version: z.string() }), refused: Refused }),
    handle: async (ctx, { body }) => {
      const added = await addConnector(inOrg(ctx), body);
      return { ...shownConnector(added.connector, ctx.origin), server: added.server, refused: added.refused };
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
    id: 'connectors.switch',
    at: 'PATCH /orgs/:org/connectors/:con',
    can: 'connector.manage',
    says: 'Switches a connector on or off for everyone.',
    params: OneConnector,
    body: z.strictObject({ state: z.enum(['on', 'off']) }),
    reply: ConnectorShown,
    handle: async (ctx, { params, body }) =>
      shownConnector(await switchConnector(inOrg(ctx), idOf(params.con), body.state), ctx.origin),
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
    id: 'connectors.list_tools',
    at: 'GET /orgs/:org/connectors/:con/tools',
    can: 'connector.read',
    says: 'Lists the tools of a connector with definition, pin, review and what a reviewer should look at.',
    params: OneConnector,
    reply: listOf(ToolShown),
    handle: async (ctx, { params }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const id = idOf(params.con);
        if (!(await findConnector(db, id))) throw noConnector(id);
        return { items: (await listToolsOf(db, id)).map(shownTool), next: null };
      }),
  }),
  operation({
    id: 'connectors.review_tools',
    at: 'POST /orgs/:org/connectors/:con/review',
    can: 'tool.review',
    says: 'Says what tools do, each bound to the definition that was shown. Only reviewed tools can be used.',
    params: OneConnector,
    body: z.strictObject({
      tools: z
        .array(
          z.strictObject({
            name: z.string().max(128),
            pin: z.string().regex(/^[0-9a-f]{64}$/),
            class: z.enum(toolClasses),
          }),
        )
        .min(1)
        .max(1000)
        .refine((all) => new Set(all.map((t) => t.name)).size === all.length, 'each tool once'),
    }),
    reply: listOf(ToolShown),
    handle: async (ctx, { params, body }) => ({
      items: (await reviewTools(inOrg(ctx), idOf(params.con), body.tools)).map(shownTool),
      next: null,
    }),
  }),
];
