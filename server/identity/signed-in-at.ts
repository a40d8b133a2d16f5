import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { findSessionBegin } from './signed-in-at.sql.ts';

/** When the person who acts signed in; undefined for a key, an agent or the system. For steps that ask for a fresh sign-in. */
export async function signedInAt(ctx: Ctx): Promise<Date | undefined> {
  const { actor } = ctx;
  if (actor.kind !== 'user') return undefined;
  return (await ctx.db.read(scopeOf(ctx), (db) => findSessionBegin(db, actor.id, actor.session)))?.at;
}
