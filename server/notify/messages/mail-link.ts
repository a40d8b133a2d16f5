import { z } from 'zod';
import { MAIL_LINK_KEY, signedId } from '#kernel/signed-id.ts';
import { letter } from '../letter.ts';

/**
 * To whoever asked to sign in by mail. The one mail whose link is a way in: its proof is derived here, when the mail is sent, so that the
 * outbox holds nothing secret. The page behind it lets in only the browser that asked.
 */
export const mailLink = letter({
  kind: 'mail_link',
  data: z.object({
    link: z.custom<string>((v) => typeof v === 'string' && /^mlk_[0-9a-f]{32}$/.test(v)),
    until: z.number(),
  }),
  write(_db, { link, until }, _org, _words, { seal, now }) {
    if (until <= now.getTime()) return Promise.resolve(undefined);
    const end = new Date(until).toISOString().slice(11, 16);
    return Promise.resolve({
      subject: 'Your link to sign in to Gatehouse',
      says: [
        `Open this link in the browser in which you asked for it. It works once, until ${end} UTC.`,
        'If you did not ask for it, somebody typed your address; there is nothing to do, and the link is of no use to them.',
      ],
      look: { label: 'Sign in', path: `/sign-in/mail/${signedId(seal.derive(MAIL_LINK_KEY), link)}` },
      foot: 'Nobody from Gatehouse asks you for this link.',
    });
  },
});
