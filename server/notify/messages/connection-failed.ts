import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import { letter } from '../letter.ts';

/** To the person, once: a system does not accept the connection any more. */
export const connectionFailed = letter({
  kind: 'connection_failed',
  data: z.object({ connection: z.custom<Id<'cnn'>>((v) => typeof v === 'string') }),
  async write(db, { connection }, _org, words) {
    const c = await words.connection(db, connection);
    if (!c || c.trouble === undefined) return undefined;
    return {
      subject: `Your connection to “${c.connector}” does not work any more`,
      says: [
        `Your agents use “${c.connector}” through your account ${c.account}. It stopped working: ${c.trouble}.`,
        `Calls fail until you connect the account again. Open your connections, choose “${c.connector}”, and allow it anew.`,
      ],
      look: { label: 'Open your connections', path: '/connections' },
    };
  },
});
