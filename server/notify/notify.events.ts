import { z } from 'zod';
import { declare } from '#audit/events.ts';

const id = z.string().max(40);
const about = { message: id, user: id, kind: z.string().max(60) };

/** What the log tells about mail: that it went or did not, never what it said. */
export const notifyEvents = {
  'notify.queued': declare({
    data: z.object({ kind: z.string().max(60), queued: z.number().int(), kept: z.number().int() }),
    says: (d) => `put ${d.queued} mails (${d.kind}) into the outbox${d.kept > 0 ? ` and kept ${d.kept} back` : ''}`,
    ocsf: 6003,
  }),
  'notify.sent': declare({
    data: z.object({ ...about, attempts: z.number().int() }),
    says: (d) => `sent ${d.user} a mail (${d.kind})`,
    ocsf: 6003,
    about: (d) => ({ resource: d.message }),
  }),
  'notify.deferred': declare({
    data: z.object({ ...about, attempts: z.number().int(), because: z.enum(['unreachable', 'refused_for_now']) }),
    says: (d) =>
      `could not send ${d.user} a mail (${d.kind}) yet: the mail server ${d.because === 'unreachable' ? 'did not answer' : 'said later'}`,
    ocsf: 6003,
    about: (d) => ({ resource: d.message }),
  }),
  'notify.not_sent': declare({
    data: z.object({ ...about, attempts: z.number().int(), why: z.string().max(40) }),
    says: (d) => `sent ${d.user} no mail (${d.kind}): ${d.why}`,
    ocsf: 6003,
    about: (d) => ({ resource: d.message }),
  }),
} as const;
