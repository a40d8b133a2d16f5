import type { OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import { permissions, type Permission } from '#kernel/permission.ts';
import { findApiKey } from './api-key.sql.ts';
import { findMemberByUser } from './member.sql.ts';
import { can, permissionsOf } from './roles.ts';

/**
 * What the one who acts may do in this organization, read again inside the transaction: the gate's answer is older than the change, and
 * says only whether the one permission of the operation was there.
 */
export async function permissionsOfActor(db: Reader, ctx: OrgCtx): Promise<ReadonlySet<Permission>> {
  switch (ctx.actor.kind) {
    case 'user': {
      const member = await findMemberByUser(db, ctx.actor.id);
      return new Set(member ? permissionsOf(member.role) : []);
    }
    case 'api_key': {
      const key = await findApiKey(db, ctx.actor.id);
      const creator = key && !key.revokedAt ? await findMemberByUser(db, key.createdBy) : undefined;
      return new Set(key && creator ? key.permissions.filter((p) => can(creator.role, p)) : []);
    }
    // We ourselves, from the command line of the machine or a job: whoever holds the machine holds everything on it.
    case 'system':
      return new Set(permissions);
    case 'agent':
    case 'scim':
    case 'nobody':
      return new Set();
  }
}
