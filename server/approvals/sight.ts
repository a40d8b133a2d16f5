import type { OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import { findApiKey } from '#org/api-key.sql.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { can } from '#org/roles.ts';
import type { Approval } from './approval.ts';

/** Whether whoever acts may see every request of the organization: by his role, or by what his key carries. */
export async function seesAll(ctx: OrgCtx, db: Reader): Promise<boolean> {
  const { actor } = ctx;
  if (actor.kind === 'user') {
    const member = await findMemberByUser(db, actor.id);
    return member !== undefined && can(member.role, 'approval.read');
  }
  // The gate has judged the key itself and its creator; this is what it was made for.
  if (actor.kind === 'api_key') return (await findApiKey(db, actor.id))?.permissions.includes('approval.read') ?? false;
  return actor.kind === 'system';
}

/** Whether whoever acts may see this request without being one who decides it. */
export const maySee = async (ctx: OrgCtx, db: Reader, a: Approval): Promise<boolean> =>
  (ctx.actor.kind === 'user' && ctx.actor.id === a.asker.user) || (await seesAll(ctx, db));
