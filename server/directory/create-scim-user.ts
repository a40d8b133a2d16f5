import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { newId } from '#kernel/id.ts';
import { directoryEvents } from './directory.events.ts';
import type { ScimCtx } from './directory.ts';
import { userResource } from './scim-schema.ts';
import { insertScimUser } from './scim-user.sql.ts';
import { isActive, type ScimUser } from './scim-user.ts';
import { complex, requireAll, typedResource } from './scim-value.ts';
import { settlePerson } from './settle-person.ts';

/**
 * Adds a person to the directory, and makes their account and membership unless the account is somebody else's to give.
 * Somebody who was deleted and is sent again gets the account they had.
 */
export async function createScimUser(ctx: ScimCtx, body: unknown): Promise<ScimUser> {
  const sent = typedResource(userResource, body);
  requireAll(userResource, sent.attributes);
  const attributes = complex({ active: true, ...sent.attributes });
  return change(ctx, async (tx) => {
    const id = newId('scu', ctx.now.getTime());
    const { person, link, events } = await settlePerson(tx, ctx, {
      id,
      person: undefined,
      attributes,
      wasActive: false,
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
