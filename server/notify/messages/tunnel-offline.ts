import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import { letter } from '../letter.ts';

/** To administrators, once: no agent of a tunnel is connected any more, and connectors need it. */
export const tunnelOffline = letter({
  kind: 'tunnel_offline',
  data: z.object({ tunnel: z.custom<Id<'tun'>>((v) => typeof v === 'string') }),
  async write(db, { tunnel }, org, words) {
    const t = await words.tunnel(db, tunnel);
    if (!t) return undefined;
    return {
      subject: `The tunnel “${t.name}” has no agent any more`,
      says: [
        `No agent of the tunnel “${t.name}” has been connected since ${t.since.toISOString().slice(0, 16).replace('T', ' ')} UTC. Calls to ${t.connectors.join(', ')} fail until one is.`,
        `Look whether “gatehouse tunnel” runs inside that network, and whether it reaches this server; what it writes says why not.`,
      ],
      look: { label: 'See the tunnel', path: `/api/orgs/${org}/tunnels/${tunnel}` },
    };
  },
});
