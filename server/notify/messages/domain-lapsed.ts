import { letter } from '../letter.ts';
import { aboutDomain, lookAtDomain, todo } from './domain-facts.ts';

/** To the owners: fourteen days went by without the record. */
export const domainLapsed = letter({
  kind: 'domain_lapsed',
  data: aboutDomain,
  async write(db, { domain: id }, org, words) {
    const d = await words.domain(db, id);
    if (d?.state !== 'lapsed') return undefined;
    return {
      subject: `${d.name} has lapsed`,
      says: [d.says, ...todo(d.fix)],
      look: lookAtDomain(org, id),
    };
  },
});
