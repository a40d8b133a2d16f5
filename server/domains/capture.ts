import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { DAY } from './domain.ts';

/** People of a verified domain belong to one organization, announced ahead. Accounts that were there before are asked what they want. */
export type Capture = {
  id: Id<'cpt'>;
  domain: Id<'dom'>;
  name: string;
  org: Id<'org'>;
  state: 'announced' | 'in_force' | 'cancelled';
  announcedAt: Date;
  endsAt: Date;
  /** When the next reminder, or the end, is due. */
  nextAt: Date;
};

/**
 * `merge`: the account joins the organization and keeps its other places. `fresh`: it joins, and leaves the others with all that hung on
 * them. Until somebody chooses, an account stays as it is: nobody is moved, and nobody is locked out, by not answering.
 */
export const choices = ['merge', 'fresh'] as const;
export type Choice = (typeof choices)[number];

export type Offer = { user: Id<'usr'>; choice: Choice | null; answeredAt: Date | null; appliedAt: Date | null };

/** Less is not notice: holidays, leave, a mailbox that is read twice a month. */
export const MIN_NOTICE_DAYS = 30;
export const MAX_NOTICE_DAYS = 365;
/** Days before the end on which those who have not answered are reminded. */
export const REMINDER_DAYS = [14, 7, 1] as const;

const whole = (ms: number): number => Math.ceil(ms / DAY);

/** When a capture must be looked at again after `now`. */
export const nextStep = (endsAt: Date, now: Date): Date => {
  const reminders = REMINDER_DAYS.map((d) => new Date(endsAt.getTime() - d * DAY));
  return [...reminders, endsAt].find((t) => t > now) ?? endsAt;
};

/** What is due now. A reminder that was slept through is sent once, with the days that are really left. */
export const stepDue = (
  c: Capture,
  now: Date,
): { kind: 'ends' } | { kind: 'reminder'; daysLeft: number } | undefined => {
  if (c.state !== 'announced' || c.nextAt > now) return undefined;
  return c.endsAt <= now ? { kind: 'ends' } : { kind: 'reminder', daysLeft: whole(c.endsAt.getTime() - now.getTime()) };
};

export const noSuchCapture = (): Problem =>
  new Problem('missing', 'domains/no-such-capture', { says: 'there is no such capture of a domain' });
