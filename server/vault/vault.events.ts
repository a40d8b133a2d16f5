import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { endedWhys } from './connection.ts';
import { accesses } from './vendor-auth.ts';

const code = z.string().max(60);
const which = { connection: z.string(), connector: z.string() };
const owner = z.string().nullable();

/** What happens to credentials. `member` is whose it is; null: the organization's. `why` is a code of the vendor's or ours. */
export const vaultEvents = {
  'connection.made': declare({
    data: z.object({ ...which, member: owner, kind: code, access: z.enum(accesses), scopes: z.number().int() }),
    says: (d) =>
      d.member === null
        ? `gave the organization's account (${d.kind}) to a connector`
        : `connected an account, ${d.access === 'read_only' ? 'to read' : 'to read and write'}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector, resource: d.connection }),
  }),
  'connection.replaced': declare({
    data: z.object({
      ...which,
      member: owner,
      kind: code,
      access: z.enum(accesses),
      before: z.enum(accesses),
      scopes: z.number().int(),
    }),
    says: (d) =>
      d.member === null
        ? `replaced the organization's account (${d.kind}) of a connector`
        : d.access === d.before
          ? 'connected an account again'
          : `changed what a connection may do to ${d.access === 'read_only' ? 'reading' : 'reading and writing'}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector, resource: d.connection }),
  }),
  'connection.refreshed': declare({
    data: z.object({ ...which, generation: z.number().int(), rotated: z.boolean() }),
    says: () => 'renewed the token of a connection',
    ocsf: 6003,
    about: (d) => ({ connector: d.connector, resource: d.connection }),
  }),
  'connection.refresh_failed': declare({
    data: z.object({ ...which, because: z.enum(['app', 'later']), why: code, fails: z.number().int() }),
    says: (d) =>
      `could not renew a connection (${d.why}), ${d.because === 'app' ? 'because the vendor refuses the app' : 'and tries again later'}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector, resource: d.connection }),
  }),
  'connection.reconnect_needed': declare({
    data: z.object({ ...which, member: owner, why: code }),
    says: (d) =>
      d.why === 'lost_rotation'
        ? 'lost a connection: the vendor gave a new token that was never stored, and takes the old one no more'
        : `found that a connection is not accepted any more (${d.why})`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector, resource: d.connection }),
  }),
  'connection.recovered': declare({
    data: z.object({ ...which }),
    says: () => 'found that a connection is accepted again',
    ocsf: 5019,
    about: (d) => ({ connector: d.connector, resource: d.connection }),
  }),
  'connection.revoked': declare({
    data: z.object({ ...which, member: owner, why: z.enum(endedWhys) }),
    says: (d) => `ended a connection (${d.why.replaceAll('_', ' ')})`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector, resource: d.connection }),
  }),
  'connection.ended_at_vendor': declare({
    data: z.object({ ...which, how: z.enum(['confirmed', 'refused', 'impossible', 'later']), tries: z.number().int() }),
    says: (d) =>
      d.how === 'confirmed'
        ? 'had a vendor end what a connection stood for'
        : d.how === 'later'
          ? 'could not yet have a vendor end what a connection stood for, and tries again'
          : d.how === 'refused'
            ? 'could not have a vendor end what a connection stood for; it must be ended there by hand'
            : 'ended a connection whose vendor has no way to be told',
    ocsf: 5019,
    about: (d) => ({ connector: d.connector, resource: d.connection }),
  }),
  'connector_app.registered': declare({
    data: z.object({ connector: z.string(), way: z.enum(['document', 'registered']), issuer: z.string().max(300) }),
    says: (d) =>
      d.way === 'document'
        ? `uses the address of its own document as a client of ${d.issuer}`
        : `registered itself as a client of ${d.issuer}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'connector_app.set': declare({
    data: z.object({
      connector: z.string(),
      kind: z.enum(['secret', 'key', 'none']),
      generation: z.number().int(),
      sameAddress: z.boolean(),
      ends: z.string().nullable(),
    }),
    says: (d) =>
      `registered the app of a connector (${d.kind === 'key' ? 'with a key' : d.kind === 'secret' ? 'with a secret' : 'without a secret'})`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'connector_app.removed': declare({
    data: z.object({ connector: z.string() }),
    says: () => 'removed the app of a connector',
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'connector_app.refused': declare({
    data: z.object({ connector: z.string(), why: code }),
    says: (d) => `found that a vendor refuses the app of a connector whoever asks (${d.why})`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'connector_app.accepted': declare({
    data: z.object({ connector: z.string() }),
    says: () => 'found that a vendor accepts the app of a connector again',
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
} as const;
