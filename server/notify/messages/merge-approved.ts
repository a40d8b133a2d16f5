import { letter } from '../letter.ts';
import { aboutMerge, day, lookAt, mergeOf } from './merge-facts.ts';

/** To the owners of both sides: one side has said yes. */
export const mergeApproved = letter({
  kind: 'merge_approved',
  data: aboutMerge,
  async write(db, { merge: id }, org) {
    const m = await mergeOf(db, id);
    if (m?.merge.state !== 'approved_one') return undefined;
    const [done, open] = m.merge.joiningBy ? [m.joining, m.receiving] : [m.receiving, m.joining];
    return {
      subject: `${done} has approved the merge; ${open} has not yet`,
      says: [
        `An owner of ${done} approved that ${m.joining} joins the parent of ${m.receiving}. An owner of ${open} decides next.`,
        `If what the preview shows changes meanwhile, the approval ends and both sides look again. The proposal ends on ${day(m.merge.expiresAt)}.`,
      ],
      look: lookAt(org, id, 'Look at the proposal'),
    };
  },
});
