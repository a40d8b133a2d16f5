import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { listPeopleWithRole } from '#org/member.sql.ts';
import { listOrgsOfUser } from '#org/org.sql.ts';
import { rolesWith } from '#org/roles.ts';
import { listOrgIds } from '#provisioning/settings.sql.ts';
import { findAccount, type Proved } from '../admit-identity.ts';

const MAX_NAMES = 3;
/** Of somebody who is nowhere a member; whoever manages the first organizations knows the others. */
const MAX_ORGS = 3;

/**
 * The names of people who can read the trace of a refused sign-in: of the organizations of whoever was vouched for, else of the parent's.
 * For people whose identity is proved only; nobody else learns names.
 */
export async function whomToAsk(ctx: Ctx, proved: Proved | undefined): Promise<string[]> {
  const orgs = await ctx.db.read({ parent: ctx.parent }, async (db): Promise<Id<'org'>[]> => {
    const known = proved && (await findAccount(db, proved, { connection: proved.connection.id, ...proved.claims }));
    const own = known ? (await listOrgsOfUser(db, known.user)).map((o) => o.org) : [];
    return own.length > 0 ? own : (await listOrgIds(db)).slice(0, MAX_ORGS);
  });
  const names = new Set<string>();
  for (const org of orgs) {
    if (names.size >= MAX_NAMES) break;
    const found = await ctx.db.read({ parent: ctx.parent, org }, (db) =>
      listPeopleWithRole(db, rolesWith('trace.read'), MAX_NAMES),
    );
    for (const { name } of found) names.add(name);
  }
  return [...names].slice(0, MAX_NAMES);
}
