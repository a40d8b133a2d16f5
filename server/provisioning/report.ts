import { many, type Reporter } from '#kernel/report.ts';
import { countHeld, countMappings } from './report.sql.ts';

/** What the brake holds, and whether groups give roles. */
export const provisioningReport: Reporter = {
  room: 'provisioning',
  can: 'member.read',
  async report(_ctx, db) {
    const held = await countHeld(db);
    const { groups, roles } = await countMappings(db);
    return {
      steps: [
        {
          code: 'provisioning.mapped',
          name: 'Mappings',
          done: groups > 0,
          says:
            groups > 0 ? `${many(groups, 'group')}, ${many(roles, 'role')}` : 'Give roles by groups of the directory',
          act: 'Map a group',
          page: '/directory/mappings',
          first: { log: 'org', types: ['provisioning.mapping_added'] },
        },
      ],
      needs: held.map((h) => ({
        code: 'provisioning.removals_held',
        urgency: 'held',
        says: `${many(h.people, 'removal')}${h.directory === null ? '' : ` from ${h.directory}`} ${h.people === 1 ? 'is' : 'are'} held`,
        more: 'Their access still stands until an owner decides.',
        count: h.people,
        since: h.since,
        until: null,
        act: `Review ${many(h.people, 'person', 'people')}`,
        page: '/directory/held',
      })),
    };
  },
};
