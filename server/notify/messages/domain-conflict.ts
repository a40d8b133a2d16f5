import { letter } from '../letter.ts';
import { aboutDomain, lookAtDomain } from './domain-facts.ts';

/** To the owners: the record is there, and another parent has the domain. */
export const domainConflict = letter({
  kind: 'domain_conflict',
  data: aboutDomain,
  async write(db, { domain: id }, org, words) {
    const d = await words.domain(db, id);
    if (d?.state !== 'conflict') return undefined;
    return {
      subject: `${d.name} belongs to another parent`,
      says: [`${d.name}: ${d.says}`],
      look: lookAtDomain(org, id),
    };
  },
});
