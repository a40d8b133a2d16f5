import { z } from 'zod';
import { MiB } from '#kernel/limits.ts';
import { operation, type Operation as HttpOperation } from '#kernel/operation.ts';
import { toolClasses } from '#policy/schema.ts';
import { accesses } from '#vault/vendor-auth.ts';
import { seenTool } from '../builtin-tools.ts';
import { idOf, InOrg, inOrg, OneConnector, Slug, ConnectorName } from '../connector-door.ts';
import { ConnectorShown, shownConnector } from '../shown-connector.ts';
import { MAX_TOOLS } from '../tool.ts';
import { Auth } from './auth.ts';
import { importOpenApi } from './import-openapi.ts';
import { operationTool } from './operation-tool.ts';
import type { Operation, Proposed } from './operation.ts';
import type { ImportedDocument } from './operation.sql.ts';
import { previewOpenApi, titleOf, type Differs } from './preview-openapi.ts';
import { readImported, reimportOpenApi } from './reimport-openapi.ts';

/** A document of the largest size as a JSON string, with what escaping adds. */
const MAX_BODY = 9 * MiB;

const Source = z.strictObject({
  document: z
    .union([z.string().max(5 * MiB), z.record(z.string(), z.unknown())])
    .optional()
    .describe('The document: JSON or YAML as text, or JSON as it is'),
  url: z.string().max(2000).optional().describe('Where the document is; it is fetched once, without a credential'),
  allowPrivate: z
    .boolean()
    .optional()
    .describe('Lets the addresses that are named here, of the document and of the service, be inside the network'),
  tunnel: z
    .string()
    .max(60)
    .optional()
    .describe('The tunnel that leads to the document, if it is fetched, and to the service'),
});
const Chosen = z.union([
  z.literal('all'),
  z
    .array(
      z.strictObject({
        key: z.string().min(1).max(600).describe('Method and path, as the preview has it: GET /pets/{id}'),
        name: z
          .string()
          .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$/, '1 to 60 of A-Z a-z 0-9 _ -')
          .optional(),
        class: z.enum(toolClasses).optional(),
      }),
    )
    .min(1)
    .max(MAX_TOOLS),
]);
const Url = z.string().max(2000);

const Differing = z.enum(['new', 'same', 'changed'] as const satisfies readonly Differs[]);
const Where = z.object({ at: z.string(), why: z.string() });
const Shown = z.object({
  key: z.string(),
  method: z.string(),
  path: z.string(),
  at: z.string(),
  name: z.string(),
  title: z.string(),
  class: z.enum(toolClasses),
  description: z.string().nullable(),
  /** The schema of the tool's arguments; null where it cannot be imported. */
  arguments: z.record(z.string(), z.unknown()).nullable(),
  pin: z.string().nullable(),
  notes: z.array(z.string()),
  security: z.array(z.array(z.string())),
  refused: Where.nullable(),
  differs: Differing.nullable(),
});
const shownProposed = (p: Proposed & { differs: Differs | undefined }): z.infer<typeof Shown> => ({
  key: p.key,
  method: p.method,
  path: p.path,
  at: p.at,
  name: p.name,
  title: p.title,
  class: p.class,
  description: p.operation?.description ?? null,
  arguments: p.operation?.inputSchema ?? null,
  pin: p.operation ? pinOf(p.operation) : null,
  notes: [...p.notes],
  security: p.security.map((s) => [...s]),
  refused: p.refused ?? null,
  differs: p.differs ?? null,
});
/** What a review of the tool is bound to. */
const pinOf = (o: Operation): string => seenTool(operationTool(o, '')).pin;

const Tool = z.object({
  key: z.string(),
  name: z.string(),
  title: z.string(),
  class: z.enum(toolClasses),
  pin: z.string(),
});
const shownTools = (all: readonly Operation[]): z.infer<typeof Tool>[] =>
  all.map((o) => ({ key: o.key, name: o.name, title: o.title, class: o.class, pin: pinOf(o) }));

const Document = z.object({
  /** Where it was fetched from; null: it was given. */
  source: z.string().nullable(),
  sha256: z.string(),
  openapi: z.enum(['3.0', '3.1']),
  title: z.string(),
  version: z.string(),
  /** How many times one was taken. */
  generation: z.number(),
  importedBy: z.string(),
  importedAt: z.string(),
});
const shownDocument = (d: ImportedDocument): z.infer<typeof Document> => ({
  source: d.source,
  sha256: d.sha256,
  openapi: d.openapi,
  title: d.title,
  version: d.serviceVersion,
  generation: d.generation,
  importedBy: d.importedBy,
  importedAt: d.importedAt.toISOString(),
});
const names = z.array(z.string());

/** REST services by their OpenAPI document: look at it, take what is chosen, take a newer one. */
export const openApiOperations: readonly HttpOperation[] = [
  operation({
    id: 'openapi.preview',
    at: 'POST /orgs/:org/openapi/preview',
    can: 'connector.manage',
    says: 'Shows what an OpenAPI document would come to: each operation as a tool with its arguments and a proposed class, or why it cannot be one. `connector` compares it with what was imported before.',
    params: InOrg,
    body: Source.extend({ connector: z.string().max(60).optional() }),
    maxBody: MAX_BODY,
    reply: z.object({
      openapi: z.enum(['3.0', '3.1']),
      title: z.string(),
      version: z.string(),
      sha256: z.string(),
      servers: z.array(
        z.object({
          url: z.string(),
          description: z.string(),
          variables: z.array(z.object({ name: z.string(), default: z.string(), allowed: names })),
        }),
      ),
      security: z.array(
        z.object({
          scheme: z.string(),
          type: z.string(),
          auth: Auth.nullable(),
          authorizeUrl: z.string().nullable(),
          tokenUrl: z.string().nullable(),
          why: z.string().nullable(),
        }),
      ),
      operations: z.array(Shown),
      gone: z.array(z.object({ key: z.string(), name: z.string() })),
    }),
    async handle(ctx, { body: { connector, ...source } }) {
      const p = await previewOpenApi(inOrg(ctx), source, connector === undefined ? undefined : idOf(connector));
      const { doc, operations, ...rest } = p;
      return { openapi: doc.version, ...titleOf(doc), ...rest, operations: operations.map(shownProposed) };
    },
  }),
  operation({
    id: 'openapi.import',
    at: 'POST /orgs/:org/openapi',
    can: 'connector.manage',
    says: 'Makes a REST service available as a connector: the chosen operations of its OpenAPI document become tools, which wait for a review. Nothing but what is chosen can ever be called.',
    params: InOrg,
    body: Source.extend({
      slug: Slug,
      name: ConnectorName.optional(),
      server: z
        .strictObject({
          url: Url.describe('One of the document, as it is written there, or another'),
          variables: z.record(z.string().max(100), z.string().max(500)).optional(),
        })
        .optional()
        .describe('Where the service is; left out, the only one that the document names'),
      operations: Chosen,
      auth: Auth.optional(),
      scheme: z
        .string()
        .max(100)
        .optional()
        .describe('In place of auth: the name of one of the schemes of the document'),
      authorizeUrl: Url.optional(),
      tokenUrl: Url.optional(),
      whoami: z.string().max(300).optional().describe('A path that says whose account a credential is: /users/me'),
      access: z.enum(accesses).optional(),
    }),
    maxBody: MAX_BODY,
    status: 201,
    reply: ConnectorShown.extend({ tools: z.array(Tool) }),
    async handle(ctx, { body }) {
      const { connector, operations } = await importOpenApi(inOrg(ctx), body);
      return { ...shownConnector(connector, ctx.origin), tools: shownTools(operations) };
    },
    headers: (value, ctx) => ({ location: `${ctx.origin}/api/orgs/${ctx.org}/connectors/${value.id}` }),
  }),
  operation({
    id: 'openapi.get',
    at: 'GET /orgs/:org/connectors/:con/openapi',
    can: 'connector.read',
    says: 'Shows which document a connector was imported by last, and the operations that were chosen.',
    params: OneConnector,
    reply: z.object({ document: Document, tools: z.array(Tool) }),
    async handle(ctx, { params }) {
      const { document, operations } = await readImported(inOrg(ctx), idOf(params.con));
      return { document: shownDocument(document), tools: shownTools(operations) };
    },
  }),
  operation({
    id: 'openapi.reimport',
    at: 'PUT /orgs/:org/connectors/:con/openapi',
    can: 'connector.manage',
    says: 'Takes a newer document of the same service. What changed is closed until it is reviewed, what is gone is closed; names, address and credential stay. Left out, `operations` are those that were chosen before.',
    params: OneConnector,
    body: Source.extend({ operations: Chosen.optional() }),
    maxBody: MAX_BODY,
    reply: z.object({
      document: Document,
      tools: z.array(Tool),
      added: names,
      changed: names,
      restored: names,
      removed: names,
    }),
    async handle(ctx, { params, body: { operations: wish, ...source } }) {
      const { difference, document, operations } = await reimportOpenApi(inOrg(ctx), idOf(params.con), source, wish);
      return { document: shownDocument(document), tools: shownTools(operations), ...difference };
    },
  }),
];
