import { z } from 'zod';
import { letter } from '../letter.ts';

/** To the owners: a directory would take out more people at once than usual, and the brake holds them until somebody decides. */
export const removalsHeld = letter({
  kind: 'removals_held',
  data: z.object({ directory: z.string().nullable() }),
  async write(db, _data, org, words) {
    const n = await words.held(db);
    if (n === 0) return undefined;
    const people = n === 1 ? '1 person' : `${n} people`;
    return {
      subject: `The removal of ${people} waits for an owner`,
      says: [
        `A directory took out more people at once than usual, or emptied a group that roles hang on. The removal of ${people} is held: they keep their access until an owner applies or discards it.`,
        'More may be held within the hour; there is no further mail about those.',
      ],
      look: { label: 'Look at who is held', path: `/api/orgs/${org}/provisioning/held` },
    };
  },
});
