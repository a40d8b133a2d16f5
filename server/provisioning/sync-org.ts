import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { decide } from './decide.ts';
import { listConcerned } from './person.sql.ts';
import { provisioningEvents } from './provisioning.events.ts';
import { mappedGroups, rulesOf, settlePeople, situationOf } from './settle-people.ts';
import { findSettings } from './settings.sql.ts';

/** Stored in rows of the job queue, so it is for ever. */
export const SYNC_JOB = 'provisioning.sync_org';
/** People of one transaction: enough to be fast, few enough to lock nobody out for long. */
const PAGE = 1000;

export type Synced = { looked: number; changed: number; held: number };

/**
 * "Sync now": compares every member with what the identity provider says, and makes right what differs. Everybody by themselves: what is
 * already so costs a look and no lock. Removals pass the brake.
 */
export async function syncOrg(ctx: OrgCtx): Promise<Synced> {
  const sum: Synced = { looked: 0, changed: 0, held: 0 };
  for (let after = ''; ;) {
    const page = await ctx.db.read(scopeOf(ctx), async (db) => {
      const rules = await rulesOf(db, await findSettings(db));
      const facts = await listConcerned(db, mappedGroups(rules.mappings), { after, limit: PAGE });
      const differ = facts.filter(
        (f) => decide(situationOf(rules, 'resync', f, { lastOwner: false })).effects.length > 0,
      );
      return { size: facts.length, last: facts.at(-1)?.user, differ: differ.map((f) => f.user) };
    });
    sum.looked += page.size;
    if (page.differ.length > 0) await settle(ctx, page.differ, sum);
    if (page.last === undefined || page.size < PAGE) break;
    after = page.last;
  }
  // A job that found nothing has nothing to say; a person who asked is told, and the log with them.
  if (sum.changed + sum.held > 0 || ctx.actor.kind !== 'system')
    await change(ctx, async () => ({
      value: undefined,
      events: [event(provisioningEvents, 'provisioning.synced', sum)],
    }));
  return sum;
}

const settle = (ctx: OrgCtx, users: readonly Id<'usr'>[], sum: Synced): Promise<void> =>
  change(ctx, async (tx) => {
    const { events, changed, held } = await settlePeople(tx, ctx, await rulesOf(tx, await findSettings(tx)), {
      event: 'resync',
      users,
      brake: { directory: null, group: null, emptied: false, entry: null },
    });
    sum.changed += changed;
    sum.held += held.size;
    const [first, ...rest] = events;
    return first ? { value: undefined, events: [first, ...rest] } : { value: undefined, unchanged: true };
  });
