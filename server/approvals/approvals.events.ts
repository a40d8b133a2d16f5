import { z } from 'zod';
import { declare } from '#audit/events.ts';

const id = z.string();
const about = (d: { connector: string; tool: string }) => ({ connector: d.connector, tool: d.tool });

/** What happens to requests that wait for a person. The action itself is only its hash here. */
export const approvalEvents = {
  'approval.asked': declare({
    data: z.object({ approval: id, connector: id, tool: z.string().max(128), hash: z.string(), asker: id, call: id }),
    says: (d) => `asked to run ${d.tool}`,
    ocsf: 6003,
    about: (d) => ({ ...about(d), resource: d.approval, call: d.call }),
  }),
  'approval.read': declare({
    data: z.object({ approval: id, connector: id, tool: z.string().max(128) }),
    says: (d) => `looked at the call of ${d.tool} that waits`,
    ocsf: 6003,
    about: (d) => ({ ...about(d), resource: d.approval }),
  }),
  'approval.granted': declare({
    data: z.object({ approval: id, connector: id, tool: z.string().max(128), hash: z.string(), asker: id }),
    says: (d) => `allowed one call of ${d.tool}`,
    ocsf: 6003,
    about: (d) => ({ ...about(d), resource: d.approval }),
  }),
  'approval.refused': declare({
    data: z.object({ approval: id, connector: id, tool: z.string().max(128), hash: z.string(), asker: id }),
    says: (d) => `refused a call of ${d.tool}`,
    ocsf: 6003,
    about: (d) => ({ ...about(d), resource: d.approval }),
  }),
  'approval.used': declare({
    data: z.object({ approval: id, connector: id, tool: z.string().max(128), hash: z.string(), call: id }),
    says: (d) => `used the approval for one call of ${d.tool}`,
    ocsf: 6003,
    about: (d) => ({ ...about(d), resource: d.approval, call: d.call }),
  }),
  'approval.ended': declare({
    data: z.object({ approval: id, was: z.enum(['pending', 'granted']) }),
    says: (d) =>
      `ended a ${d.was === 'pending' ? 'request' : 'grant'}, because the person whose agent asked is suspended or gone`,
    ocsf: 6003,
    about: (d) => ({ resource: d.approval }),
  }),
  'approval.expired': declare({
    data: z.object({ approval: id, was: z.enum(['pending', 'granted']) }),
    says: (d) => (d.was === 'pending' ? 'saw a request run out of time' : 'saw a grant run out of time, unused'),
    ocsf: 6003,
    about: (d) => ({ resource: d.approval }),
  }),
} as const;
