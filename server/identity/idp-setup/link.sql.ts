import { z } from 'zod';
import { read, sql, write, type Fragment, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { protocols, tasks, type IdpSetupLink, type Protocol } from './link.ts';

const Row: z.ZodType<IdpSetupLink> = z.object({
  id: z.custom<Id<'isl'>>(),
  org: z.custom<Id<'org'>>(),
  name: z.string(),
  tasks: z.array(z.enum(tasks)),
  activates: z.boolean(),
  allowPrivate: z.array(z.string()),
  createdBy: z.custom<Id<'usr'>>(),
  createdAt: z.date(),
  expiresAt: z.date(),
  openedAt: z.date().nullable(),
  revokedAt: z.date().nullable(),
  provider: z.string().nullable(),
  protocol: z.enum(protocols).nullable(),
  connection: z.custom<Id<'sso'>>().nullable(),
  directory: z.custom<Id<'dir'>>().nullable(),
  domains: z.array(z.custom<Id<'dom'>>()),
});

const columns: Fragment = sql`id, org, name, tasks, activates, allow_private as "allowPrivate", created_by as "createdBy",
         created_at as "createdAt", expires_at as "expiresAt", opened_at as "openedAt", revoked_at as "revokedAt", provider, protocol,
         connection, directory, domains`;

export const insertLink = (tx: Tx, l: IdpSetupLink, hash: Buffer): Promise<number> =>
  tx.run(write`
  insert into idp_setup_link (parent, org, id, hash, name, tasks, activates, allow_private, created_by, created_at, expires_at, provider)
  values (app_parent(), ${l.org}, ${l.id}, ${hash}, ${l.name}, ${l.tasks}, ${l.activates}, ${l.allowPrivate}, ${l.createdBy},
          ${l.createdAt}, ${l.expiresAt}, ${l.provider})`);

export const findLinkByHash = (db: Reader, hash: Buffer): Promise<IdpSetupLink | undefined> =>
  db.maybe(read(Row)`select ${columns} from idp_setup_link where parent = app_parent() and hash = ${hash}`);

/** Takes the row for the rest of the transaction. */
export const lockLink = (tx: Tx, org: Id<'org'>, id: Id<'isl'>): Promise<IdpSetupLink | undefined> =>
  tx.maybe(
    read(
      Row,
    )`select ${columns} from idp_setup_link where parent = app_parent() and org = ${org} and id = ${id} for update`,
  );

/** Newest first. `q` is looked for in the name. */
export const listLinks = (
  db: Reader,
  org: Id<'org'>,
  f: { q?: string | undefined; after?: readonly string[] | undefined; limit: number },
): Promise<IdpSetupLink[]> =>
  db.many(read(Row)`
  select ${columns} from idp_setup_link
   where parent = app_parent() and org = ${org}
     and (${containing(f.q)}::text is null or name ilike ${containing(f.q)})
     and (${f.after?.[0] ?? null}::text is null or id < ${f.after?.[0] ?? ''})
   order by id desc
   limit ${f.limit + 1}`);

export const saveOpened = (tx: Tx, id: Id<'isl'>, at: Date): Promise<number> =>
  tx.run(
    write`update idp_setup_link set opened_at = ${at} where parent = app_parent() and id = ${id} and opened_at is null`,
  );

export const saveRevoked = (tx: Tx, id: Id<'isl'>, at: Date): Promise<number> =>
  tx.run(
    write`update idp_setup_link set revoked_at = ${at} where parent = app_parent() and id = ${id} and revoked_at is null`,
  );

export const saveProvider = (tx: Tx, id: Id<'isl'>, provider: string, protocol: Protocol | null): Promise<number> =>
  tx.run(write`
  update idp_setup_link set provider = ${provider}, protocol = ${protocol} where parent = app_parent() and id = ${id}`);

export const saveConnectionOfLink = (tx: Tx, id: Id<'isl'>, connection: Id<'sso'> | null): Promise<number> =>
  tx.run(write`update idp_setup_link set connection = ${connection} where parent = app_parent() and id = ${id}`);

export const saveDirectoryOfLink = (tx: Tx, id: Id<'isl'>, directory: Id<'dir'>): Promise<number> =>
  tx.run(write`update idp_setup_link set directory = ${directory} where parent = app_parent() and id = ${id}`);

export const saveDomainOfLink = (tx: Tx, id: Id<'isl'>, domain: Id<'dom'>): Promise<number> =>
  tx.run(
    write`update idp_setup_link set domains = array_append(domains, ${domain}::text) where parent = app_parent() and id = ${id}`,
  );

/** For `Db.lookup`: where the link with this hash leads. */
export const lookupLink = (hash: Buffer) =>
  read(z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() }))`
  select parent, org from lookup_idp_setup_link(${hash})`;
