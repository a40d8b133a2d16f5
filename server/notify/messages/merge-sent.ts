import { letter } from '../letter.ts';
import { aboutMerge, day, lookAt, mergeOf } from './merge-facts.ts';

/** To the owners of both sides: a proposal is on the table. */
export const mergeSent = letter({
  kind: 'merge_sent',
  data: aboutMerge,
  async write(db, { merge: id }, org) {
    const m = await mergeOf(db, id);
    if (!m || (m.merge.state !== 'sent' && m.merge.state !== 'approved_one')) return undefined;
    return {
      subject: `A proposal: ${m.joining} joins the parent of ${m.receiving}`,
      says: [
        `An owner proposes that ${m.joining}, and every organization under the same parent, moves under the parent of ${m.receiving}. People, directories and connections to identity providers move along.`,
        'Nothing changes until an owner of each side, two different people, has approved the same preview. The preview shows who is on both sides and what stands in the way.',
        `The proposal ends on ${day(m.merge.expiresAt)}.`,
      ],
      look: lookAt(org, id, 'Look at the proposal'),
    };
  },
});
