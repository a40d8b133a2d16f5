import { z } from 'zod';
import { page, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { scimCtx, type ScimCtx } from './directory.ts';
import { MAX_BULK_BYTES, MAX_BULK_OPERATIONS } from './scim-bulk.ts';
import { shownAttribute, type Resource, type Schema } from './scim-schema.ts';
import { baseOf, scimJson } from './scim.http.ts';
import { errorSchema, MAX_SCIM_PAGE, SCIM_PAGE, shownList, type Shown } from './scim-wire.ts';

const params = z.object({ directory: z.string() });
const one = z.object({ directory: z.string(), id: z.string() });
const can = 'scim';

/** What this server can do (RFC 7643 §5). */
const config = (base: string): Shown => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
  patch: { supported: true },
  bulk: { supported: true, maxOperations: MAX_BULK_OPERATIONS, maxPayloadSize: MAX_BULK_BYTES },
  filter: { supported: true, maxResults: MAX_SCIM_PAGE },
  changePassword: { supported: false },
  sort: { supported: true },
  etag: { supported: true },
  // RFC 9865: a walk by cursor neither skips nor repeats anybody who stays; cursors do not expire.
  pagination: {
    cursor: true,
    index: true,
    defaultPaginationMethod: 'index',
    defaultPageSize: SCIM_PAGE,
    maxPageSize: MAX_SCIM_PAGE,
  },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'A token that an administrator makes for the directory.',
      specUri: 'https://www.rfc-editor.org/info/rfc6750',
      primary: true,
    },
    {
      type: 'oauth2',
      name: 'OAuth 2.0 client credentials',
      description: `A client that an administrator makes for the directory gets tokens of an hour at ${base}/token.`,
      specUri: 'https://www.rfc-editor.org/info/rfc6749',
      primary: false,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
});

const shownSchema = (base: string, s: Schema): Shown => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
  id: s.id,
  name: s.name,
  description: s.says,
  attributes: s.attributes.map(shownAttribute),
  meta: { resourceType: 'Schema', location: `${base}/Schemas/${s.id}` },
});

const shownType = (base: string, r: Resource): Shown => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
  id: r.name,
  name: r.name,
  endpoint: r.endpoint,
  description: r.schema.says,
  schema: r.schema.id,
  schemaExtensions: r.extensions.map((e) => ({ schema: e.id, required: false })),
  meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${r.name}` },
});

const kinds = (ctx: ScimCtx): readonly Resource[] => [ctx.resources.user, ctx.resources.group];
const schemasOf = (ctx: ScimCtx): readonly Schema[] => kinds(ctx).flatMap((r) => [r.schema, ...r.extensions]);

/** RFC 7644 §4: a filter here would have to be refused as forbidden; these lists are short. */
function refuseFilter(query: Record<string, unknown>): void {
  if (query['filter'] !== undefined)
    throw new Problem('forbidden', 'directory/discovery-filter', {
      says: 'what the server can do is listed whole, without a filter',
    });
}

const unknown = (what: string, id: string): Problem =>
  new Problem('missing', 'directory/no-description', {
    says: `there is no ${what} ${id.slice(0, 100)}`,
    fix: 'list them all',
  });

const every = z.looseObject({});

/** What a client can find out by itself, all from the one schema definition. */
export const scimDiscovery: readonly Operation[] = [
  page({
    id: 'directory.scim_service_provider_config',
    at: 'GET /ServiceProviderConfig',
    can,
    says: 'What this SCIM server can do.',
    params,
    handle: (ctx) => Promise.resolve(scimJson(200, config(baseOf(scimCtx(ctx))))),
  }),
  page({
    id: 'directory.list_scim_resource_types',
    at: 'GET /ResourceTypes',
    can,
    says: 'The kinds of resources.',
    params,
    query: every,
    async handle(c, { query }) {
      refuseFilter(query);
      const ctx = scimCtx(c);
      const shown = kinds(ctx).map((r) => shownType(baseOf(ctx), r));
      return scimJson(200, shownList(shown, shown.length, 1));
    },
  }),
  page({
    id: 'directory.find_scim_resource_type',
    at: 'GET /ResourceTypes/:id',
    can,
    says: 'One kind of resource.',
    params: one,
    async handle(c, { params: { id } }) {
      const ctx = scimCtx(c);
      const found = kinds(ctx).find((r) => r.name === id);
      if (!found) throw unknown('resource type', id);
      return scimJson(200, shownType(baseOf(ctx), found));
    },
  }),
  page({
    id: 'directory.list_scim_schemas',
    at: 'GET /Schemas',
    can,
    says: 'The attributes of every kind of resource.',
    params,
    query: every,
    async handle(c, { query }) {
      refuseFilter(query);
      const ctx = scimCtx(c);
      const shown = schemasOf(ctx).map((s) => shownSchema(baseOf(ctx), s));
      return scimJson(200, shownList(shown, shown.length, 1));
    },
  }),
  page({
    id: 'directory.find_scim_schema',
    at: 'GET /Schemas/:id',
    can,
    says: 'One schema.',
    params: one,
    async handle(c, { params: { id } }) {
      const ctx = scimCtx(c);
      const found = schemasOf(ctx).find((s) => s.id.toLowerCase() === id.toLowerCase());
      if (!found) throw unknown('schema', id);
      return scimJson(200, shownSchema(baseOf(ctx), found));
    },
  }),
  page({
    id: 'directory.scim_me',
    at: 'GET /Me',
    can,
    says: 'Not offered: a token stands for a directory, not for a person.',
    params,
    // RFC 7644 §3.11 asks for 501 here and nowhere else, so it is no kind of Problem.
    handle: () =>
      Promise.resolve(
        scimJson(501, {
          schemas: [errorSchema],
          status: '501',
          detail: 'a token stands for a directory, not for a person. What to do: find the user at /Users.',
        }),
      ),
  }),
];
