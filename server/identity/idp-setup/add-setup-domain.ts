import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { Problem } from '#kernel/problem.ts';
import type { DomainDesk } from './domain-desk.ts';
import { idpSetupEvents } from './idp-setup.events.ts';
import { badField, noSuchLink } from './link.ts';
import { lockLink, saveDomainOfLink } from './link.sql.ts';
import type { Visit } from './open-idp-setup-link.ts';

/** A group of companies has a few dozen; whoever has more does it with an account. */
export const MAX_LINK_DOMAINS = 20;

/** Takes a domain in to be verified, through a link. */
export async function addSetupDomain(visit: Visit, desk: DomainDesk, name: string): Promise<void> {
  const { ctx, link } = visit;
  if (name.trim() === '')
    throw badField('the domain is missing', 'enter the part of your e-mail addresses after the @');
  if (link.domains.length >= MAX_LINK_DOMAINS)
    throw badField(`this link has ${MAX_LINK_DOMAINS} domains already`, `ask ${visit.by} to add the others`);
  const domain = await desk.add(ctx, name.trim()).catch((e: unknown) => {
    throw e instanceof Problem && e.code === 'domains/already-added'
      ? new Problem('conflict', e.code, {
          says: e.says,
          fix: `it needs no second entry; ask ${visit.by} how it stands`,
        })
      : e;
  });
  await change({ ...ctx, org: undefined }, async (tx) => {
    if (!(await lockLink(tx, link.org, link.id))) throw noSuchLink();
    await saveDomainOfLink(tx, link.id, domain);
    return {
      value: undefined,
      events: [event(idpSetupEvents, 'idp_setup.domain_added', { link: link.id, domain })],
    };
  });
}
