import { letter } from '../letter.ts';
import { aboutMerge, day, lookAt, mergeOf } from './merge-facts.ts';

/** To the owners of both sides: it is done, and until when it can be undone. */
export const mergeApplied = letter({
  kind: 'merge_applied',
  data: aboutMerge,
  async write(db, { merge: id }, org) {
    const m = await mergeOf(db, id);
    if (m?.merge.state !== 'applied' || !m.merge.undoUntil) return undefined;
    return {
      subject: `${m.joining} has joined the parent of ${m.receiving}`,
      says: [
        'Both sides approved, and the merge is carried out. Organizations, members and roles are as before; sign-in, directories and people are now shared under one parent.',
        'People who had an account on each side have one now. If they were signed in on the side that moved, they sign in once more.',
        `An owner of either side can undo it until ${day(m.merge.undoUntil)}, unless later changes tie the two sides together.`,
      ],
      look: lookAt(org, id, 'Look at what was done'),
    };
  },
});
