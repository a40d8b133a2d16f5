import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import type { Permission } from '#kernel/permission.ts';
import { Problem } from '#kernel/problem.ts';
import { permissionsOfActor } from './actor.ts';
import { hashKey, MAX_KEY_DAYS, newKeyValue, type ApiKey } from './api-key.ts';
import { findApiKey, insertApiKey } from './api-key.sql.ts';
import { findMemberByUser } from './member.sql.ts';
import { orgEvents } from './org.events.ts';
import { can } from './roles.ts';

export type WantedKey = {
  name: string;
  permissions: readonly Permission[];
  expiresAt: Date;
  /** Who stands behind the key, where no person acts (bootstrap). */
  creator?: Id<'usr'>;
};

/** Creates a key. The value is in this answer and nowhere else: we keep its hash. */
export const createApiKey = (ctx: OrgCtx, wanted: WantedKey): Promise<{ key: ApiKey; value: string }> =>
  change(ctx, async (tx) => {
    const { actor, now } = ctx;
    // A key that makes a key hands on whose it is, so that the second one ends with the same person.
    const creator =
      actor.kind === 'user'
        ? actor.id
        : actor.kind === 'api_key'
          ? (await findApiKey(tx, actor.id))?.createdBy
          : wanted.creator;
    const member = creator && (await findMemberByUser(tx, creator));
    if (!creator || !member)
      throw new Problem('forbidden', 'org/key-without-creator', {
        says: 'an API key needs a member of this organization who stands behind it',
        fix: 'let a signed-in owner or admin create the key',
      });
    const has = await permissionsOfActor(tx, ctx);
    const beyond = wanted.permissions.filter((p) => !has.has(p) || !can(member.role, p));
    if (beyond.length > 0)
      throw new Problem('forbidden', 'org/key-over-scoped', {
        says: `the key would carry ${beyond.join(', ')}, which ${actor.kind === 'api_key' ? 'the key that creates it' : 'its creator'} does not have`,
        fix: 'leave these permissions out, or let someone who has them create the key',
        more: { permissions: beyond },
      });
    const latest = new Date(now.getTime() + MAX_KEY_DAYS * 86_400_000);
    if (wanted.expiresAt <= now || wanted.expiresAt > latest)
      throw new Problem('invalid', 'org/key-expiry', {
        says: `the key would expire at ${wanted.expiresAt.toISOString()}; it must be after now and at most ${MAX_KEY_DAYS} days away`,
        fix: `choose a time until ${latest.toISOString()}`,
      });
    const value = newKeyValue();
    const key: ApiKey = {
      id: newId('key', now.getTime()),
      name: wanted.name,
      permissions: [...new Set(wanted.permissions)],
      createdBy: creator,
      createdAt: now,
      expiresAt: wanted.expiresAt,
      revokedAt: null,
      lastUsedAt: null,
    };
    await insertApiKey(tx, key, hashKey(value));
    return {
      value: { key, value },
      events: [
        event(orgEvents, 'api_key.created', {
          key: key.id,
          for: creator,
          permissions: key.permissions,
          expires: key.expiresAt.toISOString(),
        }),
      ],
    };
  });
