import { z } from 'zod';
import { read, write, type Db, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { ScimClient } from './scim-client.ts';

const Row: z.ZodType<ScimClient> = z.object({
  id: z.custom<Id<'scc'>>(),
  created: z.date(),
  createdBy: z.string(),
  expires: z.date(),
  revoked: z.date().nullable(),
  lastUsed: z.date().nullable(),
});

export const listScimClients = (db: Reader, directory: Id<'dir'>): Promise<ScimClient[]> =>
  db.many(read(Row)`
  select id, created_at as created, created_by as "createdBy", expires_at as expires, revoked_at as revoked, last_used_at as "lastUsed"
    from scim_client where parent = app_parent() and directory = ${directory} order by id`);

export const insertScimClient = (
  tx: Tx,
  directory: Id<'dir'>,
  c: Pick<ScimClient, 'id' | 'created' | 'createdBy' | 'expires'> & { hash: Buffer },
): Promise<number> =>
  tx.run(write`
  insert into scim_client (parent, id, directory, hash, created_by, created_at, expires_at)
  values (app_parent(), ${c.id}, ${directory}, ${c.hash}, ${c.createdBy}, ${c.created}, ${c.expires})`);

/** 0: it was revoked before; the first date stays. */
export const revokeScimClientRow = (tx: Tx, directory: Id<'dir'>, id: Id<'scc'>, at: Date): Promise<number> =>
  tx.run(write`
  update scim_client set revoked_at = ${at} where parent = app_parent() and directory = ${directory} and id = ${id} and revoked_at is null`);

const Found = z.object({
  directory: z.custom<Id<'dir'>>(),
  parent: z.custom<Id<'par'>>(),
  org: z.custom<Id<'org'>>(),
  hash: z.instanceof(Buffer),
  expires: z.date(),
  revoked: z.date().nullable(),
  state: z.enum(['active', 'paused']),
});

/** Whose client this is, live or not. */
export const lookupScimClient = (db: Db, id: Id<'scc'>): Promise<z.infer<typeof Found> | undefined> =>
  db.lookup(read(Found)`
  select directory, parent, org, hash, expires_at as expires, revoked_at as revoked, directory_state as state from lookup_scim_client(${id})`);

/** Takes the client for the rest of the transaction if it may still get tokens; says how many live ones it has. */
export const lockLiveClient = (tx: Tx, id: Id<'scc'>, at: Date): Promise<{ tokens: number } | undefined> =>
  tx.maybe(read(z.object({ tokens: z.coerce.number() }))`
  with held as (select id from scim_client where parent = app_parent() and id = ${id} and revoked_at is null and expires_at > ${at} for no key update)
  select (select count(*) from scim_token t where t.client = held.id and t.expires_at > ${at}) as tokens from held`);

/** A token of a client. */
export const insertClientToken = async (
  tx: Tx,
  directory: Id<'dir'>,
  client: Id<'scc'>,
  t: { id: Id<'sct'>; created: Date; expires: Date; hash: Buffer },
): Promise<void> => {
  await tx.run(write`
    insert into scim_token (parent, id, directory, hash, created_by, created_at, expires_at, client)
    values (app_parent(), ${t.id}, ${directory}, ${t.hash}, ${client}, ${t.created}, ${t.expires}, ${client})`);
  await tx.run(
    write`update scim_client set last_used_at = ${t.created} where parent = app_parent() and id = ${client}`,
  );
};
