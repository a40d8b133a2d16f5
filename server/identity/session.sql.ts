import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Via } from './enforcement/enforcement.ts';
import type { FoundSession, Session, SessionLimits } from './session.ts';

const limited = <T extends { idleS: number; maxS: number }>({ idleS, maxS, ...rest }: T) => ({
  ...rest,
  limits: { idleMs: idleS * 1000, maxMs: maxS * 1000 },
});

const FoundRow: z.ZodType<FoundSession> = z
  .object({
    parent: z.custom<Id<'par'>>(),
    session: z.custom<Id<'ses'>>(),
    user: z.custom<Id<'usr'>>(),
    userState: z.enum(['active', 'suspended']),
    createdAt: z.date(),
    lastSeenAt: z.date(),
    expiresAt: z.date(),
    revokedAt: z.date().nullable(),
    idleS: z.number(),
    maxS: z.number(),
  })
  .transform(limited);

/** For `Db.lookup`: the session whose cookie has this hash. */
export const lookupSession = (hash: Buffer) => read(FoundRow)`
  select parent, session, user_id as user, user_state as "userState", created_at as "createdAt", last_seen_at as "lastSeenAt",
         expires_at as "expiresAt", revoked_at as "revokedAt", idle_s as "idleS", max_s as "maxS"
    from lookup_session(${hash})`;

export const insertSession = (
  tx: Tx,
  s: Session & { user: Id<'usr'> },
  method: Via['kind'],
  hash: Buffer,
): Promise<number> =>
  tx.run(write`
  insert into session (parent, id, user_id, hash, method, connection, user_agent, created_at, last_seen_at, expires_at)
  values (app_parent(), ${s.id}, ${s.user}, ${hash}, ${method}, ${s.connection}, ${s.userAgent}, ${s.createdAt}, ${s.lastSeenAt}, ${s.expiresAt})`);

/** Never backwards: requests of one browser may pass each other. */
export const saveSessionSeen = (tx: Tx, id: Id<'ses'>, at: Date): Promise<number> =>
  tx.run(
    write`update session set last_seen_at = greatest(last_seen_at, ${at}) where parent = app_parent() and id = ${id}`,
  );

/** 0: not this user's, or ended already. */
export const saveSessionRevoked = (tx: Tx, user: Id<'usr'>, id: Id<'ses'>, at: Date): Promise<number> =>
  tx.run(write`
  update session set revoked_at = ${at} where parent = app_parent() and user_id = ${user} and id = ${id} and revoked_at is null`);

/** The session of a cookie, if it has not ended: the one that a new sign-in of the same browser replaces. */
export const findSessionByHash = (db: Reader, hash: Buffer): Promise<{ id: Id<'ses'>; user: Id<'usr'> } | undefined> =>
  db.maybe(read(z.object({ id: z.custom<Id<'ses'>>(), user: z.custom<Id<'usr'>>() }))`
  select id, user_id as user from session where parent = app_parent() and hash = ${hash} and revoked_at is null`);

const SessionRow: z.ZodType<Session> = z.object({
  id: z.custom<Id<'ses'>>(),
  connection: z.custom<Id<'sso'>>().nullable(),
  userAgent: z.string(),
  createdAt: z.date(),
  lastSeenAt: z.date(),
  expiresAt: z.date(),
});

/** A person's sessions that have not ended, newest first. */
export const listSessions = (
  db: Reader,
  user: Id<'usr'>,
  f: {
    now: Date;
    idleSince: Date;
    begunSince: Date;
    like: string | null;
    after?: readonly string[] | undefined;
    limit: number;
  },
): Promise<Session[]> =>
  db.many(read(SessionRow)`
  select id, connection, user_agent as "userAgent", created_at as "createdAt", last_seen_at as "lastSeenAt", expires_at as "expiresAt"
    from session
   where parent = app_parent() and user_id = ${user} and revoked_at is null and expires_at > ${f.now} and last_seen_at > ${f.idleSince}
     and created_at > ${f.begunSince}
     and (${f.like}::text is null or user_agent ilike ${f.like})
     and (${f.after?.[0] ?? null}::text is null or id < ${f.after?.[0] ?? ''})
   order by id desc
   limit ${f.limit + 1}`);

export const findSession = (db: Reader, user: Id<'usr'>, id: Id<'ses'>): Promise<{ id: Id<'ses'> } | undefined> =>
  db.maybe(read(z.object({ id: z.custom<Id<'ses'>>() }))`
  select id from session where parent = app_parent() and user_id = ${user} and id = ${id}`);

/** How long sessions of this user last: the strictest of their organizations. */
export const findSessionLimits = (db: Reader, user: Id<'usr'>): Promise<SessionLimits> =>
  db
    .one(
      read(z.object({ idleS: z.number(), maxS: z.number() }))`
  select idle_s as "idleS", max_s as "maxS" from session_limits_of_user(${user})`,
    )
    .then((row) => limited(row).limits);

/** Ends every session of a user that has not ended; which ones. */
export const saveAllSessionsRevoked = (tx: Tx, user: Id<'usr'>, at: Date): Promise<{ id: Id<'ses'> }[]> =>
  tx.many(read(z.object({ id: z.custom<Id<'ses'>>() }))`
  update session set revoked_at = ${at} where parent = app_parent() and user_id = ${user} and revoked_at is null and expires_at > ${at}
  returning id`);
