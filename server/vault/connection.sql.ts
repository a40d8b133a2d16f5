import { z } from 'zod';
import { json, read, sql, write, type Reader, type Tx } from '#kernel/db.ts';
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
    return { state: 'refresh_failed', why: r.why ?? '', fails: r.fails, next: r.next ?? undefined };
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

const ConnectionRow = z.object(columns).transform(connectionOf);

const selected = sql`
  c.id, c.connector, c.member, c.user_id as user, c.grant_kind as "grantKind", c.access, c.account_subject as subject, c.account_label as label,
  c.account_email as email, c.account_tenant as tenant, c.scopes, c.shown, c.facts, c.state, c.why, c.generation, c.access_expires_at as "accessEnds",
  c.refresh_expires_at as "refreshEnds", c.idle_expires_at as "idleEnds", c.given_ends_at as "givenEnds", c.last_refreshed_at as "lastRefreshed",
  l.last_used_at as "lastUsed", c.fail_count as fails, c.next_attempt_at as next, c.made_at as "madeAt", c.made_by as "madeBy", c.ended_at as "endedAt",
  c.ended_by as "endedBy", c.ended_why as "endedWhy", c.vendor_end as "vendorEnd"`;
const from = sql`connection c left join connection_lease l on l.org = c.org and l.connection = c.id`;

export const findConnection = (db: Reader, id: Id<'cnn'>): Promise<Connection | undefined> =>
  db.maybe(read(ConnectionRow)`select ${selected} from ${from} where c.org = app_org() and c.id = ${id}`);

/** The one live connection of a member, or of the organization. */
export const findLiveConnection = (
  db: Reader,
  connector: Id<'con'>,
  member: Id<'mem'> | 'organization',
): Promise<Connection | undefined> =>
  db.maybe(read(ConnectionRow)`
  select ${selected} from ${from}
   where c.org = app_org() and c.connector = ${connector} and c.ended_at is null
     and ${member === 'organization' ? sql`c.owner_kind = 'organization'` : sql`c.owner_kind = 'person' and c.member = ${member}`}`);

/** Everything live of one member. */
export const listConnectionsOfMember = (db: Reader, member: Id<'mem'>): Promise<Connection[]> =>
  db.many(read(ConnectionRow)`
  select ${selected} from ${from} where c.org = app_org() and c.member = ${member} and c.ended_at is null order by c.connector`);

/** Everything live of one connector. */
export const listConnectionsOfConnector = (db: Reader, connector: Id<'con'>): Promise<Connection[]> =>
  db.many(read(ConnectionRow)`
  select ${selected} from ${from} where c.org = app_org() and c.connector = ${connector} and c.ended_at is null order by c.id`);

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
  db.maybe(read(SealedRow)`select ${selected}, c.sealed from ${from} where c.org = app_org() and c.id = ${id}`);

const ownerColumns = (o: Owner): { kind: string; member: string | null; user: string | null } =>
  o.kind === 'person'
    ? { kind: o.kind, member: o.member, user: o.user }
    : { kind: 'organization', member: null, user: null };

/** 0: the owner has a live one for this connector already. */
export const insertConnection = (tx: Tx, c: Connection, sealed: Buffer): Promise<number> => {
  const o = ownerColumns(c.owner);
  return tx.run(write`
  insert into connection (org, id, connector, owner_kind, member, user_id, grant_kind, access, account_subject, account_label, account_email, account_tenant,
                          scopes, shown, facts, state, sealed, generation, access_expires_at, refresh_expires_at, idle_expires_at, given_ends_at, made_at, made_by)
  values (app_org(), ${c.id}, ${c.connector}, ${o.kind}, ${o.member}, ${o.user}, ${c.grantKind}, ${c.access}, ${c.account?.subject ?? null},
          ${c.account?.label ?? null}, ${c.account?.email ?? null}, ${c.account?.tenant ?? null}, ${c.scopes}, ${json(c.shown)}, ${json(c.facts)}, 'active',
          ${sealed}, ${c.generation}, ${c.expiry.access ?? null}, ${c.expiry.refresh ?? null}, ${c.expiry.idle ?? null}, ${c.expiry.given ?? null},
          ${c.made.at}, ${c.made.by})
  on conflict do nothing`);
};

/** A new grant in the place of the old one: everything but whose it is. 0: it was renewed or ended meanwhile. */
export const replaceGrant = (tx: Tx, c: Connection, sealed: Buffer, before: number): Promise<number> =>
  tx.run(write`
  update connection
     set grant_kind = ${c.grantKind}, access = ${c.access}, account_subject = ${c.account?.subject ?? null}, account_label = ${c.account?.label ?? null},
         account_email = ${c.account?.email ?? null}, account_tenant = ${c.account?.tenant ?? null}, scopes = ${c.scopes}, shown = ${json(c.shown)},
         facts = ${json(c.facts)}, state = 'active', why = null, fail_count = 0, next_attempt_at = null, sealed = ${sealed}, generation = ${c.generation},
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
