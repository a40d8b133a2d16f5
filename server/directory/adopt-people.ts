import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Admission } from './admission.ts';
import type { Match } from './adoption.ts';
import { asDirectory } from './as-directory.ts';
import { directoryEvents } from './directory.events.ts';
import { lockDirectory } from './directory.sql.ts';
import { noDirectory } from './no-directory.ts';
import { planAdoption } from './plan-adoption.ts';
import { lockScimUser, saveScimUser } from './scim-user.sql.ts';
import { settlePerson } from './settle-person.ts';

/** Who shall be taken: all of the plan, or these entries. `primaryOwners`: entries whose account is a primary owner's, named once more. */
export type Taking = { hash: string; take: 'all' | readonly string[]; primaryOwners: readonly string[] };

/**
 * Puts accounts under a directory, as a plan that somebody has seen says, all or none. INVARIANT (seen before): it is the plan of now that is
 * compared with the one that was agreed to, inside the transaction that carries it out. A primary owner is taken by name only, and never in
 * order to be suspended.
 */
export async function adoptPeople(
  ctx: OrgCtx,
  admission: Admission,
  id: Id<'dir'>,
  asked: Taking,
): Promise<{ adopted: number }> {
  return change(ctx, async (tx) => {
    const directory = await lockDirectory(tx, id);
    if (!directory) throw noDirectory(id);
    const plan = await planAdoption(tx, directory);
    if (plan.hash !== asked.hash)
      throw new Problem('stale', 'directory/adoption-changed', {
        says: 'entries or accounts have changed since this plan was made; nobody was taken over',
        fix: 'look at the plan again and agree to the new one',
      });
    const scim = asDirectory(ctx, directory, admission);
    const events: AuditEvent[] = [];
    const matches = chosen(plan.matches, asked);
    for (const m of matches) {
      const entry = await lockScimUser(tx, id, m.entry);
      if (!entry || entry.person.state === 'linked')
        throw new Problem('bug', 'directory/adoption-moved', {
          says: 'an entry of the plan changed while it was applied',
        });
      const settled = await settlePerson(tx, scim, {
        id: m.entry,
        person: { state: 'linked', user: m.user, suspendedHere: false },
        attributes: entry.attributes,
        wasActive: false,
      });
      await saveScimUser(tx, id, { ...entry, person: settled.person });
      const about = { directory: id, entry: m.entry, user: m.user, by: m.by };
      events.push(event(directoryEvents, 'directory.user_adopted', about), ...settled.events);
    }
    const [first, ...rest] = events;
    if (!first) return { value: { adopted: 0 }, unchanged: true };
    return { value: { adopted: matches.length }, events: [first, ...rest] };
  });
}

function chosen(matches: readonly Match[], { take, primaryOwners }: Taking): readonly Match[] {
  const named = new Set(primaryOwners);
  const ids = take === 'all' ? undefined : new Set(take);
  const unknown = [...(ids ?? []), ...named].find((e) => !matches.some((m) => m.entry === e));
  if (unknown !== undefined)
    throw new Problem('invalid', 'directory/not-in-plan', {
      says: `${unknown.slice(0, 60)} is not in the plan`,
      fix: 'name entries of the plan',
    });
  // "All" means all who may be taken without being named.
  const wanted = matches.filter((m) => (ids ? ids.has(m.entry) : !m.primaryOwner || named.has(m.entry)));
  for (const m of wanted.filter((w) => w.primaryOwner)) {
    if (!named.has(m.entry))
      throw new Problem('conflict', 'directory/adopts-primary-owner', {
        says: `${m.email} is the primary owner of an organization; nobody was taken over`,
        fix: 'leave this entry out, or name it in primaryOwners too: from then on the directory can change that account',
        more: { entry: m.entry },
      });
    if (m.becomes.suspended)
      throw new Problem('conflict', 'directory/suspends-primary-owner', {
        says: `the directory has ${m.email}, a primary owner, as not active; taking that account would suspend it`,
        fix: 'let the directory activate the entry first, or hand the organization over',
        more: { entry: m.entry },
      });
  }
  return wanted;
}
