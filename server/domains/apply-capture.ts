import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { addMember } from '#org/add-member.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { listOrgsOfUser } from '#org/org.sql.ts';
import { removeMember } from '#org/remove-member.ts';
import { findUser } from '#org/user.sql.ts';
import { lockCapture, lockOffer, saveApplied } from './capture.sql.ts';
import { domainEvents } from './domains.events.ts';

/**
 * Carries out what a person chose: in first, out of the others after, so that a crash between leaves them in both and never in none. Safe
 * to run again. Acts as the system: the person may not add or remove members, and their choice is in the log.
 */
export async function applyCapture(ctx: Ctx, id: Id<'cpt'>, user: Id<'usr'>): Promise<void> {
  const parents: Ctx = { ...ctx, org: undefined };
  const found = await change(parents, async (tx) => {
    const capture = await lockCapture(tx, id);
    const offer = capture && (await lockOffer(tx, id, user));
    const person = await findUser(tx, user);
    return {
      value: capture && offer && person && { capture, offer, person, orgs: await listOrgsOfUser(tx, user) },
      unchanged: true,
    };
  });
  if (!found || found.offer.choice === null || found.offer.appliedAt || found.capture.state === 'cancelled') return;
  const { capture, person, orgs } = found;
  const { choice } = found.offer;
  const inside = (org: Id<'org'>): OrgCtx => ({ ...ctx, org });
  try {
    await addMember(inside(capture.org), { email: person.email, displayName: person.displayName, role: 'user' });
  } catch (e) {
    if (!(e instanceof Problem) || e.code !== 'org/already-member') throw e;
  }
  let left = 0;
  if (choice === 'fresh')
    for (const { org } of orgs.filter((o) => o.org !== capture.org && o.role !== 'primary_owner')) {
      const place = inside(org);
      const member = await ctx.db.read({ parent: ctx.parent, org }, (db) => findMemberByUser(db, user));
      if (!member) continue;
      await removeMember(place, member.id);
      left++;
    }
  await change(parents, async (tx) => {
    if ((await saveApplied(tx, id, user, ctx.now)) === 0) return { value: undefined, unchanged: true };
    return {
      value: undefined,
      events: [
        event(domainEvents, 'domain.capture_applied', {
          domain: capture.domain,
          name: capture.name,
          capture: id,
          user,
          choice,
          left,
        }),
      ],
    };
  });
}
