import { letter } from '../letter.ts';
import { aboutCapture, lookAtCaptures, saysChoices } from './capture-facts.ts';
import { day } from './merge-facts.ts';

/** To whoever has not answered yet: until when the answer is in time. */
export const captureReminder = letter({
  kind: 'capture_reminder',
  data: aboutCapture,
  async write(db, { capture }, _org, words) {
    const c = await words.capture(db, capture);
    if (c?.state !== 'announced') return undefined;
    return {
      subject: `Until ${day(c.endsAt)}: what becomes of your account at ${c.name}`,
      says: [
        `On ${day(c.endsAt)} the notice ends, and people of ${c.name} are led to “${c.org}” when they sign in. You have not answered yet.`,
        saysChoices(c.org),
      ],
      look: lookAtCaptures,
    };
  },
});
