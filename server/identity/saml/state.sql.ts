import { createHash } from 'node:crypto';
import { z } from 'zod';
import { json, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { NameId } from './judge-response.ts';

export const hashId = (id: string): Buffer => createHash('sha256').update(id).digest();

/** INVARIANT (once): the insert is the guard. 0: this message was taken before, here or on another node. */
export const insertSeen = (
  tx: Tx,
  connection: Id<'sso'>,
  what: 'assertion' | 'logout_request',
  id: string,
  until: Date,
): Promise<number> =>
  tx.run(write`
  insert into saml_seen (parent, connection, what, hash, until) values (app_parent(), ${connection}, ${what}, ${hashId(id)}, ${until})
  on conflict (parent, connection, what, hash) do nothing`);

/** Whether it was taken; for an early answer. The insert is what guards. */
export const findSeen = (
  db: Reader,
  connection: Id<'sso'>,
  what: 'assertion' | 'logout_request',
  id: string,
): Promise<object | undefined> =>
  db.maybe(
    read(z.object({}))`
  select from saml_seen where parent = app_parent() and connection = ${connection} and what = ${what} and hash = ${hashId(id)}`,
  );

/** The identity provider has answered an attempt. 0: it has before, or nobody waits for an answer any more. */
export const saveArrived = (tx: Tx, state: Buffer, sealed: Buffer): Promise<number> =>
  tx.run(
    write`update sign_in_attempt set arrived = ${sealed} where parent = app_parent() and state_hash = ${state} and arrived is null`,
  );

const Waiting = z.object({
  connection: z.custom<Id<'sso'>>(),
  expiresAt: z.date(),
  answered: z.boolean(),
  /** A dry sign-in: the connection need not be switched on. */
  test: z.boolean(),
});
/** What is known of an attempt without taking it. */
export const findAttempt = (db: Reader, state: Buffer): Promise<z.infer<typeof Waiting> | undefined> =>
  db.maybe(read(Waiting)`
  select connection, expires_at as "expiresAt", arrived is not null as answered, intent = 'test' as test
    from sign_in_attempt
   where parent = app_parent() and state_hash = ${state}`);

/** What arrived for an attempt that is about to be taken. */
export const findArrived = (db: Reader, state: Buffer): Promise<{ arrived: Buffer } | undefined> =>
  db.maybe(
    read(z.object({ arrived: z.instanceof(Buffer) }))`
  select arrived from sign_in_attempt where parent = app_parent() and state_hash = ${state} and arrived is not null`,
  );

/** Whether an attempt waits for its answer still; keeps it from being answered until the transaction ends. */
export const lockUnanswered = (tx: Tx, state: Buffer): Promise<object | undefined> =>
  tx.maybe(
    read(z.object({}))`
  select from sign_in_attempt where parent = app_parent() and state_hash = ${state} and arrived is null for update`,
  );

const KeyRow = z.object({
  id: z.custom<Id<'skk'>>(),
  certificate: z.instanceof(Buffer),
  sealed: z.instanceof(Buffer),
  createdAt: z.date(),
  retiredAt: z.date().nullable(),
});
export type OurKey = z.infer<typeof KeyRow>;

/** Our keys of one organization that are not retired, the newest first. */
export const listOurKeys = (db: Reader, org: Id<'org'>): Promise<OurKey[]> =>
  db.many(read(KeyRow)`
  select id, certificate, private_sealed as sealed, created_at as "createdAt", retired_at as "retiredAt"
    from saml_key where parent = app_parent() and org = ${org} and retired_at is null
   order by created_at desc, id desc`);

export const insertOurKey = (tx: Tx, org: Id<'org'>, k: OurKey): Promise<number> =>
  tx.run(write`
  insert into saml_key (parent, org, id, certificate, private_sealed, created_at)
  values (app_parent(), ${org}, ${k.id}, ${k.certificate}, ${k.sealed}, ${k.createdAt})`);

/** All but the newest two: whoever has not fetched our metadata since the last change still encrypts to the one before. */
export const retireOldKeys = (tx: Tx, org: Id<'org'>, at: Date): Promise<number> =>
  tx.run(write`
  update saml_key set retired_at = ${at}
   where parent = app_parent() and org = ${org} and retired_at is null
     and id not in (select id from saml_key where parent = app_parent() and org = ${org} and retired_at is null
                     order by created_at desc, id desc limit 2)`);

/** Two who make the first key at once: one waits, and finds it. */
export const lockKeys = (tx: Tx, org: Id<'org'>): Promise<number> =>
  tx.run(write`select pg_advisory_xact_lock(hashtext('saml keys'), hashtext(${org}))`);

export const insertSamlSession = (
  tx: Tx,
  s: { session: Id<'ses'>; connection: Id<'sso'>; nameId: NameId; index: string | undefined },
): Promise<number> =>
  tx.run(write`
  insert into saml_session (parent, session, connection, name_id, name_id_format, name_qualifier, sp_name_qualifier, session_index)
  values (app_parent(), ${s.session}, ${s.connection}, ${s.nameId.value}, ${s.nameId.format}, ${s.nameId.qualifier ?? null},
          ${s.nameId.spQualifier ?? null}, ${s.index ?? null})`);

const SessionRow = z.object({
  session: z.custom<Id<'ses'>>(),
  user: z.custom<Id<'usr'>>(),
  connection: z.custom<Id<'sso'>>(),
  value: z.string(),
  format: z.string(),
  qualifier: z.string().nullable(),
  spQualifier: z.string().nullable(),
  index: z.string().nullable(),
});
export type SamlSession = z.infer<typeof SessionRow>;

/** Sessions that the identity provider means by a name, and by indexes if it gives some; ended ones are left out. */
export const listSamlSessions = (
  db: Reader,
  connection: Id<'sso'>,
  f: { nameId: string; format: string; indexes: readonly string[] },
): Promise<SamlSession[]> =>
  db.many(read(SessionRow)`
  select m.session, s.user_id as user, m.connection, m.name_id as value, m.name_id_format as format, m.name_qualifier as qualifier,
         m.sp_name_qualifier as "spQualifier", m.session_index as index
    from saml_session m join session s on s.parent = m.parent and s.id = m.session
   where m.parent = app_parent() and m.connection = ${connection} and m.name_id = ${f.nameId} and m.name_id_format = ${f.format}
     and (cardinality(${f.indexes}::text[]) = 0 or m.session_index = any(${f.indexes})) and s.revoked_at is null
   order by m.session`);

/** What an identity provider calls this session, if one opened it. */
export const findSamlSession = (db: Reader, session: Id<'ses'>): Promise<SamlSession | undefined> =>
  db.maybe(read(SessionRow)`
  select m.session, s.user_id as user, m.connection, m.name_id as value, m.name_id_format as format, m.name_qualifier as qualifier,
         m.sp_name_qualifier as "spQualifier", m.session_index as index
    from saml_session m join session s on s.parent = m.parent and s.id = m.session
   where m.parent = app_parent() and m.session = ${session}`);

export const insertLogout = (
  tx: Tx,
  l: { request: string; connection: Id<'sso'>; session: Id<'ses'>; at: Date; expiresAt: Date },
): Promise<number> =>
  tx.run(write`
  insert into saml_logout (parent, request_hash, connection, session, started_at, expires_at)
  values (app_parent(), ${hashId(l.request)}, ${l.connection}, ${l.session}, ${l.at}, ${l.expiresAt})`);

/** Takes the request out for good. Undefined: it was never made here, or was answered. */
export const takeLogout = (tx: Tx, request: string): Promise<{ connection: Id<'sso'>; expiresAt: Date } | undefined> =>
  tx.maybe(
    read(z.object({ connection: z.custom<Id<'sso'>>(), expiresAt: z.date() }))`
  delete from saml_logout where parent = app_parent() and request_hash = ${hashId(request)}
  returning connection, expires_at as "expiresAt"`,
  );

/** What a refused response was held against besides the configuration. */
export const HeldAgainst = z.object({ now: z.number(), request: z.string().nullable() });
export type HeldAgainst = z.infer<typeof HeldAgainst>;

export const insertMessage = (
  tx: Tx,
  m: { trace: Id<'sgn'>; connection: Id<'sso'>; sealed: Buffer; expected: HeldAgainst; until: Date },
): Promise<number> =>
  tx.run(write`
  insert into saml_message (parent, trace, connection, sealed, expected, kept_until)
  values (app_parent(), ${m.trace}, ${m.connection}, ${m.sealed}, ${json(m.expected)}, ${m.until})`);

export const findMessage = (
  db: Reader,
  trace: Id<'sgn'>,
  now: Date,
): Promise<{ connection: Id<'sso'>; sealed: Buffer; expected: HeldAgainst } | undefined> =>
  db.maybe(
    read(z.object({ connection: z.custom<Id<'sso'>>(), sealed: z.instanceof(Buffer), expected: HeldAgainst }))`
  select connection, sealed, expected from saml_message where parent = app_parent() and trace = ${trace} and kept_until > ${now}`,
  );

/** Forgets what ran out; returns how many rows went. */
export async function deleteOld(tx: Tx, now: Date): Promise<number> {
  const seen = await tx.run(write`delete from saml_seen where parent = app_parent() and until < ${now}`);
  const logouts = await tx.run(write`delete from saml_logout where parent = app_parent() and expires_at < ${now}`);
  const messages = await tx.run(write`delete from saml_message where parent = app_parent() and kept_until < ${now}`);
  return seen + logouts + messages;
}

/** For `Db.lookup`: parents with SAML connections, for sweeping. */
export const lookupSamlParents = () =>
  read(
    z.object({ parents: z.array(z.custom<Id<'par'>>()) }),
  )`select coalesce(array_agg(parent), '{}') as parents from lookup_saml_parents()`;

/** Refusals of a connection that no attempt of ours is behind, since `since`: anybody can make those, so they are counted. */
export const countLooseRefusals = (
  db: Reader,
  connection: Id<'sso'>,
  since: Id<'sgn'>,
  most: number,
): Promise<{ n: number }> =>
  db.one(
    read(z.object({ n: z.number() }))`
  select count(*)::int as n from (
    select 1 from sign_in_trace where parent = app_parent() and id >= ${since} and connection = ${connection} and user_id is null limit ${most}) t`,
  );
