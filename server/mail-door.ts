import type { MailDoor } from '#identity/mail-link/mail-link.ts';
import { notify } from '#notify/notify.ts';

/** Carries sign-in links for the identity room, which stands below the mail. */
export const mailDoor: MailDoor = (tx, ctx, { to, link, until }) =>
  notify(tx, ctx, { to: [to], about: { kind: 'mail_link', link, until: until.getTime() } });
