import type { z } from 'zod';
import { mailLink } from './messages/mail-link.ts';
import { mergeApplied } from './messages/merge-applied.ts';
import { mergeApproved } from './messages/merge-approved.ts';
import { mergeChanged } from './messages/merge-changed.ts';
import { mergeExpired } from './messages/merge-expired.ts';
import { mergeRejected } from './messages/merge-rejected.ts';
import { mergeSent } from './messages/merge-sent.ts';
import { mergeUndone } from './messages/merge-undone.ts';

/** Every kind of message, by its name in the rows. A new one is a file in `messages/` and a line here. */
export const kinds = {
  mail_link: mailLink,
  merge_applied: mergeApplied,
  merge_approved: mergeApproved,
  merge_changed: mergeChanged,
  merge_expired: mergeExpired,
  merge_rejected: mergeRejected,
  merge_sent: mergeSent,
  merge_undone: mergeUndone,
} as const;

type Kinds = typeof kinds;

/** What can be told: the kind and its ids, e.g. `{ kind: 'merge_sent', merge }`. */
export type Message = { [K in keyof Kinds]: { kind: K } & z.infer<Kinds[K]['data']> }[keyof Kinds];
