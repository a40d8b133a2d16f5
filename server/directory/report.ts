import { many, type Fine, type Need, type Reporter } from '#kernel/report.ts';
import { listStandings, type DirectoryStanding } from './report.sql.ts';

const DAY_MS = 86_400_000;
/** A credential is told of this long before it ends: two weeks are a change window. */
const AHEAD_MS = 14 * DAY_MS;
const page = '/directory/directories';

function needs(d: DirectoryStanding, now: Date): Need[] {
  const at = { count: 1, act: 'Renew the token', page };
  const since = { since: null, until: null };
  if (d.state === 'paused')
    return [
      {
        ...at,
        ...since,
        code: 'directory.paused',
        urgency: 'know',
        says: `The directory ${d.name} is paused`,
        more: 'What the identity provider sends is refused until it is resumed, and leavers keep their access.',
        act: 'Open the directory',
      },
    ];
  if (d.ends === null) return [];
  if (d.ends <= now)
    return [
      {
        ...at,
        code: 'directory.tokens_ended',
        urgency: 'broken',
        says: `The last token of ${d.name} has expired`,
        more: 'The identity provider can change nothing here, and leavers keep their access.',
        since: d.ends,
        until: null,
      },
    ];
  if (d.ends.getTime() - now.getTime() > AHEAD_MS) return [];
  return [
    {
      ...at,
      code: 'directory.tokens_ending',
      urgency: 'breaks',
      says: `The last token of ${d.name} expires soon`,
      more: 'Make another now; both work side by side until then.',
      since: null,
      until: d.ends,
    },
  ];
}

const fine = (d: DirectoryStanding): Fine[] =>
  d.state === 'active' && d.seen ? [{ says: `SCIM, ${d.name}`, more: 'last request', at: d.seen }] : [];

/** How the directories stand. */
export const directoryReport: Reporter = {
  room: 'directory',
  can: 'directory.manage',
  async report(ctx, db) {
    const all = await listStandings(db, ctx.now);
    const seen = all.find((d) => d.people > 0);
    return {
      steps: [
        {
          code: 'directory.seen',
          name: 'Directory seen',
          done: seen !== undefined,
          says: seen
            ? `${seen.name}, ${many(seen.people, 'person', 'people')}`
            : 'Brings people and groups, and takes leavers out within seconds',
          act: 'Connect a directory',
          page,
          first: { log: 'parent', types: ['directory.user_added', 'directory.user_adopted'] },
        },
      ],
      needs: all.flatMap((d) => needs(d, ctx.now)),
      fine: all.flatMap(fine),
    };
  },
};
