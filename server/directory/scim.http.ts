import { z } from 'zod';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { scimCtx, type ScimCtx } from './directory.ts';
import { groupId, perform, userId, type Act, type Performed } from './perform.ts';
import { runBulk } from './run-bulk.ts';
import { MAX_BULK_BYTES } from './scim-bulk.ts';
import { tokenOf } from './scim-change.ts';
import { etag, fits, parseEtags } from './scim-etag.ts';
import { listMembershipsOfUsers, findScimGroup } from './scim-group.sql.ts';
import type { ScimGroup } from './scim-group.ts';
import { entryOf } from './scim-journal.ts';
import { scimList, shownGroups, shownPage, shownUsers, type ListQuery } from './scim-list.ts';
import { noGroup, noUser } from './scim-missing.ts';
import type { Resource } from './scim-schema.ts';
import { searchQuery } from './scim-search.ts';
import { findScimUser } from './scim-user.sql.ts';
import type { ScimUser } from './scim-user.ts';
import { parseSelection, SCIM_TYPE, selected, selects, shownUser, type Selection, type Shown } from './scim-wire.ts';
import { groupsText, groupText, streamed } from './stream-groups.ts';

const Query = z.object({ attributes: z.string().optional(), excludedAttributes: z.string().optional() });
/** Parsed by scim-value.ts and scim-patch.ts, which know the schema; a copy made here could lose what they must refuse. */
const Body = z.unknown();
const accepts = [SCIM_TYPE];
const can = 'scim';

export const baseOf = (ctx: ScimCtx): string => `${ctx.origin}/scim/v2/${ctx.directory}`;

const headersOf = (more: Record<string, string> = {}): Record<string, string> => ({
  'content-type': SCIM_TYPE,
  'cache-control': 'no-store',
  ...more,
});

export const scimJson = (status: number, body: Shown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: headersOf(headers) });

const nothing = (status: 204 | 304, headers: Record<string, string> = {}): Response =>
  new Response(null, { status, headers: { 'cache-control': 'no-store', ...headers } });

async function answerUser(ctx: ScimCtx, status: number, user: ScimUser, s: Selection): Promise<Response> {
  // Who was just added is in no group.
  const groups =
    status !== 201 && selects(s, 'groups')
      ? await ctx.db.read(scopeOf(ctx), (db) => listMembershipsOfUsers(db, [user.id]))
      : [];
  const base = baseOf(ctx);
  return scimJson(status, selected(shownUser(base, ctx.resources.user, user, groups), s), {
    etag: etag(user.version),
    ...(status === 201 ? { location: `${base}/Users/${user.id}` } : {}),
  });
}

function answerGroup(ctx: ScimCtx, status: number, group: ScimGroup, s: Selection): Response {
  const base = baseOf(ctx);
  return new Response(streamed(ctx, groupText(ctx, base, group, s)), {
    status,
    headers: headersOf({
      etag: etag(group.version),
      ...(status === 201 ? { location: `${base}/Groups/${group.id}` } : {}),
    }),
  });
}

const selection = (r: Resource, q: z.infer<typeof Query>): Selection =>
  parseSelection(r, q.attributes, q.excludedAttributes);

const unchangedSince = (headers: Headers, version: number): boolean =>
  fits(parseEtags(headers.get('if-none-match')), version);

/** Notes in the journal what was not noted with a change: repetitions always, reads where the directory asks for them. */
function noteEnd(ctx: ScimCtx, kind: 'reads' | 'writes', status: number): void {
  const { call } = ctx;
  if (call.noted || (kind === 'reads' && ctx.settings.journal === 'changes')) return;
  call.noted = true;
  call.note(entryOf(call, { ...ctx, token: tokenOf(ctx) }, { status }));
}

async function listed(
  c: Ctx,
  of: (ctx: ScimCtx) => readonly Resource[],
  query: ListQuery,
  body?: unknown,
): Promise<Response> {
  const ctx = scimCtx(c);
  ctx.call.body = body;
  const base = baseOf(ctx);
  const page = await scimList(ctx, of(ctx), query);
  const { found, selection: s } = page;
  const shown: Shown[] = [];
  for (const { r, users, groups } of found) {
    const whole = r.name === 'User' ? shownUsers(ctx, base, page, users) : await shownGroups(ctx, base, groups, s);
    if (!whole) {
      const count = [...shown, ...groups].length;
      const head = { ...shownPage(page, []), itemsPerPage: count, Resources: undefined };
      const before = shown.map((one) => JSON.stringify(one));
      noteEnd(ctx, 'reads', 200);
      const text = groupsText(ctx, base, JSON.stringify({ ...head, Resources: [] }), before, groups, s);
      return new Response(streamed(ctx, text), { headers: headersOf() });
    }
    shown.push(...whole);
  }
  ctx.call.meant = { found: shown.length, total: page.total };
  noteEnd(ctx, 'reads', 200);
  return scimJson(200, shownPage(page, shown));
}
const Everything = z.record(z.string(), z.string());
const InDirectory = z.object({ directory: z.string() });
const OfOne = z.object({ directory: z.string(), id: z.string() });

const both = (ctx: ScimCtx): readonly Resource[] => [ctx.resources.user, ctx.resources.group];

/** The operations of one kind of resource; they differ in their words only. */
function operationsOf(kind: 'User' | 'Group', noun: 'user' | 'group', endpoint: '/Users' | '/Groups'): Operation[] {
  const own = (ctx: ScimCtx): Resource => ctx.resources[noun];
  const answer = (ctx: ScimCtx, status: number, done: Performed, s: Selection): Promise<Response> | Response =>
    done.kind === 'User'
      ? answerUser(ctx, status, done.user, s)
      : done.kind === 'Group'
        ? answerGroup(ctx, status, done.group, s)
        : nothing(204);
  type Asked = { params: Record<string, string>; query: z.infer<typeof Query>; body: unknown; headers: Headers };
  const write = async (c: Ctx, method: Act['method'], { params, query, body, headers }: Asked): Promise<Response> => {
    const ctx = scimCtx(c);
    ctx.call.body = body;
    const s = selection(own(ctx), query);
    // No body unless one was asked for (RFC 7644 §3.5.2): a group may have a hundred thousand members.
    const quiet = method === 'DELETE' || (method === 'PATCH' && kind === 'Group' && !s);
    const status = method === 'POST' ? 201 : quiet ? 204 : 200;
    ctx.call.status = status;
    const when = method === 'POST' ? undefined : parseEtags(headers.get('if-match'));
    const done = await perform(ctx, { method, kind, id: params['id'], body, when });
    noteEnd(ctx, 'writes', status);
    return quiet ? nothing(204) : answer(ctx, status, done, s);
  };
  return [
    page({
      id: `directory.list_scim_${noun}s`,
      at: `GET ${endpoint}`,
      can,
      says: `Lists or searches the ${noun}s of the directory.`,
      params: InDirectory,
      query: Everything,
      handle: (ctx, { query }) => listed(ctx, (scim) => [own(scim)], query),
    }),
    page({
      id: `directory.search_scim_${noun}s`,
      at: `POST ${endpoint}/.search`,
      can,
      says: `Searches the ${noun}s of the directory with the question in the body.`,
      params: InDirectory,
      body: Body,
      accepts,
      handle: (ctx, { body }) => listed(ctx, (scim) => [own(scim)], searchQuery(body), body),
    }),
    page({
      id: `directory.create_scim_${noun}`,
      at: `POST ${endpoint}`,
      can,
      says: `Adds a ${noun} to the directory.`,
      params: InDirectory,
      query: Query,
      body: Body,
      accepts,
      handle: (ctx, input) => write(ctx, 'POST', input),
    }),
    page({
      id: `directory.find_scim_${noun}`,
      at: `GET ${endpoint}/:id`,
      can,
      says: `Shows a ${noun} of the directory${kind === 'Group' ? ' with its members' : ''}.`,
      params: OfOne,
      query: Query,
      async handle(c, { params, query, headers }) {
        const ctx = scimCtx(c);
        const s = selection(own(ctx), query);
        ctx.call.resource = params.id.slice(0, 100);
        const found: Performed = kind === 'User' ? await findUser(ctx, params.id) : await findGroup(ctx, params.id);
        noteEnd(ctx, 'reads', 200);
        const version = found.kind === 'User' ? found.user.version : found.kind === 'Group' ? found.group.version : 0;
        return unchangedSince(headers, version) ? nothing(304, { etag: etag(version) }) : answer(ctx, 200, found, s);
      },
    }),
    page({
      id: `directory.replace_scim_${noun}`,
      at: `PUT ${endpoint}/:id`,
      can,
      says: kind === 'User' ? 'Sets all attributes of a user.' : 'Sets name and members of a group.',
      params: OfOne,
      query: Query,
      body: Body,
      accepts,
      handle: (ctx, input) => write(ctx, 'PUT', input),
    }),
    page({
      id: `directory.patch_scim_${noun}`,
      at: `PATCH ${endpoint}/:id`,
      can,
      says: `Changes ${kind === 'User' ? 'attributes of a user' : 'name or members of a group'}, all operations or none.`,
      params: OfOne,
      query: Query,
      body: Body,
      accepts,
      handle: (ctx, input) => write(ctx, 'PATCH', input),
    }),
    page({
      id: `directory.delete_scim_${noun}`,
      at: `DELETE ${endpoint}/:id`,
      can,
      says:
        kind === 'User'
          ? 'Removes a user from the directory and suspends the account.'
          : 'Removes a group from the directory.',
      params: OfOne,
      handle: (ctx, { params, headers }) => write(ctx, 'DELETE', { params, query: {}, body: undefined, headers }),
    }),
  ];
}

async function findUser(ctx: ScimCtx, text: string): Promise<Performed> {
  const id = userId(text);
  const user = await ctx.db.read(scopeOf(ctx), (db) => findScimUser(db, ctx.directory, id));
  if (!user) throw noUser(id);
  return { kind: 'User', user };
}

async function findGroup(ctx: ScimCtx, text: string): Promise<Performed> {
  const id = groupId(text);
  const group = await ctx.db.read(scopeOf(ctx), (db) => findScimGroup(db, ctx.directory, id));
  if (!group) throw noGroup(id);
  return { kind: 'Group', group };
}

/** Users, Groups, .search and Bulk of SCIM 2.0 (RFC 7644 §3). */
export const scimOperations: readonly Operation[] = [
  ...operationsOf('User', 'user', '/Users'),
  ...operationsOf('Group', 'group', '/Groups'),
  page({
    id: 'directory.search_scim',
    at: 'POST /.search',
    can,
    says: 'Searches users and groups of the directory at once.',
    params: InDirectory,
    body: Body,
    accepts,
    handle: (ctx, { body }) => listed(ctx, both, searchQuery(body), body),
  }),
  page({
    id: 'directory.scim_bulk',
    at: 'POST /Bulk',
    can,
    says: 'Up to 1,000 operations in one request, each applied whole or not at all.',
    params: InDirectory,
    body: Body,
    accepts,
    maxBody: MAX_BULK_BYTES,
    handle: async (ctx, { body }) => {
      const scim = scimCtx(ctx);
      return scimJson(200, await runBulk(scim, baseOf(scim), body));
    },
  }),
];
