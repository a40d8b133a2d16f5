import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { idJagModes } from '../sso-connection.ts';

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
  'sso.id_jag_changed': declare({
    data: z.object({ connection: id, idJag: z.enum(idJagModes), was: z.enum(idJagModes) }),
    says: (d) =>
      d.idJag === 'off'
        ? `had ${d.connection} give agents no tokens any more`
        : `let ${d.connection} give agents tokens to ${d.idJag === 'read' ? 'read' : 'read and write'} for its people, without a consent page`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'id_jag.accepted': declare({
    data: z.object({ trace: id, connection: id, user: id, member: id, client: z.string().max(2048) }),
    says: (d) => `took the word of ${d.connection} that ${d.client} may act for ${d.user}`,
    ocsf: 3002,
    about: (d) => ({ resource: d.trace }),
  }),
  'id_jag.refused': declare({
    data: z.object({ trace: id, connection: id, client: z.string().max(2048), code: z.string().max(60) }),
    says: (d) => `refused an assertion of ${d.connection} from ${d.client}: ${d.code}`,
    ocsf: 3002,
    about: (d) => ({ resource: d.trace }),
  }),
  'sso.logged_out': declare({
    data: z.object({ connection: id, sessions: z.array(id), users: z.array(id) }),
    says: (d) => `ended ${d.sessions.length} sessions, because the identity provider of ${d.connection} did`,
    ocsf: 3002,
    about: (d) => ({ resource: d.connection }),
  }),
} as const;
