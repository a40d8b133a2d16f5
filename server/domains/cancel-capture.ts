import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { noSuchCapture } from './capture.ts';
import { findCaptureOf, lockCapture, saveCapture } from './capture.sql.ts';
import { noSuchDomain } from './domain.ts';
import { lockDomain, saveHomeOrg } from './domain.sql.ts';
import { domainEvents } from './domains.events.ts';

/** Calls a capture off, announced or in force. What people chose meanwhile stays as they chose it. */
export const cancelCapture = (ctx: Ctx, id: Id<'dom'>): Promise<void> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    const domain = await lockDomain(tx, id);
    if (!domain) throw noSuchDomain();
    const found = await findCaptureOf(tx, id);
    const capture = found && (await lockCapture(tx, found.id));
    if (!capture || capture.state === 'cancelled') throw noSuchCapture();
    await saveCapture(tx, capture.id, 'cancelled', capture.nextAt);
    await saveHomeOrg(tx, id, null);
    return {
      value: undefined,
      events: [event(domainEvents, 'domain.capture_cancelled', { domain: id, name: domain.name, capture: capture.id })],
    };
  });
