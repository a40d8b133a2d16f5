import { event, type AuditEvent } from '#audit/events.ts';
import type { Id } from '#kernel/id.ts';
import { saveUserState } from '#org/user.sql.ts';
import { directoryEvents } from './directory.events.ts';
import type { ScimCtx } from './directory.ts';
import { scimChange } from './scim-change.ts';
import { refuseStale, type Precondition } from './scim-etag.ts';
import { bumpScimGroups, deleteMembershipsOf } from './scim-group.sql.ts';
import { diffOf } from './scim-journal.ts';
import { noUser } from './scim-missing.ts';
import { entombScimUser, lockScimUser } from './scim-user.sql.ts';
import { complex } from './scim-value.ts';

/** Removes a person from the directory: out of every group, and their account is suspended. The account itself stays, for the record and for a return. */
export async function deleteScimUser(ctx: ScimCtx, id: Id<'scu'>, when: Precondition): Promise<void> {
  ctx.call.resource = id;
  await scimChange(ctx, async (tx) => {
    const user = await lockScimUser(tx, ctx.directory, id);
    if (!user) throw noUser(id);
    refuseStale(when, user.version);
    const events: AuditEvent[] = [];
    let { person } = user;
    const end =
      person.state === 'linked'
        ? await ctx.admission.end(tx, ctx, { entry: id, user: person.user, how: 'deleted' })
        : { suspend: false, events: [] };
    events.push(...end.events);
    if (person.state === 'linked' && end.suspend) {
      const changed = (await saveUserState(tx, person.user, 'suspended', ctx.directory, ctx.now)) > 0;
      person = { ...person, suspendedHere: person.suspendedHere || changed };
      if (changed)
        events.push(
          event(directoryEvents, 'directory.user_deactivated', {
            directory: ctx.directory,
            entry: id,
            user: person.user,
            changed,
          }),
        );
    }
    const groups = await deleteMembershipsOf(tx, id);
    ctx.call.diff = { ...diffOf(user.attributes, complex()), groups };
    await entombScimUser(tx, ctx.directory, { ...user, person }, ctx.now);
    await bumpScimGroups(tx, groups, ctx.now);
    const removed = event(directoryEvents, 'directory.user_removed', {
      directory: ctx.directory,
      entry: id,
      user: person.state === 'linked' ? person.user : null,
      groups: groups.length,
    });
    return { value: undefined, events: [removed, ...events] };
  });
}
