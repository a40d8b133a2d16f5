import { z } from 'zod';
import { json, read, sql, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

/** A spent refresh token works again this long, because both MCP SDKs send one refresh per pending call. */
export const GRACE_SECONDS = 15;

const OwnerRow = z.object({
  parent: z.custom<Id<'par'>>(),
  org: z.custom<Id<'org'>>(),
  member: z.custom<Id<'mem'>>(),
  client: z.string(),
});
export type GrantOwner = z.infer<typeof OwnerRow>;

const ItemRow = z.object({
  id: z.string(),
  payload: z.record(z.string(), z.unknown()),
  grant: z.string().nullable(),
  /** Of a consent: whose it is. */
  owner: OwnerRow.nullable().transform((o) => o ?? undefined),
  consumedAt: z.date().nullable(),
  /** Whether something that came from this token was spent already: then the line went on, and this token has no grace. */
  wentOn: z.boolean(),
});
export type ItemRow = z.infer<typeof ItemRow>;

const columns = sql`
  i.id, i.payload, i.grant_id as "grant", i.consumed_at as "consumedAt",
  case when i.model = 'Grant' then jsonb_build_object('parent', i.parent, 'org', i.org, 'member', i.account_id, 'client', i.client_id) end as owner,
  exists (select from oauth_item c where c.predecessor = i.id and c.consumed_at is not null) as "wentOn"`;

export const findItem = (db: Reader, model: string, id: string): Promise<ItemRow | undefined> =>
  db.maybe(read(ItemRow)`select ${columns} from oauth_item i where i.model = ${model} and i.id = ${id}`);

export const findItemByUid = (db: Reader, model: string, uid: string): Promise<ItemRow | undefined> =>
  db.maybe(read(ItemRow)`select ${columns} from oauth_item i where i.model = ${model} and i.uid = ${uid}`);

export const findItemByUserCode = (db: Reader, model: string, code: string): Promise<ItemRow | undefined> =>
  db.maybe(read(ItemRow)`select ${columns} from oauth_item i where i.model = ${model} and i.user_code = ${code}`);

export type NewItem = {
  model: string;
  id: string;
  payload: unknown;
  grant?: string | undefined;
  predecessor?: string | undefined;
  uid?: string | undefined;
  userCode?: string | undefined;
  account?: string | undefined;
  client?: string | undefined;
  clientName?: string | undefined;
  connection?: string | undefined;
  parent?: string | undefined;
  org?: string | undefined;
  expiresAt?: Date | undefined;
};

/** Writes or replaces a row; who it belongs to and what was spent of it stays as it was. */
export const saveItem = (tx: Tx, i: NewItem, at: Date): Promise<number> =>
  tx.run(write`
  insert into oauth_item (model, id, grant_id, predecessor, uid, user_code, account_id, client_id, client_name, connection, parent, org, payload, expires_at, created_at)
  values (${i.model}, ${i.id}, ${i.grant ?? null}, ${i.predecessor ?? null}, ${i.uid ?? null}, ${i.userCode ?? null}, ${i.account ?? null},
          ${i.client ?? null}, ${i.clientName ?? null}, ${i.connection ?? null}, ${i.parent ?? null}, ${i.org ?? null}, ${json(i.payload)}, ${i.expiresAt ?? null}, ${at})
  on conflict (model, id) do update
     set payload = excluded.payload, grant_id = excluded.grant_id, uid = excluded.uid, user_code = excluded.user_code,
         account_id = excluded.account_id, expires_at = excluded.expires_at`);

/** False: this was used before, perhaps a moment ago on another node. */
export const insertOnce = async (tx: Tx, i: NewItem, at: Date): Promise<boolean> =>
  (await tx.run(write`
  insert into oauth_item (model, id, payload, expires_at, created_at)
  values (${i.model}, ${i.id}, ${json(i.payload)}, ${i.expiresAt ?? null}, ${at})
  on conflict do nothing`)) === 1;

/** Takes part in the order of all who end or extend this consent, for the rest of the transaction. */
export const lockGrant = (tx: Tx, grant: string): Promise<number> =>
  tx.run(write`select pg_advisory_xact_lock(hashtextextended(${grant}, 0))`);

/** Compare and set. False: somebody was faster, or it is spent for good. `grace` is for refresh tokens only. */
export const consumeItem = async (tx: Tx, model: string, id: string, at: Date, grace: boolean): Promise<boolean> =>
  (await tx.run(write`
  update oauth_item i
     set consumed_at = coalesce(i.consumed_at, ${at})
   where i.model = ${model} and i.id = ${id}
     and (i.consumed_at is null
          or ${grace} and i.consumed_at > ${at}::timestamptz - make_interval(secs => ${GRACE_SECONDS})
             and not exists (select from oauth_item c where c.predecessor = i.id and c.consumed_at is not null))`)) ===
  1;

/**
 * INVARIANT (one line): of the twins that came from one refresh token within its grace, the first one used goes on; the others count as
 * spent long ago, so that presenting one is a replay and ends the consent.
 */
export const spendTwins = (tx: Tx, id: string): Promise<number> =>
  tx.run(write`
  update oauth_item twin
     set consumed_at = 'epoch'
    from oauth_item me
   where me.model = 'RefreshToken' and me.id = ${id} and twin.model = 'RefreshToken'
     and twin.predecessor = me.predecessor and twin.id <> me.id and twin.consumed_at is null`);

export const deleteItem = (tx: Tx, model: string, id: string): Promise<number> =>
  tx.run(write`delete from oauth_item where model = ${model} and id = ${id}`);

export const deleteOfGrant = (tx: Tx, model: string, grant: string): Promise<number> =>
  tx.run(write`delete from oauth_item where model = ${model} and grant_id = ${grant}`);

/** The consent and all that stands on it. */
export const deleteFamily = (tx: Tx, grant: string): Promise<number> =>
  tx.run(write`delete from oauth_item where grant_id = ${grant} or model = 'Grant' and id = ${grant}`);

/** Whose consent this is, and in which log it is told. */
export const findGrantOwner = (db: Reader, grant: string): Promise<GrantOwner | undefined> =>
  db.maybe(read(OwnerRow)`
  select parent, org, account_id as member, client_id as client from oauth_item where model = 'Grant' and id = ${grant}`);

/** The last good metadata document of a client, for the hours when its host is down. Kept only for clients that somebody consented to. */
export const saveDocument = (tx: Tx, url: string, body: string, at: Date): Promise<number> =>
  tx.run(write`
  insert into oauth_item (model, id, payload, created_at) values ('Document', ${url}, ${json({ body })}, ${at})
  on conflict (model, id) do update set payload = excluded.payload`);

/** Newer text of a document that is kept already. */
export const refreshDocument = (tx: Tx, url: string, body: string): Promise<number> =>
  tx.run(write`update oauth_item set payload = ${json({ body })} where model = 'Document' and id = ${url}`);

export const findDocument = (db: Reader, url: string): Promise<string | undefined> =>
  db
    .maybe(read(z.object({ body: z.string() }))`
  select payload ->> 'body' as body from oauth_item where model = 'Document' and id = ${url}`)
    .then((r) => r?.body);

/** Rows per statement of the sweep: a tenth of a second, and no long transaction. */
export const SWEEP_BATCH = 5000;

/** What ran out a minute ago or more; a spent refresh token after two days. Returns how many went. */
export const sweepExpired = (tx: Tx, at: Date): Promise<number> =>
  tx.run(write`
  delete from oauth_item i using (
    select model, id from oauth_item
     where expires_at < ${at}::timestamptz - interval '60 seconds'
        or consumed_at < ${at}::timestamptz - interval '48 hours'
     limit ${SWEEP_BATCH} for update skip locked) gone
   where i.model = gone.model and i.id = gone.id`);

/** Clients that registered themselves a month ago and that nobody consented to, and documents of clients without a consent. */
export const sweepUnusedClients = (tx: Tx, at: Date): Promise<number> =>
  tx.run(write`
  delete from oauth_item i using (
    select c.model, c.id from oauth_item c
     where c.model in ('Client', 'Document') and c.created_at < ${at}::timestamptz - interval '30 days'
       and not exists (select from oauth_item g where g.client_id = c.id)
     limit ${SWEEP_BATCH} for update skip locked) gone
   where i.model = gone.model and i.id = gone.id`);

export const sweepOrphans = (tx: Tx): Promise<number> =>
  tx.run(write`
  delete from oauth_item i using lookup_orphaned_grants(${SWEEP_BATCH}) o
   where i.grant_id = o.grant_id or i.model = 'Grant' and i.id = o.grant_id`);
