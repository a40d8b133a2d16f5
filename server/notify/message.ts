import type { Id } from '#kernel/id.ts';

/** Why a message stays here. `outdated`: what it would have told of is gone. */
export const reasons = [
  'no_smtp',
  'too_many',
  'no_address',
  'suspended',
  'gone',
  'outdated',
  'refused',
  'given_up',
] as const;
export type NotSent = (typeof reasons)[number];

/** A row of the outbox: what is to be told to whom, without the words. */
export type StoredMessage = {
  id: Id<'msg'>;
  user: Id<'usr'>;
  kind: string;
  data: unknown;
  state: 'queued' | 'sent' | 'not_sent';
  why: NotSent | null;
  attempts: number;
  createdAt: Date;
  settledAt: Date | null;
};

/** Mails that one member gets from one organization in an hour. More is noise, or somebody who makes us send it. */
export const MAX_MAILS_PER_HOUR = 30;

/** How often a mail server that says "later" is asked; with growing pauses that is most of a day. */
export const MAX_ATTEMPTS = 12;

/** Why nothing arrived, for whoever looks at the list. */
export const saysNotSent = (why: NotSent): string =>
  ({
    no_smtp: 'this deployment has no mail server (GATEHOUSE_SMTP_URL)',
    too_many: `the person had ${MAX_MAILS_PER_HOUR} mails from this organization within the hour`,
    no_address: 'the account has no address that mail can be sent to',
    suspended: 'the account is suspended',
    gone: 'the person is not a member any more',
    outdated: 'what it would have told of is over',
    refused: 'the mail server refused it for good',
    given_up: `the mail server did not take it in ${MAX_ATTEMPTS} attempts`,
  })[why];

/**
 * The one address that a mail may go to, or undefined. Directories write what they like into an address, so only a plain one passes:
 * no list, no display name, no quoting, no line break, nothing but printable ASCII. What passes cannot become a second recipient or a header.
 */
export const mailable = (address: string): string | undefined =>
  address.length <= 254 &&
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/.test(
    address,
  )
    ? address
    : undefined;
