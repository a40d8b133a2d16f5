import { z } from 'zod';
import { declare } from '#audit/events.ts';

const id = z.string().max(40);

/** What the log tells about how people may come in, and about sessions that others end. */
export const accessEvents = {
  'access.changed': declare({
    data: z.object({
      sessionIdleS: z.number().int().nullable(),
      sessionMaxS: z.number().int().nullable(),
      ranges: z.number().int(),
      passkeys: z.boolean(),
      mailLinks: z.boolean().exactOptional(),
      shutsOutWhoSet: z.boolean(),
    }),
    says: (d) =>
      `set how people come in: ${d.ranges === 0 ? 'from every address' : `from ${d.ranges} ranges of addresses`}, ${d.passkeys ? 'also with passkeys' : 'without passkeys'}${d.mailLinks ? ', also by mailed links' : ''}`,
    ocsf: 5019,
  }),
  'sessions.ended': declare({
    data: z.object({ user: id, count: z.number().int() }),
    says: (d) => `ended all ${d.count} sessions of ${d.user}`,
    ocsf: 3002,
    about: (d) => ({ resource: d.user }),
  }),
} as const;
