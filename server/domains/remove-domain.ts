import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { noSuchDomain } from './domain.ts';
import { deleteDomain, lockDomain } from './domain.sql.ts';
import { domainEvents } from './domains.events.ts';

/** Gives a domain up, with its evidence. Nobody loses an account by it; added again, it gets another token. */
export const removeDomain = (ctx: Ctx, id: Id<'dom'>): Promise<void> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    const domain = await lockDomain(tx, id);
    if (!domain) throw noSuchDomain();
    await deleteDomain(tx, id);
    return {
      value: undefined,
      events: [event(domainEvents, 'domain.removed', { domain: id, name: domain.name, state: domain.standing.state })],
    };
  });
