import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { MAX_PAGE } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import { MIN_NOTICE_DAYS, nextStep, type Capture } from './capture.ts';
import { insertCapture, insertOffers } from './capture.sql.ts';
import { DAY, noSuchDomain } from './domain.ts';
import { lockDomain } from './domain.sql.ts';
import { domainEvents } from './domains.events.ts';
import type { Herald } from './herald.ts';
import { listAccounts, listPlaces } from './memberships.sql.ts';

/**
 * Announces that people of a verified domain belong to the present organization from a day on, at least 30 days ahead. Accounts of the
 * parent that are not in it yet are offered to bring what they have along or to start fresh.
 */
export const announceCapture = (ctx: OrgCtx, herald: Herald, id: Id<'dom'>, noticeDays: number): Promise<Capture> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    const domain = await lockDomain(tx, id);
    if (!domain) throw noSuchDomain();
    if (domain.standing.state !== 'verified')
      throw new Problem('conflict', 'domains/not-verified', {
        says: `${domain.shown} is ${domain.standing.state}; only a verified domain says where its people belong`,
        fix: 'have the domain verified first',
      });
    if (noticeDays < MIN_NOTICE_DAYS)
      throw new Problem('invalid', 'domains/short-notice', {
        says: `${noticeDays} days are too few`,
        fix: `give people at least ${MIN_NOTICE_DAYS} days`,
      });
    const endsAt = new Date(ctx.now.getTime() + noticeDays * DAY);
    const capture: Capture = {
      id: newId('cpt', ctx.now.getTime()),
      domain: id,
      name: domain.shown,
      org: ctx.org,
      state: 'announced',
      announcedAt: ctx.now,
      endsAt,
      nextAt: nextStep(endsAt, ctx.now),
    };
    if ((await insertCapture(tx, capture)) === 0)
      throw new Problem('conflict', 'domains/captured-already', {
        says: `where people of ${domain.shown} belong has been announced already`,
        fix: 'call that off first',
      });
    const people = await peopleElsewhere(tx, id, ctx.org);
    await insertOffers(tx, capture.id, people);
    await herald.tell(tx, ctx, {
      kind: 'capture_announced',
      to: people,
      capture: capture.id,
      name: domain.shown,
      org: ctx.org,
      endsAt,
    });
    return {
      value: capture,
      events: [
        event(domainEvents, 'domain.capture_announced', {
          domain: id,
          name: domain.name,
          capture: capture.id,
          org: ctx.org,
          people: people.length,
          ends: endsAt.toISOString(),
        }),
      ],
    };
  });

/** Accounts in the domain that are not members of the organization. */
async function peopleElsewhere(db: Reader, domain: Id<'dom'>, org: Id<'org'>): Promise<Id<'usr'>[]> {
  const found: Id<'usr'>[] = [];
  for (let after: readonly string[] | undefined; ;) {
    const rows = await listAccounts(db, { domain, after, limit: MAX_PAGE });
    const page = rows.slice(0, MAX_PAGE);
    const places = await listPlaces(
      db,
      page.map((a) => a.user),
    );
    const inside = new Set(places.filter((p) => p.org === org).map((p) => p.user));
    found.push(...page.filter((a) => a.state === 'active' && !inside.has(a.user)).map((a) => a.user));
    const last = page.at(-1);
    if (rows.length <= MAX_PAGE || !last) return found;
    after = [last.emailKey, last.user];
  }
}
