import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { IdClaims } from '../relying-party.ts';
import { findClaims, type KeptClaims } from './kept-claims.sql.ts';

/** A week in which somebody complains, asks and looks. */
const KEEP_MS = 7 * 86_400_000;

const placeOf = (parent: Id<'par'>, trace: Id<'sgn'>) => ({
  table: 'sign_in_claims',
  scope: parent,
  row: trace,
  generation: 1,
});

/** What a proved identity claimed, sealed, so that the refusal that followed can be judged again. Before the transaction (see kernel/seal.ts). */
export const sealedClaims = async (
  ctx: Ctx,
  trace: Id<'sgn'>,
  connection: Id<'sso'>,
  claims: IdClaims,
): Promise<KeptClaims> => ({
  trace,
  connection,
  sealed: await ctx.seal.seal(placeOf(ctx.parent, trace), Buffer.from(JSON.stringify(claims))),
  until: new Date(ctx.now.getTime() + KEEP_MS),
});

/** The claims of a refused sign-in, if they are kept still. */
export async function openClaims(ctx: Ctx, trace: Id<'sgn'>): Promise<IdClaims | undefined> {
  const kept = await ctx.db.read(scopeOf(ctx), (db) => findClaims(db, trace, ctx.now));
  if (!kept) return undefined;
  try {
    // Sealed by us, so its form is ours.
    const claims: IdClaims = JSON.parse((await ctx.seal.open(placeOf(ctx.parent, trace), kept.sealed)).toString());
    return claims;
  } catch (e) {
    // What was sealed under another parent, before a merge, stays closed: it is for looking at for a week.
    if (e instanceof Problem && e.code === 'seal/does-not-open') return undefined;
    throw e;
  }
}
