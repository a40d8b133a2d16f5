import { z } from 'zod';
import { scopeOf, type Ctx, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { containing, listed, listOf, ListQuery, type List } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { listGrantRows, type GrantRow } from './grant.sql.ts';
import { revokeGrant } from './revoke-grant.ts';

const Time = z.iso.datetime({ offset: true });
const ShownGrant = z.object({
  id: z.string(),
  member: z.string(),
  client: z.string(),
  clientName: z.string().nullable(),
  /** By resource, as the client spelt it. */
  scopes: z.record(z.string(), z.array(z.string())),
  givenAt: Time,
  expiresAt: Time,
  lastUsedAt: Time.nullable(),
  /** Whose identity provider vouched for it, where the person was not asked. */
  connection: z.string().nullable(),
});
type ShownGrant = z.infer<typeof ShownGrant>;

const shown = (g: GrantRow): ShownGrant => ({
  ...g,
  scopes: Object.fromEntries(Object.entries(g.scopes).map(([resource, s]) => [resource, s.split(' ')])),
  givenAt: g.givenAt.toISOString(),
  expiresAt: g.expiresAt.toISOString(),
  lastUsedAt: g.lastUsedAt?.toISOString() ?? null,
});

const Path = z.object({ org: z.string() });
const GrantPath = Path.extend({ grant: z.string().max(100) });

function inOrg(ctx: Ctx): OrgCtx {
  if (!ctx.org) throw new Problem('bug', 'org/no-org', { says: 'this operation needs an organization in its path' });
  return { ...ctx, org: ctx.org };
}

/** The member that the person who asks is in this organization. A key is nobody's own. */
async function ownMember(ctx: OrgCtx): Promise<Id<'mem'>> {
  const { actor } = ctx;
  const member =
    actor.kind === 'user' ? await ctx.db.read(scopeOf(ctx), (db) => findMemberByUser(db, actor.id)) : undefined;
  if (!member)
    throw new Problem('forbidden', 'authorization/own-grants-only', {
      says: 'only a person who is signed in has consents of their own',
      fix: 'with an API key, use /api/orgs/{org}/grants',
    });
  return member.id;
}

async function page(ctx: OrgCtx, of: Id<'mem'> | undefined, query: ListQuery): Promise<List<ShownGrant>> {
  const rows = await ctx.db.read(scopeOf(ctx), (db) =>
    listGrantRows(db, of, containing(query.q), query.cursor?.[0] ?? '', query.limit + 1, ctx.now),
  );
  return listed(rows.map(shown), query.limit, (g) => [g.id]);
}

/** Consents: which client may act for whom. */
export const grantOperations: readonly Operation[] = [
  operation({
    id: 'authorization.list_grants',
    at: 'GET /orgs/:org/grants',
    can: 'member.read',
    says: 'Lists which applications may act for which members; q searches name and client id.',
    params: Path,
    query: ListQuery,
    reply: listOf(ShownGrant),
    handle: (ctx, { query }) => page(inOrg(ctx), undefined, query),
  }),
  operation({
    id: 'authorization.revoke_grant',
    at: 'DELETE /orgs/:org/grants/:grant',
    can: 'member.manage',
    says: 'Ends a consent; the application is refused within a second.',
    params: GrantPath,
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params }) => revokeGrant(inOrg(ctx), params.grant, undefined),
  }),
  operation({
    id: 'authorization.list_own_grants',
    at: 'GET /orgs/:org/my-grants',
    can: 'signed_in',
    says: 'Lists which applications may act for you; q searches name and client id.',
    params: Path,
    query: ListQuery,
    reply: listOf(ShownGrant),
    handle: async (ctx, { query }) => page(inOrg(ctx), await ownMember(inOrg(ctx)), query),
  }),
  operation({
    id: 'authorization.revoke_own_grant',
    at: 'DELETE /orgs/:org/my-grants/:grant',
    can: 'signed_in',
    says: 'Ends a consent of your own.',
    params: GrantPath,
    reply: z.undefined(),
    status: 204,
    handle: async (ctx, { params }) => revokeGrant(inOrg(ctx), params.grant, await ownMember(inOrg(ctx))),
  }),
];
