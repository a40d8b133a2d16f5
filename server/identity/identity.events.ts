import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { otherMethods } from './sign-in-trace.ts';

const id = z.string().max(40);
const code = z.string().max(60);

/** What the log of a parent tells about signing in. */
export const identityEvents = {
  'sso.connection_created': declare({
    data: z.object({
      connection: id,
      kind: z.enum(['oidc', 'saml']),
      issuer: z.string().max(300),
      matchDirectory: z.boolean(),
    }),
    says: (d) => `connected the identity provider ${d.issuer}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.connection_disabled': declare({
    data: z.object({ connection: id }),
    says: (d) => `switched off signing in through ${d.connection}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.connection_enabled': declare({
    data: z.object({ connection: id }),
    says: (d) => `switched on signing in through ${d.connection}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.secret_replaced': declare({
    data: z.object({ connection: id, generation: z.number().int() }),
    says: (d) => `replaced the client secret of ${d.connection}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.discovery_changed': declare({
    data: z.object({ connection: id, changed: z.array(z.string().max(80)) }),
    says: (d) => `found that the identity provider of ${d.connection} changed its ${d.changed.join(', ')}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'identity.linked': declare({
    data: z.object({ user: id, connection: id, by: z.enum(['directory', 'person', 'sign_in']) }),
    says: (d) => `linked ${d.user} to an identity of ${d.connection}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'session.opened': declare({
    data: z.object({
      session: id,
      user: id,
      via: z.enum(['oidc', 'saml', 'setup_link', 'passkey', 'mail_link']),
      connection: id.nullable(),
      trace: id.nullable(),
      replaced: id.nullable(),
    }),
    says: (d) =>
      d.via === 'setup_link'
        ? 'signed in with the set-up link'
        : d.via === 'passkey'
          ? 'signed in with a passkey'
          : d.via === 'mail_link'
            ? 'signed in with a link by mail'
            : `signed in through ${d.connection}`,
    ocsf: 3002,
    about: (d) => ({ resource: d.session }),
  }),
  'session.ended': declare({
    data: z.object({ session: id, user: id, why: z.enum(['signed_out', 'revoked', 'idp_logout', 'enforced']) }),
    says: (d) =>
      d.why === 'signed_out'
        ? 'signed out'
        : d.why === 'revoked'
          ? `ended the session ${d.session}`
          : d.why === 'enforced'
            ? `ended the session ${d.session} of ${d.user}, because single sign-on is enforced`
            : `signed out ${d.user}, because the identity provider did`,
    ocsf: 3002,
    about: (d) => ({ resource: d.session }),
  }),
  'sign_in.refused': declare({
    data: z.object({ trace: id, connection: id, code }),
    says: (d) => `was refused at sign-in through ${d.connection}: ${d.code}`,
    ocsf: 3002,
    about: (d) => ({ resource: d.trace }),
  }),
  'sign_in.refused_otherwise': declare({
    data: z.object({ trace: id, method: z.enum(otherMethods), user: id, code }),
    says: (d) =>
      `refused a sign-in of ${d.user} with a ${d.method === 'passkey' ? 'passkey' : d.method === 'mail_link' ? 'link by mail' : 'set-up link'}: ${d.code}`,
    ocsf: 3002,
    about: (d) => ({ resource: d.trace }),
  }),
  'setup_link.created': declare({
    data: z.object({ link: id, user: id }),
    says: (d) => `made a one-time set-up link for ${d.user}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'mail_link.made': declare({
    data: z.object({ link: id, user: id }),
    says: (d) => `made a sign-in link for ${d.user}, to be mailed`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'mail_link.used': declare({
    data: z.object({ link: id, user: id }),
    says: (d) => `used the mailed sign-in link ${d.link}`,
    ocsf: 3002,
    about: (d) => ({ resource: d.user }),
  }),
  'setup_link.used': declare({
    data: z.object({ link: id, user: id }),
    says: (d) => `used the set-up link ${d.link}`,
    ocsf: 3002,
    about: (d) => ({ resource: d.user }),
  }),
} as const;
