import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import { letter } from '../letter.ts';
import { day } from './merge-facts.ts';

/** To the owners, 30, 14, 7 and 1 days ahead and when it has ended (`days` 0): a certificate of an identity provider ends. */
export const certificateEnding = letter({
  kind: 'certificate_ending',
  data: z.object({
    connection: z.custom<Id<'sso'>>((v) => typeof v === 'string'),
    fingerprint: z.string(),
    days: z.number().int(),
  }),
  async write(db, { connection, fingerprint, days }, org, words) {
    const c = await words.certificate(db, connection, fingerprint);
    if (!c) return undefined;
    const when = days === 0 ? `ended on ${day(c.notAfter)}` : `ends on ${day(c.notAfter)}`;
    return {
      subject: `A certificate of “${c.connection}” ${when}`,
      says: [
        `The certificate ${c.subject} (SHA-256 ${fingerprint.slice(0, 16)}…), with which the identity provider of “${c.connection}” signs, ${when}.`,
        c.last
          ? 'The connection has no other certificate that lasts longer. What to do: have the identity provider issue the next one and add it beside this one; both are believed until the old one is removed.'
          : 'Another certificate of the connection lasts longer and takes over. What to do: check with the identity provider that it signs with that one.',
      ],
      look: { label: 'Look at certificates that end', path: `/api/orgs/${org}/saml-certificates/ending?days=30` },
    };
  },
});
