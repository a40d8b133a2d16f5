import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import { letter } from '../letter.ts';
import { day } from './merge-facts.ts';

const DAY_MS = 86_400_000;

/** To the person, 14, 7, 3 and 1 days ahead and when it has ended (`days` 0): the connection to a system ends. */
export const connectionEnding = letter({
  kind: 'connection_ending',
  data: z.object({
    connection: z.custom<Id<'cnn'>>((v) => typeof v === 'string'),
    clock: z.enum(['refresh', 'idle', 'given']),
    days: z.number().int(),
  }),
  async write(db, { connection, clock, days }, _org, words, { now }) {
    const c = await words.connection(db, connection);
    const ends = c?.ends[clock];
    // Connected again, or renewed: it ends later than was to be told. An hour, because a mail server may have been away.
    if (!c || !ends || ends.getTime() - now.getTime() > days * DAY_MS + 3_600_000) return undefined;
    const when = ends <= now ? `ended on ${day(ends)}` : `ends on ${day(ends)}`;
    return {
      subject: `Your connection to “${c.connector}” ${when}`,
      says: [
        `Your agents use “${c.connector}” through your account ${c.account}. What you allowed there ${when}${clock === 'idle' ? ', because it was not used and could not be renewed' : ''}.`,
        `${ends <= now ? 'Calls fail until' : 'So that no call fails, do this before then:'} you connect the account again. It takes a minute: open your connections, choose “${c.connector}”, and allow it anew.`,
      ],
      look: { label: 'Open your connections', path: '/connections' },
    };
  },
});
