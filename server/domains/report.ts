import type { Fine, Need, Reporter } from '#kernel/report.ts';
import { lapsesAt, type Domain } from './domain.ts';
import { listDomains } from './domain.sql.ts';

/** More domains than this are a merger's; the page of domains has them all. */
const MOST = 200;

const page = '/identity/domains';

function need({ shown, standing: s }: Domain): Need | undefined {
  const at = { count: 1, act: 'Show the record', page };
  switch (s.state) {
    case 'failing':
      return {
        ...at,
        code: 'domains.failing',
        urgency: 'broken',
        says: `${shown} has lost its TXT record`,
        more: 'Nobody is locked out. When it lapses, new people from it can no longer join.',
        since: s.since,
        until: lapsesAt(s),
      };
    case 'lapsed':
      return {
        ...at,
        code: 'domains.lapsed',
        urgency: 'broken',
        says: `${shown} has lapsed`,
        more: 'Whoever has signed in before still can. New people from it are not taken in.',
        since: s.since,
        until: null,
      };
    case 'conflict':
      return {
        ...at,
        code: 'domains.conflict',
        urgency: 'broken',
        says: `${shown} belongs to another parent organization`,
        more: 'Its record is there, and somebody else has proved the domain first.',
        since: s.since,
        until: null,
      };
    case 'pending':
      return {
        ...at,
        code: 'domains.pending',
        urgency: 'know',
        says: `${shown} is not proved yet`,
        more: 'Nothing depends on it until its TXT record is seen.',
        since: s.since,
        until: null,
      };
    case 'verified':
      return undefined;
  }
}

const fine = ({ shown, standing: s }: Domain): Fine[] =>
  s.state === 'verified' ? [{ says: shown, more: 'record seen', at: s.lastSuccess }] : [];

/** How the domains stand. */
export const domainsReport: Reporter = {
  room: 'domains',
  can: 'member.read',
  async report(_ctx, db) {
    const all = await listDomains(db, { limit: MOST });
    const proved = all.filter((d) => d.standing.state === 'verified' || d.standing.state === 'failing');
    return {
      steps: [
        {
          code: 'domains.proved',
          name: 'Domain',
          done: proved.length > 0,
          says: proved[0]?.shown ?? 'Proves whose people may join, and where an address signs in',
          act: 'Add a domain',
          page,
          first: { log: 'parent', types: ['domain.verified'] },
        },
      ],
      needs: all.flatMap((d) => need(d) ?? []),
      fine: all.flatMap(fine),
    };
  },
};
