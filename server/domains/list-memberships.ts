import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { listed, type List } from '#kernel/list.ts';
import type { MemberRole } from '#org/member.ts';
import { listAccounts, listPlaces, type Account } from './memberships.sql.ts';

/** An account under a verified domain, in every organization of the parent. */
export type Membership = Account & {
  orgs: { org: Id<'org'>; name: string; role: MemberRole }[];
  /** Undefined: never. */
  lastSignIn: LastSignIn | undefined;
};

export type LastSignIn = { at: Date; method: string };

/** Sessions belong to a room above this one; doors.ts brings the two together. */
export type LastSignIns = (ctx: Ctx, users: readonly Id<'usr'>[]) => Promise<ReadonlyMap<Id<'usr'>, LastSignIn>>;

export type MembershipFilter = {
  q?: string | undefined;
  domain?: Id<'dom'> | undefined;
  after?: readonly string[] | undefined;
  limit: number;
};

/** One page of accounts, by address. */
export async function listMemberships(ctx: Ctx, signIns: LastSignIns, f: MembershipFilter): Promise<List<Membership>> {
  const { page, places } = await ctx.db.read({ parent: ctx.parent }, async (db) => {
    const page = listed(await listAccounts(db, f), f.limit, (a) => [a.emailKey, a.user]);
    return {
      page,
      places: await listPlaces(
        db,
        page.items.map((a) => a.user),
      ),
    };
  });
  const last = await signIns(
    ctx,
    page.items.map((a) => a.user),
  );
  const of = Map.groupBy(places, (p) => p.user);
  return {
    next: page.next,
    items: page.items.map((a) => ({
      ...a,
      orgs: (of.get(a.user) ?? []).map(({ org, name, role }) => ({ org, name, role })),
      lastSignIn: last.get(a.user),
    })),
  };
}
