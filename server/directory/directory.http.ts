import { z } from 'zod';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { parseId } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { inOrg } from '#org/org.http.ts';
import { createDirectory } from './create-directory.ts';
import { changeDirectory } from './change-directory.ts';
import { Domain, DirectorySettings, Extensions } from './directory-settings.ts';
import { createScimToken } from './create-scim-token.ts';
import {
  findDirectory,
  findGroup,
  listDirectories,
  listGroupMembers,
  listGroups,
  listScimTokens,
} from './directory.sql.ts';
import { MAX_TOKEN_DAYS, type Directory, type ScimToken } from './directory.ts';
import { noDirectory } from './no-directory.ts';
import { directoryId } from './journal.http.ts';
import { revokeScimToken } from './revoke-scim-token.ts';
import { fold } from './scim-filter.ts';
import { noGroup } from './scim-missing.ts';

const InOrg = z.object({ org: z.string() });
const OfDirectory = z.object({ org: z.string(), directory: z.string() });

const DirectoryReply = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(['active', 'paused']),
  created: z.string(),
  /** What the directory's side is configured with, beside a token. */
  url: z.string(),
  settings: DirectorySettings,
});
const TokenReply = z.object({
  id: z.string(),
  created: z.string(),
  createdBy: z.string(),
  expires: z.string(),
  revoked: z.string().nullable(),
  lastUsed: z.string().nullable(),
});
const NewToken = z.object({ id: z.string(), token: z.string(), expires: z.string() });
const GroupReply = z.object({
  id: z.string(),
  directory: z.string(),
  name: z.string(),
  externalId: z.string().nullable(),
  members: z.number(),
});
const MemberReply = z.object({
  entry: z.string(),
  user: z.string().nullable(),
  name: z.string(),
  userName: z.string(),
  active: z.boolean(),
  unlinkedBecause: z.enum(['local_user', 'address_in_use', 'no_address', 'domain_held']).nullable(),
});

const shownDirectory = (ctx: Ctx, d: Directory): z.infer<typeof DirectoryReply> => ({
  id: d.id,
  name: d.name,
  state: d.state,
  created: d.created.toISOString(),
  url: `${ctx.origin}/scim/v2/${d.id}`,
  settings: d.settings,
});

const shownToken = (t: ScimToken): z.infer<typeof TokenReply> => ({
  id: t.id,
  created: t.created.toISOString(),
  createdBy: t.createdBy,
  expires: t.expires.toISOString(),
  revoked: t.revoked?.toISOString() ?? null,
  lastUsed: t.lastUsed?.toISOString() ?? null,
});

const searched = (q: ListQuery): { search: string; after: string; limit: number } => ({
  search: fold(q.q ?? ''),
  after: q.cursor?.[0] ?? '',
  limit: q.limit + 1,
});

/** What admins do with directories; door `/api`. */
export const directoryOperations: readonly Operation[] = [
  operation({
    id: 'directory.create_directory',
    at: 'POST /orgs/:org/directories',
    can: 'directory.manage',
    says: 'Connects a directory over SCIM 2.0.',
    params: InOrg,
    body: z.strictObject({ name: z.string().trim().min(1).max(200) }),
    reply: DirectoryReply,
    status: 201,
    handle: async (ctx, { body }) => shownDirectory(ctx, await createDirectory(inOrg(ctx), body.name)),
  }),
  operation({
    id: 'directory.list_directories',
    at: 'GET /orgs/:org/directories',
    can: 'directory.manage',
    says: 'Lists the directories of the organization.',
    params: InOrg,
    reply: listOf(DirectoryReply),
    handle: async (ctx) => ({
      items: (await ctx.db.read(scopeOf(ctx), listDirectories)).map((d) => shownDirectory(ctx, d)),
      next: null,
    }),
  }),
  operation({
    id: 'directory.get_directory',
    at: 'GET /orgs/:org/directories/:directory',
    can: 'directory.manage',
    says: 'One directory with its settings.',
    params: OfDirectory,
    reply: DirectoryReply,
    async handle(ctx, { params }) {
      const id = directoryId(params.directory);
      const found = await ctx.db.read(scopeOf(ctx), (db) => findDirectory(db, id));
      if (!found) throw noDirectory(id);
      return shownDirectory(ctx, found);
    },
  }),
  operation({
    id: 'directory.change_directory',
    at: 'PATCH /orgs/:org/directories/:directory',
    can: 'directory.manage',
    says: 'Changes name or settings of a directory, pauses or resumes it. What is left out stays.',
    params: OfDirectory,
    body: z.strictObject({
      name: z.string().trim().min(1).max(200).optional(),
      state: z.enum(['active', 'paused']).optional(),
      profile: z
        .enum(['compat', 'strict'])
        .optional()
        .describe(
          'compat takes every spelling that vendors document; strict refuses unknown attributes and removals of nothing.',
        ),
      domains: z.array(Domain).max(500).optional().describe('Domains that its people may have addresses of.'),
      domainPolicy: z
        .enum(['accept', 'hold', 'refuse'])
        .optional()
        .describe(
          'What becomes of people with an address of another domain: an account, an entry without account, or 400.',
        ),
      extensions: Extensions.optional().describe('Schema extensions of people, with typed attributes.'),
      rate: z.number().int().min(1).max(100_000).optional().describe('Requests a second that each node serves.'),
      journal: z.enum(['changes', 'all']).optional(),
      journalDays: z.number().int().min(1).max(365).optional(),
    }),
    reply: DirectoryReply,
    handle: async (ctx, { params, body }) =>
      shownDirectory(ctx, await changeDirectory(inOrg(ctx), directoryId(params.directory), body)),
  }),
  operation({
    id: 'directory.create_scim_token',
    at: 'POST /orgs/:org/directories/:directory/tokens',
    can: 'directory.manage',
    says: 'Makes a token for a directory. It is shown this once.',
    params: OfDirectory,
    body: z.strictObject({ days: z.number().int().min(1).max(MAX_TOKEN_DAYS).default(MAX_TOKEN_DAYS) }),
    reply: NewToken,
    status: 201,
    async handle(ctx, { params, body }) {
      const made = await createScimToken(inOrg(ctx), directoryId(params.directory), body.days);
      return { ...made, expires: made.expires.toISOString() };
    },
  }),
  operation({
    id: 'directory.list_scim_tokens',
    at: 'GET /orgs/:org/directories/:directory/tokens',
    can: 'directory.manage',
    says: 'Lists the tokens of a directory, without their secrets.',
    params: OfDirectory,
    reply: listOf(TokenReply),
    handle: (ctx, { params }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const id = directoryId(params.directory);
        if (!(await findDirectory(db, id))) throw noDirectory(id);
        return { items: (await listScimTokens(db, id)).map(shownToken), next: null };
      }),
  }),
  operation({
    id: 'directory.revoke_scim_token',
    at: 'DELETE /orgs/:org/directories/:directory/tokens/:token',
    can: 'directory.manage',
    says: 'Ends a token of a directory at once.',
    params: z.object({ org: z.string(), directory: z.string(), token: z.string() }),
    reply: z.undefined(),
    status: 204,
    async handle(ctx, { params }) {
      const token = parseId('sct', params.token);
      if (!token)
        throw new Problem('missing', 'directory/no-token', { says: 'there is no such token of this directory' });
      await revokeScimToken(inOrg(ctx), directoryId(params.directory), token);
      return undefined;
    },
  }),
  operation({
    id: 'directory.list_groups',
    at: 'GET /orgs/:org/groups',
    can: 'member.read',
    says: 'Lists the groups that rules can speak of.',
    params: InOrg,
    query: ListQuery,
    reply: listOf(GroupReply),
    handle: (ctx, { query }) =>
      ctx.db.read(scopeOf(ctx), async (db) =>
        listed(await listGroups(db, searched(query)), query.limit, (g) => [g.id]),
      ),
  }),
  operation({
    id: 'directory.list_group_members',
    at: 'GET /orgs/:org/groups/:group/members',
    can: 'member.read',
    says: 'Lists the people of a group.',
    params: z.object({ org: z.string(), group: z.string() }),
    query: ListQuery,
    reply: listOf(MemberReply),
    handle: (ctx, { params, query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const id = parseId('grp', params.group);
        if (!id || !(await findGroup(db, id))) throw noGroup(params.group);
        return listed(await listGroupMembers(db, id, searched(query)), query.limit, (m) => [m.entry]);
      }),
  }),
];
