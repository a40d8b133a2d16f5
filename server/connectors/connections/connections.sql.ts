import { z } from 'zod';
import { read, sql, write, type Fragment, type Query, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import type { Connection, ConnectionState } from '#vault/connection.ts';
import { connectionColumns, connectionFrom, ConnectionRow } from '#vault/connection.sql.ts';
import type { Check, Clock, Step } from './connection-health.ts';

/** A connection with what people know it by. */
export type Listed = {
  connection: Connection;
  connector: { id: Id<'con'>; slug: string; name: string; type: string };
  /** Undefined: the organization. */
  person: { user: Id<'usr'>; name: string; email: string } | undefined;
};

const NamesRow = z.object({
  slug: z.string(),
  name: z.string(),
  type: z.string(),
  userName: z.string().nullable(),
  userEmail: z.string().nullable(),
});
const ListedRow = z.looseObject({}).transform((r): Listed => {
  const connection = ConnectionRow.parse(r);
  const { slug, name, type, userName, userEmail } = NamesRow.parse(r);
  const { owner } = connection;
  return {
    connection,
    connector: { id: connection.connector, slug, name, type },
    person:
      owner.kind === 'person' ? { user: owner.user, name: userName ?? owner.user, email: userEmail ?? '' } : undefined,
  };
});
const names = sql`n.slug, n.name, n.type, u.display_name as "userName", u.email as "userEmail"`;
const joined = sql`${connectionFrom}
  join connector n on n.org = c.org and n.id = c.connector
  left join app_user u on u.parent = app_parent() and u.id = c.user_id`;

export type ConnectionFilter = {
  /** In the account, the person, the connector. */
  q?: string | undefined;
  connector?: string | undefined;
  /** A user's id, or `organization`. */
  owner?: string | undefined;
  type?: string | undefined;
  state?: ConnectionState | undefined;
  /** Without it, ended ones are left out. */
  after?: readonly string[] | undefined;
  limit: number;
};

/** As an index has it: of an organization's very many, one person's own are few. */
const ownedBy = (owner: string | undefined): Fragment =>
  owner === undefined
    ? sql`true`
    : owner === 'organization'
      ? sql`c.owner_kind = 'organization'`
      : sql`c.user_id = ${owner}`;

/** In the order in which they were made. Ended ones only where they are asked for. One more than asked. */
export const listConnections = (db: Reader, f: ConnectionFilter): Promise<Listed[]> =>
  db.many(read(ListedRow)`
    select ${connectionColumns}, ${names} from ${joined}
     where c.org = app_org()
       and ${f.state === undefined ? sql`c.ended_at is null` : sql`c.state = ${f.state}`}
       and ${ownedBy(f.owner)}
       and (${f.connector ?? null}::text is null or c.connector = ${f.connector ?? null})
       and (${f.type ?? null}::text is null or n.type = ${f.type ?? null})
       and (${containing(f.q)}::text is null or n.name ilike ${containing(f.q)} or n.slug ilike ${containing(f.q)} or n.type ilike ${containing(f.q)}
            or u.display_name ilike ${containing(f.q)} or u.email ilike ${containing(f.q)}
            or c.account_label ilike ${containing(f.q)} or c.account_email ilike ${containing(f.q)})
       and (${f.after?.[0] ?? null}::text is null or c.id > ${f.after?.[0] ?? ''})
     order by c.id
     limit ${f.limit + 1}`);

export const findListed = (db: Reader, id: Id<'cnn'>): Promise<Listed | undefined> =>
  db.maybe(
    read(ListedRow)`select ${connectionColumns}, ${names} from ${joined} where c.org = app_org() and c.id = ${id}`,
  );

/** Live ones that may need somebody, or renewal: not standing well, ending before `by`, or half of a time that use renews is gone. */
export const listWatched = (db: Reader, now: Date, by: Date): Promise<Listed[]> =>
  db.many(read(ListedRow)`
    select ${connectionColumns}, ${names} from ${joined}
     where c.org = app_org() and c.ended_at is null
       and (c.state <> 'active' or least(c.refresh_expires_at, c.idle_expires_at, c.given_ends_at) < ${by}
            or coalesce(c.last_refreshed_at, c.made_at) + (c.idle_expires_at - coalesce(c.last_refreshed_at, c.made_at)) / 2 <= ${now}
            or coalesce(c.last_refreshed_at, c.made_at) + (c.refresh_expires_at - coalesce(c.last_refreshed_at, c.made_at)) / 2 <= ${now}
            or exists (select from connection_check k where k.org = c.org and k.connection = c.id and k.why is not null)
            or exists (select from connection_alert a where a.org = c.org and a.about = c.id and a.clock in ('failed', 'check') and a.over_at is null))
     order by c.id`);

/** Live accounts of the organization. */
export const listAccounts = (db: Reader): Promise<Listed[]> =>
  db.many(read(ListedRow)`
    select ${connectionColumns}, ${names} from ${joined}
     where c.org = app_org() and c.ended_at is null and c.owner_kind = 'organization' order by c.id`);

const AppRow = z.object({
  connector: z.custom<Id<'con'>>(),
  name: z.string(),
  type: z.string(),
  ends: z.date().nullable(),
  failingSince: z.date().nullable(),
  people: z.number(),
});
/** Apps that end before `by`, that the vendor refuses, or that it was told of that it does; with how many live consents go through each. */
export const listWatchedApps = (db: Reader, by: Date): Promise<z.infer<typeof AppRow>[]> =>
  db.many(read(AppRow)`
    select a.connector, n.name, n.type, a.ends_at as ends, a.failing_since as "failingSince",
           (select count(*)::int from connection c where c.org = a.org and c.connector = a.connector and c.ended_at is null and c.grant_kind = 'oauth') as people
      from connector_app a join connector n on n.org = a.org and n.id = a.connector
     where a.org = app_org()
       and (a.ends_at < ${by} or a.failing_since is not null
            or exists (select from connection_alert l where l.org = a.org and l.about = a.connector and l.clock = 'failed' and l.over_at is null))
     order by a.connector`);

export type Alert = {
  about: Id<'cnn'> | Id<'con'>;
  clock: Clock | 'failed' | 'check' | 'many';
  ends: Date;
  step: Step;
};

/** 0: it was told already. INVARIANT (told once): the row is the guard, whichever node comes first. */
export const insertAlert = (tx: Tx, a: Alert, at: Date, digest: string): Promise<number> =>
  tx.run(write`
    insert into connection_alert (org, about, clock, ends_at, step, told_at, digest)
    values (app_org(), ${a.about}, ${a.clock}, ${a.ends}, ${a.step}, ${at}, ${digest})
    on conflict do nothing`);

/** A trouble is over. 0: there was none. */
export const endTrouble = (
  tx: Tx,
  about: string,
  clock: 'failed' | 'check',
  at: Date,
  digest: string,
): Promise<number> =>
  tx.run(write`
    update connection_alert set over_at = ${at}, digest = ${digest}
     where org = app_org() and about = ${about} and clock = ${clock} and over_at is null`);

const AlertRow = z.object({
  about: z.string(),
  clock: z.enum(['refresh', 'idle', 'given', 'app', 'failed', 'check', 'many']),
  ends: z.date(),
  told: z.date(),
  over: z.date().nullable(),
});
/** What one mail to administrators tells. */
export const listDigest = (db: Reader, digest: string): Promise<z.infer<typeof AlertRow>[]> =>
  db.many(read(AlertRow)`
    select about, clock, ends_at as ends, told_at as told, over_at as over from connection_alert
     where org = app_org() and digest = ${digest} order by about, clock`);

/** Connections of a connector that were found failing since then. */
export const countFailed = async (
  db: Reader,
  connector: Id<'con'>,
  since: Date,
): Promise<{ failed: number; live: number }> =>
  db.one(read(z.object({ failed: z.number(), live: z.number() }))`
    select (select count(*)::int from connection_alert a join connection c on c.org = a.org and c.id = a.about
             where a.org = app_org() and a.clock = 'failed' and a.told_at >= ${since} and c.connector = ${connector}) as failed,
           (select count(*)::int from connection c where c.org = app_org() and c.connector = ${connector} and c.ended_at is null) as live`);

/** Takes the look of a day for this node. 0: another node has it, or has had it. */
export const takeCheck = (tx: Tx, connection: Id<'cnn'>, slot: string, at: Date): Promise<number> =>
  tx.run(write`
    insert into connection_check as k (org, connection, slot, begun_at) values (app_org(), ${connection}, ${slot}::date, ${at})
    on conflict (org, connection) do update set slot = excluded.slot, begun_at = excluded.begun_at
     where k.slot < excluded.slot`);

export const saveCheck = (
  tx: Tx,
  connection: Id<'cnn'>,
  at: Date,
  trouble: { why: string; says: string } | undefined,
): Promise<number> =>
  tx.run(write`
    update connection_check set ended_at = ${at}, why = ${trouble?.why ?? null}, says = ${trouble?.says ?? null}
     where org = app_org() and connection = ${connection}`);

const CheckRow = z
  .object({
    connection: z.custom<Id<'cnn'>>(),
    slot: z.string(),
    at: z.date().nullable(),
    why: z.string().nullable(),
    says: z.string().nullable(),
  })
  .transform(({ why, says, at, ...k }): { connection: Id<'cnn'>; slot: string; check: Check | undefined } => ({
    ...k,
    check: at ? { at, trouble: why === null || says === null ? undefined : { why, says } } : undefined,
  }));
/** The last look at each account, by connection. */
export const listChecks = async (
  db: Reader,
  connections: readonly Id<'cnn'>[],
): Promise<ReadonlyMap<Id<'cnn'>, { slot: string; check: Check | undefined }>> =>
  new Map(
    (
      await db.many(read(CheckRow)`
    select connection, slot::text as slot, ended_at as at, why, says from connection_check
     where org = app_org() and connection = any(${connections}::text[])`)
    ).map((k) => [k.connection, k]),
  );

const Scopes = z.object({
  scopes: z.array(z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() })),
});
/** For `Db.lookup`: where there is anything to watch. */
export const lookupConnected = (): Query<z.infer<typeof Scopes>> =>
  read(Scopes)`select coalesce(json_agg(o), '[]') as scopes from lookup_connected_orgs() o`;

const Figures = z.object({
  figures: z.array(z.object({ state: z.string(), n: z.number(), soonest: z.coerce.date().nullable() })),
});
/** For `Db.lookup`: how many connections of the deployment stand how. */
export const lookupFigures = (): Query<z.infer<typeof Figures>> =>
  read(Figures)`select coalesce(json_agg(f), '[]') as figures from lookup_connection_figures() f`;
