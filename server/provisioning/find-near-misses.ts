import type { Reader } from '#kernel/db.ts';
import { listGroups, type KnownGroup } from './group.sql.ts';
import { nearMisses, type NearMiss } from './near-miss.ts';
import { findSettings, listMappings, liveMappings } from './settings.sql.ts';

/** Groups that are compared with expected names; a parent with more has its nearest names among the first. */
const MOST_GROUPS = 20_000;
const PAGE = 2000;

/** Groups that came under nearly the name that a mapping waits for, each with the mapping that would be right. */
export async function findNearMisses(db: Reader): Promise<NearMiss[]> {
  const mappings = await listMappings(db, await findSettings(db));
  const live = await liveMappings(db, mappings);
  const unseen = mappings.filter((m) => live.find((l) => l.id === m.id)?.groups.length === 0);
  const mapped = new Set(live.flatMap((l) => l.groups));
  const seen: KnownGroup[] = [];
  for (let after = ''; seen.length < MOST_GROUPS;) {
    const page = await listGroups(db, { like: null, source: null, after, limit: PAGE });
    seen.push(...page);
    const last = page.at(-1)?.id;
    if (last === undefined || page.length < PAGE) break;
    after = last;
  }
  // A group by hand is never the one that an identity provider was to send.
  return nearMisses(
    unseen,
    seen.filter((g) => !mapped.has(g.id) && g.source !== 'hand'),
  );
}
