import { letter } from '../letter.ts';
import { aboutMerge, lookAt, mergeOf } from './merge-facts.ts';

/** To the owners of both sides: the preview is not true any more. */
export const mergeChanged = letter({
  kind: 'merge_changed',
  data: aboutMerge,
  async write(db, { merge: id }, org) {
    const m = await mergeOf(db, id);
    if (m?.merge.state !== 'stale') return undefined;
    return {
      subject: `The merge of ${m.joining} and ${m.receiving} waits: the preview has changed`,
      says: [
        'Since the preview was made, people, connections, directories or modes on one of the sides have changed. Approvals that were given have ended with that.',
        'Either side makes a new preview, and both approve that one.',
      ],
      look: lookAt(org, id, 'Look at the proposal'),
    };
  },
});
