import { letter } from '../letter.ts';
import { aboutDomain, lookAtDomain } from './domain-facts.ts';

/** To the owners: the record is there. */
export const domainVerified = letter({
  kind: 'domain_verified',
  data: aboutDomain,
  async write(db, { domain: id }, org, words) {
    const d = await words.domain(db, id);
    if (d?.state !== 'verified') return undefined;
    return {
      subject: `${d.name} is verified`,
      says: [`The record of ${d.name} was found. ${d.says}`],
      look: lookAtDomain(org, id),
    };
  },
});
