import { z } from 'zod';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import { scopeOf } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { addMember } from './add-member.ts';
import { keyPermissions, type ApiKey } from './api-key.ts';
import { listApiKeys } from './api-key.sql.ts';
import { changeRole } from './change-role.ts';
import { createApiKey } from './create-api-key.ts';
import { givenRoles, memberRoles, noSuchMember, type MemberUser } from './member.ts';
import { findMemberUser, listMembers } from './member.sql.ts';
import { noSuchOrg, surfaces } from './org.ts';
import { findOrg, listOrgsOfUser } from './org.sql.ts';
import { removeMember } from './remove-member.ts';
import { renameOrg } from './rename-org.ts';
import { revokeApiKey } from './revoke-api-key.ts';
import { setUserState } from './set-user-state.ts';
import { transferOwnership } from './transfer-ownership.ts';

/** A Ctx inside an organization; the gate has set it for every path with `:org`. */
export function inOrg(ctx: Ctx): OrgCtx {
  if (!ctx.org) throw new Problem('bug', 'org/no-org', { says: 'this operation needs an organization in its path' });
  return { ...ctx, org: ctx.org };
}

/** An id of this kind in a path or body. One that cannot be ours is answered like one that does not exist, by `missing`. */
export const idOf = <K extends string>(kind: K, missing: () => Problem) =>
  z.string().transform((text): Id<K> => {
    const id = parseId(kind, text);
    if (!id) throw missing();
    return id;
  });

const noSuchUser = (): Problem =>
  new Problem('missing', 'org/no-such-user', { says: 'there is no such person in this organization' });
const noSuchKey = (): Problem =>
  new Problem('missing', 'org/no-such-key', { says: 'there is no such API key in this organization' });

const inside = { org: z.string() };
const OrgPath = z.object(inside);
const MemberPath = z.object({ ...inside, member: idOf('mem', noSuchMember) });
const UserPath = z.object({ ...inside, user: idOf('usr', noSuchUser) });
const KeyPath = z.object({ ...inside, key: idOf('key', noSuchKey) });

const Name = z.string().trim().min(1).max(200);
const Time = z.iso.datetime({ offset: true });

const ShownOrg = z.object({
  id: z.string(),
  parent: z.string(),
  name: z.string(),
  surface: z.enum(surfaces),
  region: z.string(),
  createdAt: Time,
});
const ShownMember = z.object({
  id: z.string(),
  user: z.string(),
  email: z.string(),
  displayName: z.string(),
  role: z.enum(memberRoles),
  state: z.enum(['active', 'suspended']),
  origin: z.enum(['local', 'directory', 'sign_in']),
  since: Time,
});
const shownMember = (m: MemberUser): z.infer<typeof ShownMember> => ({ ...m, since: m.since.toISOString() });
const ShownKey = z.object({
  id: z.string(),
  name: z.string(),
  permissions: z.array(z.enum(keyPermissions)),
  createdBy: z.string(),
  createdAt: Time,
  expiresAt: Time,
  revokedAt: Time.nullable(),
  lastUsedAt: Time.nullable(),
});
const shownKey = (k: ApiKey): z.infer<typeof ShownKey> => ({
  ...k,
  permissions: keyPermissions.filter((p) => k.permissions.includes(p)),
  createdAt: k.createdAt.toISOString(),
  expiresAt: k.expiresAt.toISOString(),
  revokedAt: k.revokedAt?.toISOString() ?? null,
  lastUsedAt: k.lastUsedAt?.toISOString() ?? null,
});

async function shownMemberOf(ctx: OrgCtx, id: Id<'mem'>): Promise<z.infer<typeof ShownMember>> {
  const found = await ctx.db.read(scopeOf(ctx), (db) => findMemberUser(db, id));
  if (!found) throw noSuchMember();
  return shownMember(found);
}

async function shownOrg(ctx: OrgCtx): Promise<z.infer<typeof ShownOrg>> {
  const org = await ctx.db.read(scopeOf(ctx), (db) => findOrg(db, ctx.org));
  if (!org) throw noSuchOrg();
  return { ...org, parent: ctx.parent, createdAt: org.createdAt.toISOString() };
}

const setState = (verb: 'suspend' | 'reactivate', state: 'suspended' | 'active', says: string): Operation =>
  operation({
    id: `org.${verb}_user`,
    at: `POST /orgs/:org/users/:user/${verb}`,
    can: 'member.manage',
    says,
    params: UserPath,
    reply: z.object({ id: z.string(), state: z.enum(['active', 'suspended']) }),
    handle: (ctx, { params }) => setUserState(inOrg(ctx), params.user, state),
  });

/** Organizations, people and keys, under `/api`. */
export const orgOperations: readonly Operation[] = [
  operation({
    id: 'org.list_my_orgs',
    at: 'GET /orgs',
    can: 'signed_in',
    says: 'Lists the organizations that the caller is in, with the role there.',
    reply: z.object({
      items: z.array(z.object({ id: z.string(), name: z.string(), role: z.enum(memberRoles).nullable() })),
    }),
    async handle(ctx) {
      const { actor } = ctx;
      if (actor.kind === 'user') {
        const orgs = await ctx.db.read({ parent: ctx.parent }, (db) => listOrgsOfUser(db, actor.id));
        return { items: orgs.map((o) => ({ id: o.org, name: o.name, role: o.role })) };
      }
      // A key belongs to one organization and has permissions there, not a role.
      const { id, name } = await shownOrg(inOrg(ctx));
      return { items: [{ id, name, role: null }] };
    },
  }),
  operation({
    id: 'org.read_org',
    at: 'GET /orgs/:org',
    can: 'org.read',
    says: 'Shows the organization.',
    params: OrgPath,
    reply: ShownOrg,
    handle: (ctx) => shownOrg(inOrg(ctx)),
  }),
  operation({
    id: 'org.rename_org',
    at: 'PATCH /orgs/:org',
    can: 'org.manage',
    says: 'Gives the organization another name.',
    params: OrgPath,
    body: z.strictObject({ name: Name }),
    reply: ShownOrg,
    async handle(ctx, { body }) {
      await renameOrg(inOrg(ctx), body.name);
      return shownOrg(inOrg(ctx));
    },
  }),
  operation({
    id: 'org.list_members',
    at: 'GET /orgs/:org/members',
    can: 'member.read',
    says: 'Lists the members with their accounts; q searches e-mail and name.',
    params: OrgPath,
    query: ListQuery.extend({
      role: z.enum(memberRoles).optional(),
      state: z.enum(['active', 'suspended']).optional(),
    }),
    reply: listOf(ShownMember),
    async handle(ctx, { query }) {
      const { cursor: after, ...filter } = query;
      const rows = await ctx.db.read(scopeOf(ctx), (db) => listMembers(db, { ...filter, after }));
      const page = listed(rows, query.limit, (m) => [m.email.toLowerCase(), m.id]);
      return { ...page, items: page.items.map(shownMember) };
    },
  }),
  operation({
    id: 'org.read_member',
    at: 'GET /orgs/:org/members/:member',
    can: 'member.read',
    says: 'Shows one member.',
    params: MemberPath,
    reply: ShownMember,
    handle: (ctx, { params }) => shownMemberOf(inOrg(ctx), params.member),
  }),
  operation({
    id: 'org.add_member',
    at: 'POST /orgs/:org/members',
    can: 'member.manage',
    says: 'Adds a person by hand; a new one gets an account that opens nothing until it is linked to an identity.',
    params: OrgPath,
    body: z.strictObject({ email: z.email().max(320), displayName: Name, role: z.enum(givenRoles) }),
    reply: ShownMember,
    status: 201,
    headers: (m, ctx) => ({ location: `/api/orgs/${ctx.org}/members/${m.id}` }),
    async handle(ctx, { body }) {
      const member = await addMember(inOrg(ctx), body);
      return shownMemberOf(inOrg(ctx), member.id);
    },
  }),
  operation({
    id: 'org.change_role',
    at: 'PATCH /orgs/:org/members/:member',
    can: 'member.manage',
    says: 'Gives a member another role; to or from owner needs owner.manage too.',
    params: MemberPath,
    body: z.strictObject({ role: z.enum(givenRoles) }),
    reply: ShownMember,
    async handle(ctx, { params, body }) {
      await changeRole(inOrg(ctx), params.member, body.role);
      return shownMemberOf(inOrg(ctx), params.member);
    },
  }),
  operation({
    id: 'org.remove_member',
    at: 'DELETE /orgs/:org/members/:member',
    can: 'member.manage',
    says: 'Takes a person out of the organization; API keys that they created end with that.',
    params: MemberPath,
    reply: z.object({ keysEnded: z.number().int() }),
    handle: (ctx, { params }) => removeMember(inOrg(ctx), params.member),
  }),
  operation({
    id: 'org.transfer_ownership',
    at: 'POST /orgs/:org/transfer-ownership',
    can: 'owner.manage',
    says: 'Hands the organization over to another member; only the primary owner in person may.',
    params: OrgPath,
    body: z.strictObject({ to: idOf('mem', noSuchMember) }),
    reply: ShownMember,
    async handle(ctx, { body }) {
      await transferOwnership(inOrg(ctx), body.to);
      return shownMemberOf(inOrg(ctx), body.to);
    },
  }),
  setState(
    'suspend',
    'suspended',
    'Suspends a person in every organization of the parent, from their next request on.',
  ),
  setState('reactivate', 'active', 'Lets a suspended person back in.'),
  operation({
    id: 'org.create_api_key',
    at: 'POST /orgs/:org/api-keys',
    can: 'api_key.manage',
    says: 'Creates an API key with some of the permissions of its creator; the value is shown once.',
    params: OrgPath,
    body: z.strictObject({
      name: Name,
      permissions: z.array(z.enum(keyPermissions)).min(1).max(keyPermissions.length),
      expiresAt: Time,
    }),
    reply: ShownKey.extend({ value: z.string() }),
    status: 201,
    async handle(ctx, { body }) {
      const made = await createApiKey(inOrg(ctx), { ...body, expiresAt: new Date(body.expiresAt) });
      return { ...shownKey(made.key), value: made.value };
    },
  }),
  operation({
    id: 'org.list_api_keys',
    at: 'GET /orgs/:org/api-keys',
    can: 'api_key.manage',
    says: 'Lists the API keys, newest first; q searches name, id and permission.',
    params: OrgPath,
    query: ListQuery,
    reply: listOf(ShownKey),
    async handle(ctx, { query }) {
      const rows = await ctx.db.read(scopeOf(ctx), (db) => listApiKeys(db, { ...query, after: query.cursor }));
      const page = listed(rows, query.limit, (k) => [k.id]);
      return { ...page, items: page.items.map(shownKey) };
    },
  }),
  operation({
    id: 'org.revoke_api_key',
    at: 'DELETE /orgs/:org/api-keys/:key',
    can: 'api_key.manage',
    says: 'Ends an API key at once.',
    params: KeyPath,
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params }) => revokeApiKey(inOrg(ctx), params.key),
  }),
];
