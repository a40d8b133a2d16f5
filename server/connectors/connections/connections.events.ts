import { z } from 'zod';
import { declare } from '#audit/events.ts';

const code = z.string().max(60);

/** What is found of connections, and who was told. Whose they are and what they open is in the vault's events. */
export const connectionEvents = {
  'connection.alerted': declare({
    data: z.object({
      /** A connection, or the connector whose app it is. */
      about: z.string(),
      connector: z.string(),
      clock: z.enum(['refresh', 'idle', 'given', 'app', 'failed', 'check', 'many']),
      /** Days ahead; 0: it has ended, or failed. */
      step: z.number().int(),
      ends: z.string(),
      person: z.boolean(),
    }),
    says: (d) =>
      d.step > 0
        ? `told ${d.person ? 'a person and ' : ''}the administrators that something of a connection ends (${d.clock}) within ${d.step} day${d.step === 1 ? '' : 's'}`
        : d.clock === 'many'
          ? 'told the administrators that many connections of a connector failed at once'
          : `told ${d.person ? 'a person and ' : ''}the administrators that a connection ${d.clock === 'failed' || d.clock === 'check' ? 'failed' : `has ended (${d.clock})`}`,
    ocsf: 6003,
    about: (d) => ({ connector: d.connector, resource: d.about }),
  }),
  'connection.trouble_over': declare({
    data: z.object({ about: z.string(), connector: z.string(), clock: z.enum(['failed', 'check']) }),
    says: (d) =>
      `found that ${d.clock === 'check' ? 'the daily check of a connection succeeds' : 'a connection is accepted'} again`,
    ocsf: 6003,
    about: (d) => ({ connector: d.connector, resource: d.about }),
  }),
  'connection.check_begun': declare({
    data: z.object({ connection: z.string(), connector: z.string() }),
    says: () => "began to look at an account of the organization's",
    ocsf: 6003,
    about: (d) => ({ connector: d.connector, resource: d.connection }),
  }),
  'connection.checked': declare({
    data: z.object({ connection: z.string(), connector: z.string(), why: code.nullable() }),
    says: (d) =>
      d.why === null
        ? "looked at an account of the organization's"
        : `could not use an account of the organization's (${d.why})`,
    ocsf: 6003,
    about: (d) => ({ connector: d.connector, resource: d.connection }),
  }),
} as const;
