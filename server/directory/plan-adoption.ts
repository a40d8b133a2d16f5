import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { foreignDomain } from './accepted-domain.ts';
import { MAX_MATCHES, planHash, type AdoptionPlan, type Match } from './adoption.ts';
import { listFreeByAddress, listFreeByExternalId, listUnlinked, type Account } from './adoption.sql.ts';
import type { Directory } from './directory.ts';
import { addressOf, isActive, shownNameOf } from './scim-user.ts';
import { fromStored } from './scim-value.ts';

/** Entries that are looked at together. */
const STEP = 1000;

/**
 * Which accounts that people made themselves, or that another directory left, would become this directory's. The directory's own id is
 * looked at before the address. An address of a domain that the directory does not speak for proves nothing.
 */
export async function planAdoption(db: Reader, directory: Directory): Promise<AdoptionPlan> {
  const matches: Match[] = [];
  const taken = new Set<Id<'usr'>>();
  let more = false;
  for (let after = ''; !more;) {
    const entries = await listUnlinked(db, directory.id, after, STEP);
    const last = entries.at(-1);
    if (!last) break;
    after = last.entry;
    const people = entries.map((e) => ({ ...e, attributes: fromStored(e.attributes) }));
    const addresses = people.flatMap((p) => addressOf(p.attributes)?.toLowerCase() ?? []);
    const byKey = (all: readonly Account[]): Map<string, Account> => new Map(all.map((a) => [a.key, a]));
    const byId = byKey(
      await listFreeByExternalId(
        db,
        people.flatMap((p) => p.externalId ?? []),
      ),
    );
    const byAddress = byKey(await listFreeByAddress(db, addresses));
    for (const p of people) {
      const address = addressOf(p.attributes);
      if (foreignDomain(directory.settings, p.attributes) !== undefined) continue;
      const known = p.externalId === null ? undefined : byId.get(p.externalId);
      const account = known ?? (address === undefined ? undefined : byAddress.get(address.toLowerCase()));
      if (!account || taken.has(account.user)) continue;
      if (matches.length >= MAX_MATCHES) {
        more = true;
        break;
      }
      taken.add(account.user);
      const { user, email, displayName, state, roles } = account;
      const userName = p.attributes['userName'];
      matches.push({
        entry: p.entry,
        version: p.version,
        userName: typeof userName === 'string' ? userName : '',
        user,
        email,
        displayName,
        state,
        roles: roles.toSorted((a, b) => (a.org < b.org ? -1 : 1)),
        by: known ? 'external_id' : 'email',
        was: p.was,
        becomes: {
          email: address ?? email,
          displayName: shownNameOf(p.attributes),
          suspended: state === 'suspended' || !isActive(p.attributes),
        },
        primaryOwner: roles.some((r) => r.role === 'primary_owner'),
      });
    }
  }
  return { hash: planHash(matches), matches, more };
}
