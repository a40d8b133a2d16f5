import { letter } from '../letter.ts';
import { aboutMerge, lookAt, mergeOf } from './merge-facts.ts';

/** To the owners of both sides: no. */
export const mergeRejected = letter({
  kind: 'merge_rejected',
  data: aboutMerge,
  async write(db, { merge: id }, org) {
    const m = await mergeOf(db, id);
    if (m?.merge.state !== 'rejected') return undefined;
    return {
      subject: `The merge of ${m.joining} and ${m.receiving} will not happen`,
      says: ['An owner of one of the sides ended the proposal. Nothing was changed.'],
      look: lookAt(org, id, 'Look at the proposal'),
    };
  },
});
