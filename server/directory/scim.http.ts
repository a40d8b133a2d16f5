import { z } from 'zod';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { createScimGroup } from './create-scim-group.ts';
import { createScimUser } from './create-scim-user.ts';
import { deleteScimGroup } from './delete-scim-group.ts';
import { deleteScimUser } from './delete-scim-user.ts';
import { scimCtx, type ScimCtx } from './directory.ts';
import { patchScimGroup } from './patch-scim-group.ts';
import { patchScimUser } from './patch-scim-user.ts';
import { replaceScimGroup } from './replace-scim-group.ts';
import { replaceScimUser } from './replace-scim-user.ts';
import { etag, fits, parseEtags, type Precondition } from './scim-etag.ts';
import { scimList } from './scim-list.ts';
import { noGroup, noUser } from './scim-missing.ts';
import { listMembershipsOfGroups, listMembershipsOfUsers, findScimGroup } from './scim-group.sql.ts';
import type { ScimGroup } from './scim-group.ts';
import { groupResource, userResource } from './scim-schema.ts';
import { findScimUser } from './scim-user.sql.ts';
import type { ScimUser } from './scim-user.ts';
import {
  parseSelection,
  SCIM_TYPE,
  selected,
  selects,
  shownGroup,
  shownUser,
  type Selection,
  type Shown,
} from './scim-wire.ts';

const InDirectory = z.object({ directory: z.string() });
const OfOne = z.object({ directory: z.string(), id: z.string() });
const Query = z.object({ attributes: z.string().optional(), excludedAttributes: z.string().optional() });
/** Parsed by scim-value.ts and scim-patch.ts, which know the schema; a copy made here could lose what they must refuse. */
const Body = z.unknown();
const accepts = [SCIM_TYPE];
const can = 'scim';

export const baseOf = (ctx: ScimCtx): string => `${ctx.origin}/scim/v2/${ctx.directory}`;

export const scimJson = (status: number, body: Shown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': SCIM_TYPE, 'cache-control': 'no-store', ...headers },
  });

const nothing = (status: 204 | 304, headers: Record<string, string> = {}): Response =>
  new Response(null, { status, headers: { 'cache-control': 'no-store', ...headers } });

const userId = (text: string): Id<'scu'> => {
  const id = parseId('scu', text);
  if (!id) throw noUser(text);
  return id;
};
const groupId = (text: string): Id<'grp'> => {
  const id = parseId('grp', text);
  if (!id) throw noGroup(text);
  return id;
};

const ifMatch = (headers: Headers): Precondition => parseEtags(headers.get('if-match'));

async function answerUser(ctx: ScimCtx, status: number, user: ScimUser, s: Selection): Promise<Response> {
  const groups = selects(s, 'groups')
    ? await ctx.db.read(scopeOf(ctx), (db) => listMembershipsOfUsers(db, [user.id]))
    : [];
  const base = baseOf(ctx);
  return scimJson(status, selected(shownUser(base, user, groups), s), {
    etag: etag(user.version),
    ...(status === 201 ? { location: `${base}/Users/${user.id}` } : {}),
  });
}

async function answerGroup(ctx: ScimCtx, status: number, group: ScimGroup, s: Selection): Promise<Response> {
  const members = selects(s, 'members')
    ? await ctx.db.read(scopeOf(ctx), (db) => listMembershipsOfGroups(db, [group.id]))
    : undefined;
  const base = baseOf(ctx);
  return scimJson(status, selected(shownGroup(base, group, members), s), {
    etag: etag(group.version),
    ...(status === 201 ? { location: `${base}/Groups/${group.id}` } : {}),
  });
}

const userSelection = (q: z.infer<typeof Query>): Selection =>
  parseSelection(userResource, q.attributes, q.excludedAttributes);
const groupSelection = (q: z.infer<typeof Query>): Selection =>
  parseSelection(groupResource, q.attributes, q.excludedAttributes);

const unchangedSince = (headers: Headers, version: number): boolean =>
  fits(parseEtags(headers.get('if-none-match')), version);

async function findUser(ctx: ScimCtx, id: Id<'scu'>): Promise<ScimUser> {
  const user = await ctx.db.read(scopeOf(ctx), (db) => findScimUser(db, ctx.directory, id));
  if (!user) throw noUser(id);
  return user;
}

async function findGroup(ctx: ScimCtx, id: Id<'grp'>): Promise<ScimGroup> {
  const group = await ctx.db.read(scopeOf(ctx), (db) => findScimGroup(db, ctx.directory, id));
  if (!group) throw noGroup(id);
  return group;
}

const listed = async (
  ctx: Ctx,
  r: typeof userResource,
  query: Record<string, string | undefined>,
): Promise<Response> => {
  const scim = scimCtx(ctx);
  return scimJson(200, await scimList(scim, r, baseOf(scim), query));
};
const ListQuery = z.record(z.string(), z.string());

/** Users and Groups of SCIM 2.0 (RFC 7644 §3). */
export const scimOperations: readonly Operation[] = [
  page({
    id: 'directory.list_scim_users',
    at: 'GET /Users',
    can,
    says: 'Lists or searches the users of the directory.',
    params: InDirectory,
    query: ListQuery,
    handle: (ctx, { query }) => listed(ctx, userResource, query),
  }),
  page({
    id: 'directory.create_scim_user',
    at: 'POST /Users',
    can,
    says: 'Adds a user to the directory.',
    params: InDirectory,
    query: Query,
    body: Body,
    accepts,
    async handle(ctx, { body, query }) {
      const s = userSelection(query);
      const scim = scimCtx(ctx);
      return answerUser(scim, 201, await createScimUser(scim, body), s);
    },
  }),
  page({
    id: 'directory.find_scim_user',
    at: 'GET /Users/:id',
    can,
    says: 'Shows a user of the directory.',
    params: OfOne,
    query: Query,
    async handle(ctx, { params, query, headers }) {
      const s = userSelection(query);
      const scim = scimCtx(ctx);
      const user = await findUser(scim, userId(params.id));
      return unchangedSince(headers, user.version)
        ? nothing(304, { etag: etag(user.version) })
        : answerUser(scim, 200, user, s);
    },
  }),
  page({
    id: 'directory.replace_scim_user',
    at: 'PUT /Users/:id',
    can,
    says: 'Sets all attributes of a user.',
    params: OfOne,
    query: Query,
    body: Body,
    accepts,
    async handle(ctx, { params, query, body, headers }) {
      const s = userSelection(query);
      const scim = scimCtx(ctx);
      return answerUser(scim, 200, await replaceScimUser(scim, userId(params.id), body, ifMatch(headers)), s);
    },
  }),
  page({
    id: 'directory.patch_scim_user',
    at: 'PATCH /Users/:id',
    can,
    says: 'Changes attributes of a user, all operations or none.',
    params: OfOne,
    query: Query,
    body: Body,
    accepts,
    async handle(ctx, { params, query, body, headers }) {
      const s = userSelection(query);
      const scim = scimCtx(ctx);
      return answerUser(scim, 200, await patchScimUser(scim, userId(params.id), body, ifMatch(headers)), s);
    },
  }),
  page({
    id: 'directory.delete_scim_user',
    at: 'DELETE /Users/:id',
    can,
    says: 'Removes a user from the directory and suspends the account.',
    params: OfOne,
    async handle(ctx, { params, headers }) {
      await deleteScimUser(scimCtx(ctx), userId(params.id), ifMatch(headers));
      return nothing(204);
    },
  }),
  page({
    id: 'directory.list_scim_groups',
    at: 'GET /Groups',
    can,
    says: 'Lists or searches the groups of the directory.',
    params: InDirectory,
    query: ListQuery,
    handle: (ctx, { query }) => listed(ctx, groupResource, query),
  }),
  page({
    id: 'directory.create_scim_group',
    at: 'POST /Groups',
    can,
    says: 'Adds a group to the directory.',
    params: InDirectory,
    query: Query,
    body: Body,
    accepts,
    async handle(ctx, { body, query }) {
      const s = groupSelection(query);
      const scim = scimCtx(ctx);
      return answerGroup(scim, 201, await createScimGroup(scim, body), s);
    },
  }),
  page({
    id: 'directory.find_scim_group',
    at: 'GET /Groups/:id',
    can,
    says: 'Shows a group of the directory with its members.',
    params: OfOne,
    query: Query,
    async handle(ctx, { params, query, headers }) {
      const s = groupSelection(query);
      const scim = scimCtx(ctx);
      const group = await findGroup(scim, groupId(params.id));
      return unchangedSince(headers, group.version)
        ? nothing(304, { etag: etag(group.version) })
        : answerGroup(scim, 200, group, s);
    },
  }),
  page({
    id: 'directory.replace_scim_group',
    at: 'PUT /Groups/:id',
    can,
    says: 'Sets name and members of a group.',
    params: OfOne,
    query: Query,
    body: Body,
    accepts,
    async handle(ctx, { params, query, body, headers }) {
      const s = groupSelection(query);
      const scim = scimCtx(ctx);
      return answerGroup(scim, 200, await replaceScimGroup(scim, groupId(params.id), body, ifMatch(headers)), s);
    },
  }),
  page({
    id: 'directory.patch_scim_group',
    at: 'PATCH /Groups/:id',
    can,
    says: 'Changes name or members of a group, all operations or none.',
    params: OfOne,
    query: Query,
    body: Body,
    accepts,
    async handle(ctx, { params, query, body, headers }) {
      const s = groupSelection(query);
      const scim = scimCtx(ctx);
      const id = groupId(params.id);
      await patchScimGroup(scim, id, body, ifMatch(headers));
      // No body unless one was asked for (RFC 7644 §3.5.2): a group may have a hundred thousand members.
      return s ? answerGroup(scim, 200, await findGroup(scim, id), s) : nothing(204);
    },
  }),
  page({
    id: 'directory.delete_scim_group',
    at: 'DELETE /Groups/:id',
    can,
    says: 'Removes a group from the directory.',
    params: OfOne,
    async handle(ctx, { params, headers }) {
      await deleteScimGroup(scimCtx(ctx), groupId(params.id), ifMatch(headers));
      return nothing(204);
    },
  }),
];
