// SAML connections on the wire: what a body may say, what an answer shows.
import { z } from 'zod';
import type { OrgCtx } from '#kernel/ctx.ts';
import { MiB } from '#kernel/limits.ts';
import { readCertificate } from './certificate.ts';
import {
  acsUrl,
  bindings,
  entityId,
  logoutUrl,
  metadataUrl,
  type HeldCertificate,
  type SamlConnection,
} from './connection.ts';
import { AttributeMapJson } from './connection.sql.ts';
import type { Source } from './create-saml-connection.ts';
import type { OurKey } from './state.sql.ts';

export const Time = z.iso.datetime({ offset: true });
export const Name = z.string().trim().min(1).max(200);
export const Pem = z.string().min(100).max(20_000);
const Address = z.url({ protocol: /^https?$/ }).max(2000);
const Domain = z
  .string()
  .toLowerCase()
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/,
    'a domain in ASCII, like northwind.example',
  );

/** What an owner may set; every one is optional, and the defaults are the strict ones. */
export const Settings = z.object({
  signRequests: z.boolean().exactOptional(),
  idpInitiated: z.boolean().exactOptional(),
  mustEncrypt: z.boolean().exactOptional(),
  clockSkewSeconds: z.number().int().min(0).max(120).exactOptional(),
  sha1Until: Time.transform((t) => new Date(t))
    .nullable()
    .exactOptional(),
  expiredCertificate: z.enum(['warn', 'refuse']).exactOptional(),
  nameIdFormat: z.string().min(1).max(200).nullable().exactOptional(),
  groupsOverage: z.enum(['refuse', 'keep']).exactOptional(),
  emailDomains: z.array(Domain).max(200).exactOptional(),
  attributeMap: AttributeMapJson.exactOptional(),
});

const Logout = z.object({
  url: Address,
  responseUrl: Address.optional(),
  binding: z.enum(bindings).default('redirect'),
});
export const SourceBody = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('metadata_url'), url: Address, signedBy: Pem.optional() }),
  z.strictObject({
    kind: z.literal('metadata_xml'),
    xml: z
      .string()
      .min(1)
      .max(1 * MiB),
    signedBy: Pem.optional(),
  }),
  z.strictObject({
    kind: z.literal('by_hand'),
    issuer: z.string().trim().min(1).max(1024),
    signInUrl: Address,
    signInBinding: z.enum(bindings).default('redirect'),
    logout: Logout.optional(),
    certificates: z.array(Pem).max(8),
  }),
]);
export const sourceOf = (s: z.infer<typeof SourceBody>): Source =>
  s.kind === 'by_hand'
    ? {
        kind: s.kind,
        issuer: s.issuer,
        certificates: s.certificates,
        signInUrl: s.signInUrl,
        signInBinding: s.signInBinding,
        logout: s.logout && { url: s.logout.url, responseUrl: s.logout.responseUrl, binding: s.logout.binding },
      }
    : s;

export const ShownCertificate = z.object({
  fingerprint: z.string(),
  subject: z.string(),
  notBefore: Time,
  notAfter: Time,
  source: z.enum(['metadata', 'hand']),
  addedAt: Time,
});
export const ShownConnection = z.object({
  id: z.string(),
  kind: z.literal('saml'),
  name: z.string(),
  org: z.string(),
  issuer: z.string(),
  state: z.enum(['active', 'disabled']),
  matchDirectory: z.boolean(),
  signInUrl: z.string(),
  signInBinding: z.enum(bindings),
  logout: z.object({ url: z.string(), responseUrl: z.string().nullable(), binding: z.enum(bindings) }).nullable(),
  signRequests: z.boolean(),
  idpInitiated: z.boolean(),
  mustEncrypt: z.boolean(),
  clockSkewSeconds: z.number(),
  sha1Until: Time.nullable(),
  expiredCertificate: z.enum(['warn', 'refuse']),
  nameIdFormat: z.string().nullable(),
  groupsOverage: z.enum(['refuse', 'keep']),
  emailDomains: z.array(z.string()),
  attributeMap: AttributeMapJson,
  metadata: z
    .object({
      url: z.string(),
      checkedAt: Time.nullable(),
      problem: z.string().nullable(),
      validUntil: Time.nullable(),
    })
    .nullable(),
  certificates: z.array(ShownCertificate),
  /** To be entered at the identity provider. */
  acsUrl: z.string(),
  entityId: z.string(),
  metadataUrl: z.string(),
  logoutUrl: z.string(),
  startUrl: z.string(),
  createdAt: Time,
});

export const shownCertificate = (c: HeldCertificate): z.infer<typeof ShownCertificate> => ({
  fingerprint: c.fingerprint,
  subject: c.subject,
  notBefore: c.notBefore.toISOString(),
  notAfter: c.notAfter.toISOString(),
  source: c.source,
  addedAt: c.addedAt.toISOString(),
});

/** A connection as the API shows it, with what to enter at the identity provider. */
export function shown(
  c: SamlConnection,
  certificates: readonly HeldCertificate[],
  origin: string,
): z.infer<typeof ShownConnection> {
  const { metadata: m, logout, allowPrivate: _private, ...rest } = c;
  return {
    ...rest,
    kind: 'saml',
    logout: logout ? { ...logout, responseUrl: logout.responseUrl ?? null } : null,
    sha1Until: c.sha1Until?.toISOString() ?? null,
    metadata: m && {
      url: m.url,
      problem: m.problem,
      checkedAt: m.checkedAt?.toISOString() ?? null,
      validUntil: m.validUntil?.toISOString() ?? null,
    },
    certificates: certificates.map(shownCertificate),
    acsUrl: acsUrl(origin, c.org),
    entityId: entityId(origin, c.org),
    metadataUrl: metadataUrl(origin, c.org),
    logoutUrl: logoutUrl(origin, c.org),
    startUrl: `${origin}/sign-in/start/${c.id}`,
    createdAt: c.createdAt.toISOString(),
  };
}

export const OurValues = z.object({
  acsUrl: z.string(),
  entityId: z.string(),
  metadataUrl: z.string(),
  logoutUrl: z.string(),
  nameIdFormat: z.string(),
  attributes: z.array(z.object({ name: z.string(), required: z.boolean() })),
  keys: z.array(z.object({ id: z.string(), fingerprint: z.string(), notAfter: Time, createdAt: Time })),
});

export async function ourValues(ctx: OrgCtx, keys: readonly OurKey[]): Promise<z.infer<typeof OurValues>> {
  return {
    acsUrl: acsUrl(ctx.origin, ctx.org),
    entityId: entityId(ctx.origin, ctx.org),
    metadataUrl: metadataUrl(ctx.origin, ctx.org),
    logoutUrl: logoutUrl(ctx.origin, ctx.org),
    nameIdFormat: 'EmailAddress',
    attributes: ['email', 'first_name', 'last_name', 'department', 'manager_email', 'groups'].map((name) => ({
      name,
      required: name === 'email',
    })),
    keys: keys.map((k) => {
      const c = readCertificate(k.certificate.toString('base64'));
      return {
        id: k.id,
        fingerprint: c.fingerprint,
        notAfter: c.notAfter.toISOString(),
        createdAt: k.createdAt.toISOString(),
      };
    }),
  };
}
