import type { Done } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Tx } from '#kernel/db.ts';
import { settleAccepted } from './accepted-domain.ts';
import { directoryEvents } from './directory.events.ts';
import type { ScimCtx } from './directory.ts';
import { diffOf } from './scim-journal.ts';
import { requireAll, changedNames, type Complex } from './scim-value.ts';
import { saveScimUser } from './scim-user.sql.ts';
import { isActive, type ScimUser } from './scim-user.ts';

/** The common end of PUT and PATCH: nothing is written, counted or logged unless something is different. */
export async function saveChangedUser(
  tx: Tx,
  ctx: ScimCtx,
  before: ScimUser,
  attributes: Complex,
): Promise<Done<ScimUser>> {
  requireAll(ctx.resources.user, attributes);
  const changed = changedNames(before.attributes, attributes);
  if (changed.length === 0) return { value: before, unchanged: true };
  const { id } = before;
  ctx.call.diff = { ...diffOf(before.attributes, attributes), version: before.version + 1 };
  const { person, link, events } = await settleAccepted(tx, ctx, {
    id,
    person: before.person,
    attributes,
    wasActive: isActive(before.attributes),
    before: before.attributes,
  });
  const user: ScimUser = { ...before, attributes, person, version: before.version + 1, changed: ctx.now };
  await saveScimUser(tx, ctx.directory, user);
  const account = person.state === 'linked' ? person.user : null;
  const said = event(directoryEvents, 'directory.user_changed', {
    directory: ctx.directory,
    entry: id,
    user: account,
    attributes: changed,
    version: user.version,
  });
  const linked =
    link && account
      ? [event(directoryEvents, 'directory.user_linked', { directory: ctx.directory, entry: id, user: account })]
      : [];
  return { value: user, events: [said, ...linked, ...events] };
}
