import { z } from 'zod';
import { letter } from '../letter.ts';

/** More lines are on the page. */
const MAX_LINES = 50;

/** To administrators, one mail with all that was found at one time: what of connections and apps ends, failed, or works again. */
export const connectionsDigest = letter({
  kind: 'connections_digest',
  data: z.object({ digest: z.string().max(60) }),
  async write(db, { digest }, org, words, { now }) {
    const lines = await words.connections(db, digest, now);
    if (lines.length === 0) return undefined;
    const more = lines.length - MAX_LINES;
    return {
      subject: lines.length === 1 ? 'A connection needs a look' : `${lines.length} connections need a look`,
      says: [...lines.slice(0, MAX_LINES), ...(more > 0 ? [`And ${more} more, all of them on the page.`] : [])],
      look: { label: 'See what needs somebody', path: `/api/orgs/${org}/connection-health` },
    };
  },
});
