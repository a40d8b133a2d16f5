import { event } from '#audit/events.ts';
import { newId, type Id } from '#kernel/id.ts';
import { settleAccepted } from './accepted-domain.ts';
import { directoryEvents } from './directory.events.ts';
import type { ScimCtx } from './directory.ts';
import { refuseIgnored } from './directory-settings.ts';
import { scimChange } from './scim-change.ts';
import { insertScimUser } from './scim-user.sql.ts';
import { isActive, type ScimUser } from './scim-user.ts';
import { complex, requireAll, typedResource } from './scim-value.ts';

/**
 * Adds a person to the directory, and makes their account and membership unless the account is somebody else's to give.
 * Somebody who was deleted and is sent again gets the account they had. A Bulk request chooses the id, because others may refer to it before.
 */
export async function createScimUser(ctx: ScimCtx, body: unknown, chosen?: Id<'scu'>): Promise<ScimUser> {
  const { call, resources } = ctx;
  const sent = typedResource(resources.user, body, call.ignored);
  refuseIgnored(ctx.settings.profile, call.ignored);
  requireAll(resources.user, sent.attributes);
  const attributes = complex({ active: true, ...sent.attributes });
  call.meant = { set: attributes };
  return scimChange(ctx, async (tx) => {
    const id = chosen ?? newId('scu', ctx.now.getTime());
    call.resource = id;
    const { person, link, events } = await settleAccepted(tx, ctx, {
      id,
      person: undefined,
      attributes,
      wasActive: false,
      before: undefined,
    });
    const user: ScimUser = { id, attributes, person, version: 1, created: ctx.now, changed: ctx.now };
    await insertScimUser(tx, ctx.directory, user);
    const added = event(directoryEvents, 'directory.user_added', {
      directory: ctx.directory,
      entry: id,
      user: person.state === 'linked' ? person.user : null,
      active: isActive(attributes),
      link: person.state === 'unlinked' ? person.because : (link ?? 'created'),
    });
    return { value: user, events: [added, ...events] };
  });
}
