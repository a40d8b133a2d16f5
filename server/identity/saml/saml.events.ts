import { z } from 'zod';
import { declare } from '#audit/events.ts';

const id = z.string().max(40);
const code = z.string().max(60);
const fingerprint = z.string().max(64);

/** What the log of a parent tells about its SAML connections, beside what identity.events.ts has for every kind. */
export const samlEvents = {
  'sso.saml_settings_changed': declare({
    data: z.object({ connection: id, changed: z.array(z.string().max(40)) }),
    says: (d) => `changed ${d.changed.join(', ')} of the SAML connection ${d.connection}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.saml_certificate_added': declare({
    data: z.object({ connection: id, fingerprint, notAfter: z.string(), by: z.enum(['metadata', 'hand']) }),
    says: (d) =>
      `trusts the certificate ${d.fingerprint.slice(0, 16)} of ${d.connection} from now on (until ${d.notAfter.slice(0, 10)})`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.saml_certificate_removed': declare({
    data: z.object({ connection: id, fingerprint, by: z.enum(['metadata', 'hand']) }),
    says: (d) => `does not trust the certificate ${d.fingerprint.slice(0, 16)} of ${d.connection} any more`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.saml_certificate_ending': declare({
    data: z.object({ connection: id, fingerprint, notAfter: z.string(), days: z.number().int(), last: z.boolean() }),
    says: (d) =>
      `found that the certificate ${d.fingerprint.slice(0, 16)} of ${d.connection} ${d.days === 0 ? 'has expired' : `expires within ${d.days} days`}${d.last ? ', and that it is the last one' : ''}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.saml_metadata_changed': declare({
    data: z.object({ connection: id, changed: z.array(z.string().max(40)) }),
    says: (d) => `found that the metadata of ${d.connection} changed its ${d.changed.join(', ')}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.saml_metadata_failed': declare({
    data: z.object({ connection: id, code }),
    says: (d) => `could not refresh the metadata of ${d.connection}: ${d.code}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.saml_key_made': declare({
    data: z.object({ org: id, key: id, fingerprint }),
    says: (d) =>
      `made the key ${d.fingerprint.slice(0, 16)}, by which ${d.org} signs and reads as a SAML service provider`,
    ocsf: 5019,
    about: (d) => ({ resource: d.key }),
  }),
  'sso.saml_logout_requested': declare({
    data: z.object({ connection: id, session: id }),
    says: (d) => `asked the identity provider of ${d.connection} to sign out, too`,
    ocsf: 3002,
    about: (d) => ({ resource: d.session }),
  }),
  'sso.saml_logout_answered': declare({
    data: z.object({ connection: id, status: z.string().max(60) }),
    says: (d) => `heard from the identity provider of ${d.connection} how signing out went there: ${d.status}`,
    ocsf: 3002,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.saml_response_judged_again': declare({
    data: z.object({ trace: id, outcome: code }),
    says: (d) => `had the response of ${d.trace} judged by today's configuration: ${d.outcome}`,
    ocsf: 6003,
    about: (d) => ({ resource: d.trace }),
  }),
} as const;
