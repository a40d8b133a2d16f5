import { letter } from '../letter.ts';
import { aboutCapture, lookAtCaptures, saysChoices } from './capture-facts.ts';

/** To whoever has not answered when the notice ends: people of the domain are led to the organization now. */
export const captureInForce = letter({
  kind: 'capture_in_force',
  data: aboutCapture,
  async write(db, { capture }, _org, words) {
    const c = await words.capture(db, capture);
    if (c?.state !== 'in_force') return undefined;
    return {
      subject: `People of ${c.name} belong to “${c.org}” now`,
      says: [`People of ${c.name} are led to “${c.org}” when they sign in.`, saysChoices(c.org)],
      look: lookAtCaptures,
    };
  },
});
