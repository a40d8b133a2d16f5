import { z } from 'zod';
import { declare, type EventOf } from '#audit/events.ts';

const id = z.string().max(100);
const client = z.string().max(2048);
const scopes = z.array(z.string().max(100)).max(20);
const resources = z.array(z.string().max(2048)).max(20);

/** What the authorization server writes. Client ids of metadata documents are URLs and public; no token, code or name is in here. */
export const authorizationEvents = {
  'authorization.consent_given': declare({
    data: z.object({ member: id, client, grant: id, resources, scopes, refused: scopes }),
    says: (d) => `let ${d.client} act with ${d.scopes.join(' ')} at ${d.resources.join(', ')}`,
    ocsf: 3005,
    about: (d) => ({ resource: d.grant }),
  }),
  'authorization.vouched_for': declare({
    data: z.object({ member: id, client, grant: id, connection: id, trace: id, resources, scopes }),
    says: (d) =>
      `let ${d.client} act with ${d.scopes.join(' ')} at ${d.resources.join(', ')}, on the word of ${d.connection}`,
    ocsf: 3005,
    about: (d) => ({ resource: d.grant }),
  }),
  'authorization.consent_denied': declare({
    data: z.object({ client, resources, scopes }),
    says: (d) => `did not let ${d.client} act with ${d.scopes.join(' ')}`,
    ocsf: 3005,
  }),
  'authorization.client_registered': declare({
    data: z.object({ client, hosts: z.array(z.string().max(300)).max(20), method: z.string().max(50) }),
    says: (d) => `registered itself as client ${d.client}, answering at ${d.hosts.join(', ')}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.client }),
  }),
  'authorization.token_issued': declare({
    data: z.object({ member: id, client, grant: id, by: z.string().max(100), resource: z.string().max(2048), scopes }),
    says: (d) => `took a token for ${d.resource} with ${d.scopes.join(' ')}`,
    ocsf: 3003,
    about: (d) => ({ resource: d.grant }),
  }),
  'authorization.token_refreshed': declare({
    data: z.object({ member: id, client, grant: id, resource: z.string().max(2048), scopes }),
    says: (d) => `refreshed the token for ${d.resource}`,
    ocsf: 3003,
    about: (d) => ({ resource: d.grant }),
  }),
  'authorization.reuse_detected': declare({
    data: z.object({
      member: id,
      client,
      grant: id,
      what: z.enum(['refresh_token', 'authorization_code', 'device_code']),
    }),
    says: (d) => `presented a spent ${d.what.replaceAll('_', ' ')} of ${d.client}; the consent ${d.grant} was ended`,
    ocsf: 3003,
    about: (d) => ({ resource: d.grant }),
  }),
  'authorization.grant_revoked': declare({
    data: z.object({ member: id, client, grant: id, by: z.enum(['client', 'member', 'admin']) }),
    says: (d) => `ended the consent ${d.grant} of ${d.client}`,
    ocsf: 3005,
    about: (d) => ({ resource: d.grant }),
  }),
} as const;

export type AuthorizationEvent = EventOf<typeof authorizationEvents>;
