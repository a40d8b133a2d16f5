import type { OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';

/** Time to find the mail; as long as a sign-in through an identity provider may take. */
export const MAIL_LINK_MS = 15 * 60_000;
/** Links that one e-mail address gets in an hour. More is somebody who fills another's mailbox. */
export const MAX_PER_ADDRESS = 5;
/** Questions from one client address (of IPv6: one /64) in an hour: an office behind one address, not a list of addresses. */
export const MAX_PER_CLIENT = 30;

/** A link that was mailed: it signs its user in once. */
export type MailLink = {
  id: Id<'mlk'>;
  user: Id<'usr'>;
  /** Whose mail it is: the first of the person's organizations. */
  org: Id<'org'>;
  browserHash: Buffer;
  returnTo: string;
  expiresAt: Date;
  usedAt: Date | null;
};

/** Who carries the mail; the room that does stands above this one. */
export type MailDoor = (tx: Tx, ctx: OrgCtx, link: { to: Id<'usr'>; link: Id<'mlk'>; until: Date }) => Promise<unknown>;

export const noSuchMailLink = (because?: unknown): Problem =>
  new Problem('missing', 'identity/no-mail-link', {
    says: 'there is no such sign-in link',
    fix: 'check that the address is whole, or ask for another link at /sign-in',
    because,
  });

export const mailLinkUsed = (): Problem =>
  new Problem('conflict', 'identity/mail-link-used', {
    says: 'this sign-in link was used already; it works once',
    fix: 'ask for another at /sign-in; if it was not you who used it, end your other sessions then',
  });

export const mailLinkExpired = (): Problem =>
  new Problem('conflict', 'identity/mail-link-expired', {
    says: 'this sign-in link was valid for 15 minutes and has expired',
    fix: 'ask for another at /sign-in',
  });

export const otherBrowser = (): Problem =>
  new Problem('forbidden', 'identity/mail-link-other-browser', {
    says: 'this sign-in link was asked for in another browser, or this browser keeps no cookies',
    fix: 'open the link in the browser that asked for it, or ask for another at /sign-in here',
  });

export const notByMail = (): Problem =>
  new Problem('forbidden', 'identity/mail-link-not-allowed', {
    says: 'your organization does not let people sign in by mail any more',
    fix: 'sign in at /sign-in in another way; an owner of your organization can allow links by mail',
  });

export const askedTooOften = (): Problem =>
  new Problem('too_many', 'identity/mail-link-too-often', {
    says: `more than ${MAX_PER_CLIENT} sign-in links were asked for from your network address within the hour`,
    fix: 'wait for the next full hour, or sign in in another way',
  });
