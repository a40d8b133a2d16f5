import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { nextStep, stepDue } from './capture.ts';
import { listUnanswered, lockCapture, saveCapture } from './capture.sql.ts';
import { DAY } from './domain.ts';
import { lockDomain, saveHomeOrg } from './domain.sql.ts';
import { domainEvents } from './domains.events.ts';
import type { Herald } from './herald.ts';

/** Takes the step of a capture that is due: a reminder, or its end, from when on people of the domain are led to their organization. */
export const advanceCapture = (ctx: Ctx, herald: Herald, id: Id<'cpt'>): Promise<'reminded' | 'in_force' | 'nothing'> =>
  change<'reminded' | 'in_force' | 'nothing'>({ ...ctx, org: undefined }, async (tx) => {
    const capture = await lockCapture(tx, id);
    const step = capture && stepDue(capture, ctx.now);
    const domain = capture && (await lockDomain(tx, capture.domain));
    if (!capture || !step || !domain) return { value: 'nothing', unchanged: true };
    const people = (await listUnanswered(tx, id)).map((u) => u.user);
    const base = { domain: domain.id, name: domain.name, capture: id };
    const news = { to: people, capture: id, name: domain.shown, org: capture.org };
    if (step.kind === 'reminder') {
      await saveCapture(tx, id, 'announced', nextStep(capture.endsAt, ctx.now));
      await herald.tell(tx, ctx, {
        kind: 'capture_reminder',
        ...news,
        endsAt: capture.endsAt,
        daysLeft: step.daysLeft,
      });
      return {
        value: 'reminded',
        events: [
          event(domainEvents, 'domain.capture_reminded', { ...base, people: people.length, daysLeft: step.daysLeft }),
        ],
      };
    }
    // Lapse stops new capture: a domain that does not stand leads nobody anywhere. Looked at again tomorrow.
    if (domain.standing.state !== 'verified' && domain.standing.state !== 'failing') {
      await saveCapture(tx, id, 'announced', new Date(ctx.now.getTime() + DAY));
      return { value: 'nothing', unchanged: true };
    }
    await saveCapture(tx, id, 'in_force', capture.endsAt);
    await saveHomeOrg(tx, domain.id, capture.org);
    await herald.tell(tx, ctx, { kind: 'capture_in_force', ...news });
    return {
      value: 'in_force',
      events: [
        event(domainEvents, 'domain.capture_in_force', { ...base, org: capture.org, unanswered: people.length }),
      ],
    };
  });
