import { letter } from '../letter.ts';
import { aboutMerge, lookAt, mergeOf } from './merge-facts.ts';

/** To the owners of both sides: nobody decided in time. */
export const mergeExpired = letter({
  kind: 'merge_expired',
  data: aboutMerge,
  async write(db, { merge: id }, org) {
    const m = await mergeOf(db, id);
    if (m?.merge.state !== 'expired') return undefined;
    return {
      subject: `The proposal to merge ${m.joining} and ${m.receiving} has ended`,
      says: [
        'Two weeks went by without an approval of both sides. Nothing was changed; a new proposal can be made at any time.',
      ],
      look: lookAt(org, id, 'Look at the proposal'),
    };
  },
});
