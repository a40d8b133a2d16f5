import { many, type Reporter } from '#kernel/report.ts';
import { countMembers, listEndingKeys } from './report.sql.ts';

const AHEAD_MS = 14 * 86_400_000;

/** Whether anybody but the founder is here, and which keys in use end soon. */
export const orgReport: Reporter = {
  room: 'org',
  can: 'member.read',
  async report(ctx, db) {
    const keys = await listEndingKeys(db, ctx.now, new Date(ctx.now.getTime() + AHEAD_MS));
    const { members, first } = await countMembers(db);
    return {
      steps: [
        {
          code: 'org.first_member',
          name: 'First member',
          done: first !== null,
          says:
            first === null
              ? 'Somebody beside you to whom this is of use'
              : `${first}${members > 2 ? `, ${many(members, 'member')} now` : ''}`,
          act: 'Add a person',
          page: '/directory/members',
          first: { log: 'org', types: ['org.member_added', 'provisioning.member_added'] },
        },
      ],
      needs: keys.map((k) => ({
        code: 'org.key_ending',
        urgency: 'breaks',
        says: `The API key ${k.name} expires soon`,
        more: 'Scripts that use it stop then. A key cannot be prolonged: make another.',
        count: 1,
        since: null,
        until: k.expires,
        act: 'See the keys',
        page: '/directory/api-keys',
      })),
    };
  },
};
