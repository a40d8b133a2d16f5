import { letter } from '../letter.ts';
import { aboutCapture, lookAtCaptures, saysChoices } from './capture-facts.ts';
import { day } from './merge-facts.ts';

/** To the person concerned: where people of their domain belong, from when on, and what they are asked. */
export const captureAnnounced = letter({
  kind: 'capture_announced',
  data: aboutCapture,
  async write(db, { capture }, _org, words) {
    const c = await words.capture(db, capture);
    if (c?.state !== 'announced') return undefined;
    return {
      subject: `From ${day(c.endsAt)} on, people of ${c.name} belong to “${c.org}”`,
      says: [
        `Your address is of the domain ${c.name}. From ${day(c.endsAt)} on, people of this domain are led to “${c.org}” when they sign in.`,
        saysChoices(c.org),
      ],
      look: lookAtCaptures,
    };
  },
});
