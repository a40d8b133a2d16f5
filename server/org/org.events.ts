import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { memberRoles } from './member.ts';

const id = z.string().max(40);
const role = z.enum(memberRoles);

/** What the log tells about organizations, people and keys. */
export const orgEvents = {
  'org.founded': declare({
    data: z.object({ org: id, surface: z.enum(['workspace', 'console']), owner: id }),
    says: (d) => `founded the organization ${d.org} with ${d.owner} as its primary owner`,
    ocsf: 3001,
    about: (d) => ({ resource: d.org }),
  }),
  'org.renamed': declare({
    data: z.object({ org: id }),
    says: (d) => `gave the organization ${d.org} another name`,
    ocsf: 5019,
    about: (d) => ({ resource: d.org }),
  }),
  'org.member_added': declare({
    data: z.object({ member: id, user: id, role, newUser: z.boolean() }),
    says: (d) => `added ${d.user} as ${d.role}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.member }),
  }),
  'org.role_changed': declare({
    data: z.object({ member: id, user: id, from: role, to: role }),
    says: (d) => `changed the role of ${d.user} from ${d.from} to ${d.to}`,
    ocsf: 3005,
    about: (d) => ({ resource: d.member }),
  }),
  'org.ownership_transferred': declare({
    data: z.object({ org: id, from: id, to: id }),
    says: (d) => `handed the organization over from ${d.from} to ${d.to}`,
    ocsf: 3005,
    about: (d) => ({ resource: d.org }),
  }),
  'org.member_removed': declare({
    data: z.object({ member: id, user: id, role, keysEnded: z.number().int() }),
    says: (d) =>
      `removed ${d.user}, who was ${d.role}${d.keysEnded ? `; ${d.keysEnded} API keys ended with that` : ''}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.member }),
  }),
  'user.suspended': declare({
    data: z.object({ user: id }),
    says: (d) => `suspended ${d.user}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'user.reactivated': declare({
    data: z.object({ user: id }),
    says: (d) => `let ${d.user} back in`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'api_key.created': declare({
    data: z.object({ key: id, for: id, permissions: z.array(z.string().max(40)), expires: z.iso.datetime() }),
    says: (d) => `created the API key ${d.key} for ${d.permissions.join(', ')} until ${d.expires.slice(0, 10)}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.key }),
  }),
  'api_key.revoked': declare({
    data: z.object({ key: id }),
    says: (d) => `revoked the API key ${d.key}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.key }),
  }),
} as const;
