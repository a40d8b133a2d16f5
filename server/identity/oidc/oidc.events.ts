import { z } from 'zod';
import { declare } from '#audit/events.ts';

const id = z.string().max(40);

/** What the log tells about OpenID connections beside signing in. */
export const oidcEvents = {
  'sso.client_key_used': declare({
    data: z.object({ connection: id, generation: z.number().int() }),
    says: (d) => `had ${d.connection} sign with client key ${d.generation}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.connection_changed': declare({
    data: z.object({
      connection: id,
      hostedDomains: z.number().int(),
      tenants: z.number().int(),
      par: z.enum(['offered', 'always', 'never']),
    }),
    says: (d) => `changed which accounts ${d.connection} lets in and how it asks`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.logged_out': declare({
    data: z.object({ connection: id, sessions: z.array(id), users: z.array(id) }),
    says: (d) => `ended ${d.sessions.length} sessions, because the identity provider of ${d.connection} did`,
    ocsf: 3002,
    about: (d) => ({ resource: d.connection }),
  }),
} as const;
