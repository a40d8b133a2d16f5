import { event } from '#audit/events.ts';
import type { Tx } from '#kernel/db.ts';
import { Problem } from '#kernel/problem.ts';
import type { Id } from '#kernel/id.ts';
import { directoryEvents } from './directory.events.ts';
import type { ScimCtx } from './directory.ts';
import type { DirectorySettings } from './directory-settings.ts';
import { addressOf, isActive, type Person } from './scim-user.ts';
import { complex, type Complex } from './scim-value.ts';
import { settlePerson, type Settled } from './settle-person.ts';

/** The domain of the person's address where the directory does not speak for it; undefined: nothing is against it. */
export function foreignDomain(
  s: Pick<DirectorySettings, 'domains' | 'domainPolicy'>,
  attributes: Complex,
): string | undefined {
  const domain = addressOf(attributes)?.split('@').at(-1)?.toLowerCase();
  return s.domainPolicy === 'accept' || domain === undefined || s.domains.includes(domain) ? undefined : domain;
}

/**
 * settlePerson for what the directory may say of an address: who has one of another domain is refused or kept without an account, as an
 * administrator chose. INVARIANT (leavers leave): a request that ends somebody's access is never refused over a domain.
 */
export async function settleAccepted(
  tx: Tx,
  ctx: ScimCtx,
  entry: {
    id: Id<'scu'>;
    person: Person | undefined;
    attributes: Complex;
    wasActive: boolean;
    before: Complex | undefined;
  },
): Promise<Settled> {
  const { before, ...plain } = entry;
  const { attributes, person } = entry;
  const domain = foreignDomain(ctx.settings, attributes);
  const moved = !before || addressOf(before)?.toLowerCase() !== addressOf(attributes)?.toLowerCase();
  if (domain === undefined) return settlePerson(tx, ctx, plain);
  if (ctx.settings.domainPolicy === 'refuse' && moved && isActive(attributes))
    throw new Problem('invalid', 'directory/foreign-domain', {
      says: `${domain} is none of the domains of this directory`,
      fix: 'give the person an address of one of them, or let an administrator add the domain to the directory',
      more: { scimType: 'invalidValue', path: 'emails' },
    });
  if (person?.state !== 'linked') return { person: { state: 'unlinked', because: 'domain_held' }, events: [] };
  if (!moved) return settlePerson(tx, ctx, plain);
  // The account keeps the address that it had; all else that the request says counts.
  const kept = before ? addressOf(before) : undefined;
  const known = complex({
    ...attributes,
    ...(kept === undefined ? {} : { emails: [complex({ value: kept, primary: true })] }),
  });
  const settled = await settlePerson(tx, ctx, { ...plain, attributes: known });
  const said = event(directoryEvents, 'directory.address_kept', {
    directory: ctx.directory,
    entry: entry.id,
    user: person.user,
    because: 'domain_held',
  });
  return { ...settled, events: [said, ...settled.events] };
}
