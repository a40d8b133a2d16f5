import { change, type Done } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { noPerson } from './exempt-person.ts';
import { deleteHandGroup, deleteHandMember, insertHandMember, listHandMembers, lockHandGroup } from './group.sql.ts';
import { noHandGroup } from './hand-group.ts';
import { provisioningEvents } from './provisioning.events.ts';
import { mappedGroups, rulesOf, settlePeople } from './settle-people.ts';
import { findSettings } from './settings.sql.ts';

export type HandEdit = { do: 'add' | 'remove'; user: Id<'usr'> } | { do: 'end' };

/** Adds somebody to a group made by hand, takes somebody out, or ends the group. Where the group is mapped, roles follow at once. */
export const changeHandGroup = (ctx: OrgCtx, group: Id<'grp'>, edit: HandEdit): Promise<void> =>
  change(ctx, async (tx): Promise<Done<void>> => {
    if (!(await lockHandGroup(tx, group))) throw noHandGroup();
    // As it was, because a group that ends is mapped to nothing afterwards.
    const rules = await rulesOf(tx, await findSettings(tx));
    const said = await edited(tx, ctx, group, edit);
    if (!said) return { value: undefined, unchanged: true };
    const events: AuditEvent[] = [];
    if (rules.settings.mode === 'scim_advanced' && mappedGroups(rules.mappings).includes(group))
      events.push(
        ...(
          await settlePeople(tx, ctx, rules, {
            event: edit.do === 'add' ? 'group_add' : 'group_remove',
            users: said.users,
            brake: 'off',
          })
        ).events,
      );
    return { value: undefined, events: [said.event, ...events] };
  });

async function edited(
  tx: Tx,
  ctx: OrgCtx,
  group: Id<'grp'>,
  edit: HandEdit,
): Promise<{ event: AuditEvent; users: Id<'usr'>[] } | undefined> {
  switch (edit.do) {
    case 'add': {
      if (!(await findMemberByUser(tx, edit.user))) throw noPerson();
      if ((await insertHandMember(tx, group, edit.user, ctx.now)) === 0) return undefined;
      return { event: event(provisioningEvents, 'group.member_added', { group, user: edit.user }), users: [edit.user] };
    }
    case 'remove': {
      if ((await deleteHandMember(tx, group, edit.user)) === 0) return undefined;
      return {
        event: event(provisioningEvents, 'group.member_removed', { group, user: edit.user }),
        users: [edit.user],
      };
    }
    case 'end': {
      const users = await listHandMembers(tx, group);
      await deleteHandGroup(tx, group);
      return { event: event(provisioningEvents, 'group.removed', { group, members: users.length }), users };
    }
  }
}
