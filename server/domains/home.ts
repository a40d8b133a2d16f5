import type { Db, Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { listOrgsOfParent } from './memberships.sql.ts';
import { listStanding, lookupHolder } from './domain.sql.ts';
import { domainAndAbove, domainOfEmail, readDomainName } from './domain-name.ts';

/** Where an address belongs, by its domain alone. `org` when the domain was captured for one. */
export type ConnectionHint = { parent: Id<'par'>; domain: Id<'dom'>; name: string; org: Id<'org'> | undefined };

/**
 * The parent whose sign-in an address belongs to: for the sign-in page, before anybody is known. It looks at the domain and at nothing
 * else, so that the answer is the same for an account that exists and for one that does not.
 */
export async function connectionHintFor(db: Db, email: string): Promise<ConnectionHint | undefined> {
  const name = domainOfEmail(email);
  const holder = name === undefined ? undefined : await db.lookup(lookupHolder(domainAndAbove(name)));
  return (
    holder && { parent: holder.parent, domain: holder.domain, name: holder.name, org: holder.homeOrg ?? undefined }
  );
}

/**
 * The organizations that somebody with this address may be meant for: the captured domain's one, or all of the parent's. By the domain
 * alone. Their names are for people who have proved who they are, not for the sign-in page.
 */
export async function findOrgsForEmail(db: Db, email: string): Promise<{ org: Id<'org'>; name: string }[]> {
  const hint = await connectionHintFor(db, email);
  if (!hint) return [];
  const orgs = await db.read({ parent: hint.parent }, listOrgsOfParent);
  return hint.org === undefined ? orgs : orgs.filter((o) => o.org === hint.org);
}

/**
 * What the parent of this transaction may do with an address. `takes_new`: it has the domain verified, and may take new people in by it.
 * `known_only`: the domain lapsed; whoever signed in before goes on. `not_ours`: it never verified the domain, or another parent has it.
 */
export type EmailStanding = 'takes_new' | 'known_only' | 'not_ours';

export async function standingOfEmail(db: Reader, parent: Id<'par'>, email: string): Promise<EmailStanding> {
  const name = domainOfEmail(email);
  return name === undefined ? 'not_ours' : standingOfDomain(db, parent, name);
}

/** Whether the parent may take new people in by this address; never where there is none. */
export const takesNew = async (db: Reader, parent: Id<'par'>, email: string | undefined): Promise<boolean> =>
  email !== undefined && (await standingOfEmail(db, parent, email)) === 'takes_new';

/** Those of these domains by which the parent may not take new people in: never verified, lapsed, or another's. */
export async function listUnverified(db: Reader, parent: Id<'par'>, domains: readonly string[]): Promise<string[]> {
  const not: string[] = [];
  for (const d of domains) {
    const name = readDomainName(d)?.name;
    if (name === undefined || (await standingOfDomain(db, parent, name)) !== 'takes_new') not.push(d);
  }
  return not;
}

async function standingOfDomain(db: Reader, parent: Id<'par'>, name: string): Promise<EmailStanding> {
  const names = domainAndAbove(name);
  const holder = await db.maybe(lookupHolder(names));
  if (holder) return holder.parent === parent ? 'takes_new' : 'not_ours';
  return (await listStanding(db, names)).length > 0 ? 'known_only' : 'not_ours';
}
