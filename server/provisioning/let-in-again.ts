import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { noPerson } from './exempt-person.ts';
import { deleteTombstone } from './exempt.sql.ts';
import { provisioningEvents } from './provisioning.events.ts';

/** Takes a tombstone away: the next sign-in, or the next word of the directory, may bring the person back by the rules of the mode. */
export const letInAgain = (ctx: OrgCtx, user: Id<'usr'>): Promise<void> =>
  change(ctx, async (tx) => {
    if ((await deleteTombstone(tx, user)) === 0) throw noPerson();
    return { value: undefined, events: [event(provisioningEvents, 'provisioning.let_in_again', { user })] };
  });
