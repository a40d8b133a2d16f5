import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { insertHandGroup } from './group.sql.ts';
import { provisioningEvents } from './provisioning.events.ts';

/** Makes a group by hand. Rules and mappings speak of it as of any other. */
export const makeGroup = (ctx: OrgCtx, name: string): Promise<Id<'grp'>> =>
  change(ctx, async (tx) => {
    const group = newId('grp', ctx.now.getTime());
    if ((await insertHandGroup(tx, group, name, ctx.now)) === 0)
      throw new Problem('conflict', 'provisioning/group-exists', {
        says: `there is a group by hand named ${JSON.stringify(name)} already`,
        fix: 'give this one another name',
      });
    return { value: group, events: [event(provisioningEvents, 'group.made', { group })] };
  });
