import { letter } from '../letter.ts';
import { aboutDomain, lookAtDomain } from './domain-facts.ts';

/** To the owners: the record that was missing is there again. */
export const domainRecovered = letter({
  kind: 'domain_recovered',
  data: aboutDomain,
  async write(db, { domain: id }, org, words) {
    const d = await words.domain(db, id);
    if (d?.state !== 'verified') return undefined;
    return {
      subject: `${d.name} is verified again`,
      says: [`The record of ${d.name}, which could not be seen for a time, is there again. ${d.says}`],
      look: lookAtDomain(org, id),
    };
  },
});
