import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { noSuchDomain, type Domain } from './domain.ts';
import { lockDomain, saveSubdomains } from './domain.sql.ts';
import { domainEvents } from './domains.events.ts';

/** Lets a domain speak for its subdomains, or no longer. A subdomain that another parent has verified by its own record stays that parent's. */
export const setSubdomains = (ctx: Ctx, id: Id<'dom'>, includeSubdomains: boolean): Promise<Domain> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    const domain = await lockDomain(tx, id);
    if (!domain) throw noSuchDomain();
    if ((await saveSubdomains(tx, id, includeSubdomains)) === 0) return { value: domain, unchanged: true };
    return {
      value: { ...domain, includeSubdomains },
      events: [event(domainEvents, 'domain.subdomains_set', { domain: id, name: domain.name, includeSubdomains })],
    };
  });
