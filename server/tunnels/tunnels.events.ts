import { z } from 'zod';
import { declare } from '#audit/events.ts';

const id = z.string().max(60);
/** What happens to tunnels. Addresses inside a network are content of the organization and stay out of the log: counts tell how many. */
export const tunnelEvents = {
  'tunnel.created': declare({
    data: z.object({ tunnel: id, name: z.string().max(100), destinations: z.number().int() }),
    says: (d) => `made the tunnel ${d.name} to ${d.destinations} destination${d.destinations === 1 ? '' : 's'}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.tunnel }),
  }),
  'tunnel.changed': declare({
    data: z.object({
      tunnel: id,
      name: z.string().max(100),
      added: z.number().int(),
      removed: z.number().int(),
      renamed: z.boolean(),
    }),
    says: (d) =>
      `changed the tunnel ${d.name}: ${d.added} destinations more, ${d.removed} fewer${d.renamed ? ', and a new name' : ''}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.tunnel }),
  }),
  'tunnel.secret_rotated': declare({
    data: z.object({ tunnel: id, generation: z.number().int(), olderUntil: z.string() }),
    says: (d) => `gave a tunnel a new secret; the one before is good until ${d.olderUntil}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.tunnel }),
  }),
  'tunnel.revoked': declare({
    data: z.object({ tunnel: id, name: z.string().max(100) }),
    says: (d) => `revoked the tunnel ${d.name} for good`,
    ocsf: 5019,
    about: (d) => ({ resource: d.tunnel }),
  }),
  'tunnel.agent_joined': declare({
    data: z.object({ tunnel: id, agent: id, node: id, generation: z.number().int() }),
    says: (d) => `connected the agent ${d.agent} of a tunnel`,
    ocsf: 5019,
    about: (d) => ({ resource: d.tunnel }),
  }),
  'tunnel.agent_left': declare({
    data: z.object({ tunnel: id, agent: id, node: id, why: z.string().max(40) }),
    says: (d) => `lost or ended the connection of the agent ${d.agent} of a tunnel (${d.why})`,
    ocsf: 5019,
    about: (d) => ({ resource: d.tunnel }),
  }),
  'tunnel.online': declare({
    data: z.object({ tunnel: id, name: z.string().max(100) }),
    says: (d) => `found the tunnel ${d.name} online`,
    ocsf: 5019,
    about: (d) => ({ resource: d.tunnel }),
  }),
  'tunnel.offline': declare({
    data: z.object({ tunnel: id, name: z.string().max(100), connectors: z.number().int() }),
    says: (d) =>
      `found the tunnel ${d.name} without any agent; ${d.connectors} connector${d.connectors === 1 ? '' : 's'} cannot be reached`,
    ocsf: 5019,
    about: (d) => ({ resource: d.tunnel }),
  }),
} as const;
