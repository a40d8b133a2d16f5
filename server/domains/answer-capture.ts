import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { enqueue } from '#kernel/job.ts';
import { Problem } from '#kernel/problem.ts';
import { listOrgsOfUser } from '#org/org.sql.ts';
import { noSuchCapture, type Choice } from './capture.ts';
import { lockCapture, lockOffer, saveChoice } from './capture.sql.ts';
import { domainEvents } from './domains.events.ts';

export const APPLY_JOB = 'domains.apply_capture';

/** A person chooses, for themselves and once. It is carried out right after (apply-capture.ts). */
export const answerCapture = (ctx: Ctx, user: Id<'usr'>, id: Id<'cpt'>, choice: Choice): Promise<void> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    const capture = await lockCapture(tx, id);
    const offer = capture && (await lockOffer(tx, id, user));
    if (!capture || !offer || capture.state === 'cancelled') throw noSuchCapture();
    if (offer.choice === choice) return { value: undefined, unchanged: true };
    if (offer.choice !== null)
      throw new Problem('conflict', 'domains/answered-already', {
        says: `you have chosen already: ${offer.choice === 'merge' ? 'to bring your account along' : 'to start fresh'}`,
        fix: 'ask an owner of the organization if that was a mistake',
      });
    const owned = (await listOrgsOfUser(tx, user)).filter((o) => o.org !== capture.org && o.role === 'primary_owner');
    if (choice === 'fresh' && owned.length > 0)
      throw new Problem('conflict', 'domains/fresh-needs-handover', {
        says: `you are the primary owner of ${owned.map((o) => o.name).join(', ')}, and an organization always has one`,
        fix: 'hand it over first (transfer ownership), or bring your account along',
      });
    await saveChoice(tx, id, user, choice, ctx.now);
    await enqueue(tx, APPLY_JOB, { parent: ctx.parent, capture: id, user }, { key: `${id}:${user}` });
    return {
      value: undefined,
      events: [
        event(domainEvents, 'domain.capture_answered', {
          domain: capture.domain,
          name: capture.name,
          capture: id,
          user,
          choice,
        }),
      ],
    };
  });
