import { letter } from '../letter.ts';
import { aboutMerge, lookAt, mergeOf } from './merge-facts.ts';

/** To the owners of both sides: it is as it was. */
export const mergeUndone = letter({
  kind: 'merge_undone',
  data: aboutMerge,
  async write(db, { merge: id }, org) {
    const m = await mergeOf(db, id);
    if (m?.merge.state !== 'undone') return undefined;
    return {
      subject: `The merge of ${m.joining} and ${m.receiving} is undone`,
      says: [
        `${m.joining} is under its own parent again, with its people, directories and connections.`,
        'Whoever was suspended while the accounts were one is suspended on both sides now; owners can let them back in.',
      ],
      look: lookAt(org, id, 'Look at what was done'),
    };
  },
});
