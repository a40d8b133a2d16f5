import { z } from 'zod';
import { letter } from '../letter.ts';
import { aboutDomain, lookAtDomain, todo } from './domain-facts.ts';

/** To the owners, on days 0, 1, 3, 7 and 13: the record is not seen any more, and nothing has changed yet. */
export const domainFailing = letter({
  kind: 'domain_failing',
  data: aboutDomain.extend({ day: z.number().int() }),
  async write(db, { domain: id, day }, org, words) {
    const d = await words.domain(db, id);
    if (d?.state !== 'failing') return undefined;
    return {
      subject:
        day === 0
          ? `The record of ${d.name} is not seen any more`
          : `The record of ${d.name} has not been seen for ${day === 1 ? '1 day' : `${day} days`}`,
      says: [d.says, ...todo(d.fix)],
      look: lookAtDomain(org, id),
    };
  },
});
