import { z } from 'zod';
import { json, read, sql, write, type Query, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import {
  connectionStates,
  endedWhys,
  vendorEnds,
  type Connection,
  type EndedWhy,
  type Owner,
  type Standing,
  type VendorEnd,
} from './connection.ts';
import { accesses } from './vendor-auth.ts';

const text = z.string().nullable();
const date = z.date().nullable();
const columns = {
  id: z.custom<Id<'cnn'>>(),
  connector: z.custom<Id<'con'>>(),
  member: z.custom<Id<'mem'>>().nullable(),
  user: z.custom<Id<'usr'>>().nullable(),
  grantKind: z.string(),
  access: z.enum(accesses),
  subject: text,
  label: text,
  email: text,
  tenant: text,
  scopes: z.array(z.string()),
  shown: z.record(z.string(), z.string()),
  facts: z.record(z.string(), z.string()),
  state: z.enum(connectionStates),
  because: z.enum(['app', 'later']).nullable(),
  why: text,
  generation: z.number(),
  accessEnds: date,
  refreshEnds: date,
  idleEnds: date,
  givenEnds: date,
  lastRefreshed: date,
  lastUsed: date,
  fails: z.number(),
  next: date,
  madeAt: z.date(),
  madeBy: z.string(),
  endedAt: date,
  endedBy: text,
  endedWhy: z.enum(endedWhys).nullable(),
  vendorEnd: z.enum(vendorEnds).nullable(),
};
type Row = z.infer<z.ZodObject<typeof columns>>;

function standingOf(r: Row): Standing {
  if (r.endedAt && r.endedWhy && r.vendorEnd)
    return { state: 'revoked', at: r.endedAt, by: r.endedBy ?? undefined, why: r.endedWhy, vendor: r.vendorEnd };
  if (r.state === 'refresh_failed')
    return {
      state: 'refresh_failed',
      because: r.because ?? 'later',
      why: r.why ?? '',
      fails: r.fails,
      next: r.next ?? undefined,
    };
  return r.state === 'reconnect' ? { state: 'reconnect', why: r.why ?? '' } : { state: 'active' };
}

const connectionOf = (r: Row): Connection => ({
  id: r.id,
  connector: r.connector,
  owner: r.member && r.user ? { kind: 'person', member: r.member, user: r.user } : { kind: 'organization' },
  grantKind: r.grantKind,
  access: r.access,
  account:
    r.subject === null
      ? undefined
      : {
          subject: r.subject,
          label: r.label ?? r.subject,
          ...(r.email === null ? {} : { email: r.email }),
          ...(r.tenant === null ? {} : { tenant: r.tenant }),
        },
  scopes: r.scopes,
  shown: r.shown,
  facts: r.facts,
  standing: standingOf(r),
  generation: r.generation,
  expiry: {
    access: r.accessEnds ?? undefined,
    refresh: r.refreshEnds ?? undefined,
    idle: r.idleEnds ?? undefined,
    given: r.givenEnds ?? undefined,
  },
  lastRefreshed: r.lastRefreshed ?? undefined,
  lastUsed: r.lastUsed ?? undefined,
  made: { at: r.madeAt, by: r.madeBy },
});

/** Of the columns below, for queries of the room above that join more. */
export const ConnectionRow = z.object(columns).transform(connectionOf);

export const connectionColumns = sql`
  c.id, c.connector, c.member, c.user_id as user, c.grant_kind as "grantKind", c.access, c.account_subject as subject, c.account_label as label,
  c.account_email as email, c.account_tenant as tenant, c.scopes, c.shown, c.facts, c.state, c.because, c.why, c.generation, c.access_expires_at as "accessEnds",
  c.refresh_expires_at as "refreshEnds", c.idle_expires_at as "idleEnds", c.given_ends_at as "givenEnds", c.last_refreshed_at as "lastRefreshed",
  l.last_used_at as "lastUsed", c.fail_count as fails, c.next_attempt_at as next, c.made_at as "madeAt", c.made_by as "madeBy", c.ended_at as "endedAt",
  c.ended_by as "endedBy", c.ended_why as "endedWhy", c.vendor_end as "vendorEnd"`;
export const connectionFrom = sql`connection c left join connection_lease l on l.org = c.org and l.connection = c.id`;

export const findConnection = (db: Reader, id: Id<'cnn'>): Promise<Connection | undefined> =>
  db.maybe(
    read(ConnectionRow)`select ${connectionColumns} from ${connectionFrom} where c.org = app_org() and c.id = ${id}`,
  );

/** The one live connection of a member, or of the organization. */
export const findLiveConnection = (
  db: Reader,
  connector: Id<'con'>,
  member: Id<'mem'> | 'organization',
): Promise<Connection | undefined> =>
  db.maybe(read(ConnectionRow)`
  select ${connectionColumns} from ${connectionFrom}
   where c.org = app_org() and c.connector = ${connector} and c.ended_at is null
     and ${member === 'organization' ? sql`c.owner_kind = 'organization'` : sql`c.owner_kind = 'person' and c.member = ${member}`}`);

/** Everything live of one member. */
export const listConnectionsOfMember = (db: Reader, member: Id<'mem'>): Promise<Connection[]> =>
  db.many(read(ConnectionRow)`
  select ${connectionColumns} from ${connectionFrom} where c.org = app_org() and c.member = ${member} and c.ended_at is null order by c.connector`);

/** Everything live of one connector. */
export const listConnectionsOfConnector = (db: Reader, connector: Id<'con'>): Promise<Connection[]> =>
  db.many(read(ConnectionRow)`
  select ${connectionColumns} from ${connectionFrom} where c.org = app_org() and c.connector = ${connector} and c.ended_at is null order by c.id`);

/** Takes the row for the rest of the transaction. */
export const lockConnection = async (tx: Tx, id: Id<'cnn'>): Promise<Connection | undefined> => {
  await tx.maybe(read(z.unknown())`select id from connection where org = app_org() and id = ${id} for update`);
  return findConnection(tx, id);
};

/** A connection with what opens in it only. */
export type SealedConnection = { connection: Connection; sealed: Buffer | undefined };
const SealedRow = z
  .object({ ...columns, sealed: z.instanceof(Buffer).nullable() })
  .transform((r): SealedConnection => ({ connection: connectionOf(r), sealed: r.sealed ?? undefined }));

export const findSealedConnection = (db: Reader, id: Id<'cnn'>): Promise<SealedConnection | undefined> =>
  db.maybe(
    read(
      SealedRow,
    )`select ${connectionColumns}, c.sealed from ${connectionFrom} where c.org = app_org() and c.id = ${id}`,
  );

const ownerColumns = (o: Owner): { kind: string; member: string | null; user: string | null } =>
  o.kind === 'person'
    ? { kind: o.kind, member: o.member, user: o.user }
    : { kind: 'organization', member: null, user: null };

/** One that stands as ended is kept only until its vendor was told. 0: the owner has a live one for this connector already. */
export const insertConnection = (tx: Tx, c: Connection, sealed: Buffer): Promise<number> => {
  const o = ownerColumns(c.owner);
  const end = c.standing.state === 'revoked' ? c.standing : undefined;
  return tx.run(write`
  insert into connection (org, id, connector, owner_kind, member, user_id, grant_kind, access, account_subject, account_label, account_email, account_tenant,
                          scopes, shown, facts, state, sealed, generation, access_expires_at, refresh_expires_at, idle_expires_at, given_ends_at, made_at, made_by,
                          ended_at, ended_by, ended_why, vendor_end)
  values (app_org(), ${c.id}, ${c.connector}, ${o.kind}, ${o.member}, ${o.user}, ${c.grantKind}, ${c.access}, ${c.account?.subject ?? null},
          ${c.account?.label ?? null}, ${c.account?.email ?? null}, ${c.account?.tenant ?? null}, ${c.scopes}, ${json(c.shown)}, ${json(c.facts)},
          ${end ? 'revoked' : 'active'}, ${sealed}, ${c.generation}, ${c.expiry.access ?? null}, ${c.expiry.refresh ?? null}, ${c.expiry.idle ?? null},
          ${c.expiry.given ?? null}, ${c.made.at}, ${c.made.by}, ${end?.at ?? null}, ${end?.by ?? null}, ${end?.why ?? null}, ${end?.vendor ?? null})
  on conflict do nothing`);
};

/** A new grant in the place of the old one: everything but whose it is. 0: it was renewed or ended meanwhile. */
export const replaceGrant = (tx: Tx, c: Connection, sealed: Buffer, before: number): Promise<number> =>
  tx.run(write`
  update connection
     set grant_kind = ${c.grantKind}, access = ${c.access}, account_subject = ${c.account?.subject ?? null}, account_label = ${c.account?.label ?? null},
         account_email = ${c.account?.email ?? null}, account_tenant = ${c.account?.tenant ?? null}, scopes = ${c.scopes}, shown = ${json(c.shown)},
         facts = ${json(c.facts)}, state = 'active', because = null, why = null, fail_count = 0, next_attempt_at = null, sealed = ${sealed}, generation = ${c.generation},
         access_expires_at = ${c.expiry.access ?? null}, refresh_expires_at = ${c.expiry.refresh ?? null}, idle_expires_at = ${c.expiry.idle ?? null},
         given_ends_at = ${c.expiry.given ?? null}
   where org = app_org() and id = ${c.id} and generation = ${before} and ended_at is null`);

/** Effective at once: nothing opens it for a use any more. 0: it had ended. */
export const saveConnectionEnded = (
  tx: Tx,
  id: Id<'cnn'>,
  end: { at: Date; by: string; why: EndedWhy; vendor: VendorEnd },
): Promise<number> =>
  tx.run(write`
  update connection
     set state = 'revoked', ended_at = ${end.at}, ended_by = ${end.by}, ended_why = ${end.why}, vendor_end = ${end.vendor}
         ${end.vendor === 'waiting' ? sql`` : sql`, sealed = null`}
   where org = app_org() and id = ${id} and ended_at is null`);

/** What a renewal or a failure writes is of one generation: 0, where another came or the connection ended meanwhile. */
export type Renewed = Pick<Connection, 'id' | 'generation' | 'scopes' | 'facts' | 'expiry'> & { at: Date };

export const saveRenewed = (tx: Tx, r: Renewed, sealed: Buffer): Promise<number> =>
  tx.run(write`
  update connection
     set sealed = ${sealed}, generation = ${r.generation}, scopes = ${r.scopes}, facts = ${json(r.facts)}, access_expires_at = ${r.expiry.access ?? null},
         refresh_expires_at = ${r.expiry.refresh ?? null}, idle_expires_at = ${r.expiry.idle ?? null}, last_refreshed_at = ${r.at},
         state = 'active', because = null, why = null, fail_count = 0, next_attempt_at = null
   where org = app_org() and id = ${r.id} and generation = ${r.generation - 1} and ended_at is null`);

/** For a connection that ended while it was renewed: the new token is what the vendor must be told of. */
export const saveRenewedEnded = (tx: Tx, r: Pick<Renewed, 'id' | 'generation'>, sealed: Buffer): Promise<number> =>
  tx.run(write`
  update connection set sealed = ${sealed}, generation = ${r.generation}
   where org = app_org() and id = ${r.id} and generation = ${r.generation - 1} and vendor_end = 'waiting'`);

export const saveRefused = (
  tx: Tx,
  id: Id<'cnn'>,
  generation: number,
  r: {
    state: 'refresh_failed' | 'reconnect';
    because: 'app' | 'later' | null;
    why: string;
    fails: number;
    next: Date | null;
  },
): Promise<number> =>
  tx.run(write`
  update connection set state = ${r.state}, because = ${r.because}, why = ${r.why}, fail_count = ${r.fails}, next_attempt_at = ${r.next}
   where org = app_org() and id = ${id} and generation = ${generation} and ended_at is null`);

/** An account of the organization is accepted again. 0: it was not failing. */
export const saveRecovered = (tx: Tx, id: Id<'cnn'>, generation: number): Promise<number> =>
  tx.run(write`
  update connection set state = 'active', because = null, why = null, fail_count = 0, next_attempt_at = null
   where org = app_org() and id = ${id} and generation = ${generation} and state in ('refresh_failed', 'reconnect')`);

/** After the app was replaced, nobody waits for the next attempt. */
export const saveRetryNow = (tx: Tx, connector: Id<'con'>): Promise<number> =>
  tx.run(write`
  update connection set next_attempt_at = null
   where org = app_org() and connector = ${connector} and state = 'refresh_failed' and next_attempt_at is not null`);

const Scopes = z.object({
  scopes: z.array(z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() })),
});

/** For `Db.lookup`: where an end is still to be told, or an old consent to be forgotten. */
export const lookupEnded = (now: Date): Query<z.infer<typeof Scopes>> =>
  read(Scopes)`select coalesce(json_agg(e), '[]') as scopes from lookup_ended_connections(${now}) e`;

/** Ends that a trigger wrote: what the log is not told of yet. */
export const takeUntold = (tx: Tx, by: string): Promise<Connection[]> =>
  tx.many(read(ConnectionRow)`
  with told as (
    update connection set ended_by = ${by} where org = app_org() and state = 'revoked' and ended_by is null returning *)
  select ${connectionColumns} from told c left join connection_lease l on l.org = c.org and l.connection = c.id`);

/** Ended connections whose vendor is to be told now. */
export const listToTell = (db: Reader, now: Date, limit: number): Promise<{ id: Id<'cnn'> }[]> =>
  db.many(read(z.object({ id: z.custom<Id<'cnn'>>() }))`
  select id from connection
   where org = app_org() and vendor_end = 'waiting' and coalesce(vendor_end_next_at, ended_at) <= ${now} order by ended_at limit ${limit}`);

const ToTellRow = z
  .object({ ...columns, sealed: z.instanceof(Buffer).nullable(), tries: z.number(), renewing: z.boolean() })
  .transform((r) => ({
    connection: connectionOf(r),
    sealed: r.sealed ?? undefined,
    tries: r.tries,
    renewing: r.renewing,
  }));

/** What is still sealed of an ended connection, how often its vendor was told in vain, and whether a newer token may be on its way. */
export const findToTell = (db: Reader, id: Id<'cnn'>): Promise<z.infer<typeof ToTellRow> | undefined> =>
  db.maybe(
    read(ToTellRow)`
  select ${connectionColumns}, c.sealed, c.vendor_end_tries as tries, coalesce(l.until > clock_timestamp(), false) as renewing from ${connectionFrom}
   where c.org = app_org() and c.id = ${id} and c.vendor_end = 'waiting'`,
  );

/** The secret goes with the answer. 0: another node was faster, or a newer token came, of which the vendor was not told. */
export const saveVendorTold = (
  tx: Tx,
  { id, generation }: Pick<Connection, 'id' | 'generation'>,
  how: Exclude<VendorEnd, 'waiting'>,
  tries: number,
): Promise<number> =>
  tx.run(write`
  update connection set vendor_end = ${how}, vendor_end_tries = ${tries}, vendor_end_next_at = null, sealed = null
   where org = app_org() and id = ${id} and generation = ${generation} and vendor_end = 'waiting'`);

export const saveVendorLater = (tx: Tx, id: Id<'cnn'>, tries: number, next: Date): Promise<number> =>
  tx.run(write`
  update connection set vendor_end_tries = ${tries}, vendor_end_next_at = ${next}
   where org = app_org() and id = ${id} and vendor_end = 'waiting'`);
