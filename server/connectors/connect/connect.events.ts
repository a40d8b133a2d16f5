import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { accesses } from '#vault/vendor-auth.ts';

const which = { consent: z.string(), connector: z.string() };

/** Persons on their way to a vendor and back. What comes of it is an event of the vault. */
export const connectEvents = {
  'connection.consent_started': declare({
    data: z.object({ ...which, access: z.enum(accesses) }),
    says: (d) =>
      `went to a vendor to connect an account, ${d.access === 'read_only' ? 'to read' : 'to read and write'}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector, resource: d.consent }),
  }),
  'connection.consent_returned': declare({
    data: z.object({ ...which, answer: z.string().max(60) }),
    says: (d) => `came back from a vendor ${d.answer === 'code' ? 'with a grant' : `without one (${d.answer})`}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector, resource: d.consent }),
  }),
  'connection.consent_refused': declare({
    data: z.object({ ...which, why: z.string().max(60), connection: z.string().nullable() }),
    says: (d) =>
      `was refused an account (${d.why.replaceAll('_', ' ')})${d.connection === null ? '' : '; the vendor is told to end what it gave'}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector, resource: d.consent }),
  }),
} as const;
