import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { enqueue } from '#kernel/job.ts';
import { Problem } from '#kernel/problem.ts';
import { newToken } from './challenge.ts';
import { CHECK_JOB } from './check-domain.ts';
import { firstCheck, type Domain } from './domain.ts';
import { countDomains, insertDomain } from './domain.sql.ts';
import { domainToVerify } from './domain-name.ts';
import { domainEvents } from './domains.events.ts';

/** Each is asked for daily, for ever. A group of companies has a few dozen. */
export const MAX_DOMAINS = 500;

/** Takes a domain in to be verified. Another parent may do the same: whoever shows the record first has it. */
export function addDomain(ctx: Ctx, wanted: { domain: string; includeSubdomains: boolean }): Promise<Domain> {
  const { name, shown } = domainToVerify(wanted.domain);
  const domain: Domain = {
    id: newId('dom', ctx.now.getTime()),
    name,
    shown,
    token: newToken(),
    issuedTo: ctx.parent,
    includeSubdomains: wanted.includeSubdomains,
    homeOrg: null,
    addedAt: ctx.now,
    checks: 0,
    checkedAt: null,
    nextCheckAt: firstCheck(ctx.now),
    standing: { state: 'pending', since: ctx.now, fault: null },
  };
  return change({ ...ctx, org: undefined }, async (tx) => {
    if ((await countDomains(tx)).n >= MAX_DOMAINS)
      throw new Problem('conflict', 'domains/too-many', {
        says: `there are ${MAX_DOMAINS} domains already`,
        fix: 'remove those that are not used, or let one speak for its subdomains',
      });
    if ((await insertDomain(tx, domain)) === 0)
      throw new Problem('conflict', 'domains/already-added', {
        says: `${shown} is in the list already`,
        fix: 'look it up in the list of domains; it may wait to be verified',
      });
    await enqueue(tx, CHECK_JOB, { parent: ctx.parent, domain: domain.id }, { at: domain.nextCheckAt, key: domain.id });
    return {
      value: domain,
      events: [
        event(domainEvents, 'domain.added', { domain: domain.id, name, includeSubdomains: domain.includeSubdomains }),
      ],
    };
  });
}
