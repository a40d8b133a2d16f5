import { z } from 'zod';
import { declare } from '#audit/events.ts';

const id = z.string().max(40);

/** What the log tells about passkeys. */
export const passkeyEvents = {
  'passkey.added': declare({
    data: z.object({ passkey: id, user: id, backedUp: z.boolean() }),
    says: () => 'added a passkey',
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'passkey.removed': declare({
    data: z.object({ passkey: id, user: id }),
    says: () => 'removed a passkey',
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'break_glass.used': declare({
    data: z.object({ user: id, passkey: id, session: id }),
    says: (d) => `came in with the break-glass account ${d.user}`,
    ocsf: 3002,
    about: (d) => ({ resource: d.user }),
  }),
} as const;
