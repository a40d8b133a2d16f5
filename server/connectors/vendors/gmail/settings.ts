import { z } from 'zod';
import { Domains } from '../google/google-auth.ts';

export const GmailSettings = z.strictObject({
  domains: Domains,
  change_labels: z
    .boolean()
    .optional()
    .describe(
      'Whether a read-write connector may also change labels of threads (archive, mark as read). Google has no smaller scope for it than gmail.modify. Default: no.',
    ),
});

/** Ids of messages, threads and labels. */
export const GmailId = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/, 'expected an id as the other tools show it');
