import { z } from 'zod';
import { json, read, sql, write, type Fragment, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { targets } from './attributes.ts';
import { bindings, type HeldCertificate, type SamlConnection } from './connection.ts';

export const AttributeMapJson = z.partialRecord(z.enum(targets), z.array(z.string()));

const Row = z
  .object({
    id: z.custom<Id<'sso'>>(),
    org: z.custom<Id<'org'>>(),
    name: z.string(),
    issuer: z.string(),
    state: z.enum(['active', 'disabled']),
    matchDirectory: z.boolean(),
    allowPrivate: z.array(z.string()),
    createdAt: z.date(),
    signInUrl: z.string(),
    signInBinding: z.enum(bindings),
    logoutUrl: z.string().nullable(),
    logoutResponseUrl: z.string().nullable(),
    logoutBinding: z.enum(bindings).nullable(),
    signRequests: z.boolean(),
    idpInitiated: z.boolean(),
    mustEncrypt: z.boolean(),
    clockSkewSeconds: z.number(),
    sha1Until: z.date().nullable(),
    expiredCertificate: z.enum(['warn', 'refuse']),
    nameIdFormat: z.string().nullable(),
    groupsOverage: z.enum(['refuse', 'keep']),
    emailDomains: z.array(z.string()),
    attributeMap: AttributeMapJson,
    metadataUrl: z.string().nullable(),
    signedBy: z.string().nullable(),
    checkedAt: z.date().nullable(),
    problem: z.string().nullable(),
    validUntil: z.date().nullable(),
  })
  .transform(
    ({
      logoutUrl,
      logoutResponseUrl,
      logoutBinding,
      metadataUrl,
      signedBy,
      checkedAt,
      problem,
      validUntil,
      ...c
    }): SamlConnection => ({
      ...c,
      logout:
        logoutUrl === null || logoutBinding === null
          ? undefined
          : { url: logoutUrl, responseUrl: logoutResponseUrl ?? undefined, binding: logoutBinding },
      metadata: metadataUrl === null ? null : { url: metadataUrl, signedBy, checkedAt, problem, validUntil },
    }),
  );

const columns: Fragment = sql`c.id, m.org, c.name, c.issuer, c.state, c.match_directory as "matchDirectory", c.allow_private as "allowPrivate",
         c.created_at as "createdAt", m.sign_in_url as "signInUrl", m.sign_in_binding as "signInBinding", m.logout_url as "logoutUrl",
         m.logout_response_url as "logoutResponseUrl", m.logout_binding as "logoutBinding", m.sign_requests as "signRequests",
         m.idp_initiated as "idpInitiated", m.must_encrypt as "mustEncrypt", m.clock_skew_s as "clockSkewSeconds", m.sha1_until as "sha1Until",
         m.expired_certificate as "expiredCertificate", m.name_id_format as "nameIdFormat", m.groups_overage as "groupsOverage",
         m.email_domains as "emailDomains", m.attribute_map as "attributeMap", m.metadata_url as "metadataUrl",
         m.metadata_signed_by as "signedBy", m.metadata_checked_at as "checkedAt", m.metadata_problem as problem,
         m.metadata_valid_until as "validUntil"`;
const tables: Fragment = sql`sso_connection c join saml_connection m on m.parent = c.parent and m.connection = c.id`;

/** 0: the organization has a connection to this identity provider already. */
export async function insertSamlConnection(tx: Tx, c: SamlConnection): Promise<number> {
  const made = await tx.run(write`
  insert into sso_connection (parent, id, name, kind, issuer, client_id, auth_method, secret_sealed, secret_generation, allow_private,
                              match_directory, state, discovery, discovered_at, created_at)
  values (app_parent(), ${c.id}, ${c.name}, 'saml', ${c.issuer}, ${c.org}, 'none', null, 1, ${c.allowPrivate}, ${c.matchDirectory}, ${c.state},
          '{}', ${c.createdAt}, ${c.createdAt})
  on conflict (parent, issuer, client_id) do nothing`);
  if (made === 0) return 0;
  return tx.run(write`
  insert into saml_connection (parent, connection, org, sign_in_url, sign_in_binding, logout_url, logout_response_url, logout_binding,
                               sign_requests, idp_initiated, must_encrypt, clock_skew_s, sha1_until, expired_certificate, name_id_format,
                               groups_overage, email_domains, attribute_map, metadata_url, metadata_signed_by, metadata_checked_at,
                               metadata_valid_until)
  values (app_parent(), ${c.id}, ${c.org}, ${c.signInUrl}, ${c.signInBinding}, ${c.logout?.url ?? null}, ${c.logout?.responseUrl ?? null},
          ${c.logout?.binding ?? null}, ${c.signRequests}, ${c.idpInitiated}, ${c.mustEncrypt}, ${c.clockSkewSeconds}, ${c.sha1Until},
          ${c.expiredCertificate}, ${c.nameIdFormat}, ${c.groupsOverage}, ${c.emailDomains}, ${json(c.attributeMap)},
          ${c.metadata?.url ?? null}, ${c.metadata?.signedBy ?? null}, ${c.metadata?.checkedAt ?? null}, ${c.metadata?.validUntil ?? null})`);
}

export async function saveSamlConnection(tx: Tx, c: SamlConnection): Promise<void> {
  await tx.run(write`
  update sso_connection set name = ${c.name}, match_directory = ${c.matchDirectory}, state = ${c.state}
   where parent = app_parent() and id = ${c.id}`);
  await tx.run(write`
  update saml_connection
     set sign_in_url = ${c.signInUrl}, sign_in_binding = ${c.signInBinding}, logout_url = ${c.logout?.url ?? null},
         logout_response_url = ${c.logout?.responseUrl ?? null}, logout_binding = ${c.logout?.binding ?? null},
         sign_requests = ${c.signRequests}, idp_initiated = ${c.idpInitiated}, must_encrypt = ${c.mustEncrypt},
         clock_skew_s = ${c.clockSkewSeconds}, sha1_until = ${c.sha1Until}, expired_certificate = ${c.expiredCertificate},
         name_id_format = ${c.nameIdFormat}, groups_overage = ${c.groupsOverage}, email_domains = ${c.emailDomains},
         attribute_map = ${json(c.attributeMap)}, metadata_checked_at = ${c.metadata?.checkedAt ?? null},
         metadata_problem = ${c.metadata?.problem ?? null}, metadata_valid_until = ${c.metadata?.validUntil ?? null}
   where parent = app_parent() and connection = ${c.id}`);
}

export const findSamlConnection = (db: Reader, id: Id<'sso'>): Promise<SamlConnection | undefined> =>
  db.maybe(read(Row)`select ${columns} from ${tables} where c.parent = app_parent() and c.id = ${id}`);

export const lockSamlConnection = (tx: Tx, id: Id<'sso'>): Promise<SamlConnection | undefined> =>
  tx.maybe(read(Row)`select ${columns} from ${tables} where c.parent = app_parent() and c.id = ${id} for update`);

/** The connection that an identity provider has with an organization. */
export const findSamlConnectionByIssuer = (
  db: Reader,
  org: Id<'org'>,
  issuer: string,
): Promise<SamlConnection | undefined> =>
  db.maybe(
    read(
      Row,
    )`select ${columns} from ${tables} where c.parent = app_parent() and m.org = ${org} and c.client_id = ${org} and c.issuer = ${issuer}`,
  );

/** By name. `q` is looked for in name and entity ID. */
export const listSamlConnections = (
  db: Reader,
  f: {
    q?: string | undefined;
    state?: SamlConnection['state'] | undefined;
    after?: readonly string[] | undefined;
    limit: number;
  },
): Promise<SamlConnection[]> =>
  db.many(read(Row)`
  select ${columns}
    from ${tables}
   where c.parent = app_parent()
     and (${containing(f.q)}::text is null or c.name ilike ${containing(f.q)} or c.issuer ilike ${containing(f.q)})
     and (${f.state ?? null}::text is null or c.state = ${f.state ?? null})
     and (${f.after?.[0] ?? null}::text is null or (lower(c.name), c.id) > (${f.after?.[0] ?? ''}, ${f.after?.[1] ?? ''}))
   order by lower(c.name), c.id
   limit ${f.limit + 1}`);

const CertificateRow: z.ZodType<HeldCertificate> = z.object({
  fingerprint: z.string(),
  der: z.instanceof(Buffer),
  subject: z.string(),
  notBefore: z.date(),
  notAfter: z.date(),
  source: z.enum(['metadata', 'hand']),
  addedAt: z.date(),
  warnedDays: z.number().nullable(),
});
const certificateColumns: Fragment = sql`fingerprint, certificate as der, subject, not_before as "notBefore", not_after as "notAfter", source, added_at as "addedAt",
         warned_days as "warnedDays"`;

/** The one that lasts longest first. */
export const listCertificates = (db: Reader, connection: Id<'sso'>): Promise<HeldCertificate[]> =>
  db.many(read(CertificateRow)`
  select ${certificateColumns} from saml_certificate where parent = app_parent() and connection = ${connection}
   order by not_after desc, fingerprint`);

/** 0: the connection has it already. */
export const insertCertificate = (tx: Tx, connection: Id<'sso'>, c: HeldCertificate): Promise<number> =>
  tx.run(write`
  insert into saml_certificate (parent, connection, fingerprint, certificate, subject, not_before, not_after, source, added_at)
  values (app_parent(), ${connection}, ${c.fingerprint}, ${c.der}, ${c.subject}, ${c.notBefore}, ${c.notAfter}, ${c.source}, ${c.addedAt})
  on conflict (parent, connection, fingerprint) do nothing`);

export const deleteCertificate = (tx: Tx, connection: Id<'sso'>, fingerprint: string): Promise<number> =>
  tx.run(
    write`delete from saml_certificate where parent = app_parent() and connection = ${connection} and fingerprint = ${fingerprint}`,
  );

export const saveWarned = (tx: Tx, connection: Id<'sso'>, fingerprint: string, days: number): Promise<number> =>
  tx.run(write`
  update saml_certificate set warned_days = ${days}
   where parent = app_parent() and connection = ${connection} and fingerprint = ${fingerprint}`);

const EndingRow = z.object({
  connection: z.custom<Id<'sso'>>(),
  name: z.string(),
  fingerprint: z.string(),
  subject: z.string(),
  notAfter: z.date(),
  others: z.number(),
});
export type EndingCertificate = z.infer<typeof EndingRow>;

/** Certificates of active connections that end before `before`, soonest first; `others` counts those of the same connection that last longer. */
export const listEndingCertificates = (db: Reader, before: Date, limit: number): Promise<EndingCertificate[]> =>
  db.many(read(EndingRow)`
  select k.connection, c.name, k.fingerprint, k.subject, k.not_after as "notAfter",
         (select count(*)::int from saml_certificate o
           where o.parent = k.parent and o.connection = k.connection and o.not_after >= ${before}) as others
    from saml_certificate k join sso_connection c on c.parent = k.parent and c.id = k.connection
   where k.parent = app_parent() and c.state = 'active' and k.not_after < ${before}
   order by k.not_after, k.fingerprint
   limit ${limit}`);

const Due = z.object({
  due: z.array(
    z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>(), connection: z.custom<Id<'sso'>>() }),
  ),
});
/** For `Db.lookup`: whose metadata is older than `before`. */
export const lookupMetadataDue = (before: Date) =>
  read(Due)`select coalesce(json_agg(d), '[]') as due from lookup_saml_metadata_due(${before}) d`;
/** For `Db.lookup`: which connections have a certificate that ends before `before`. */
export const lookupCertificatesEnding = (before: Date) =>
  read(Due)`select coalesce(json_agg(d), '[]') as due from lookup_saml_certificates_ending(${before}) d`;
