import { z } from 'zod';
import { read, sql, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { memberRoles } from '#org/member.ts';
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

const MemberSessionRow = z.object({
  id: z.custom<Id<'ses'>>(),
  user: z.custom<Id<'usr'>>(),
  member: z.custom<Id<'mem'>>(),
  email: z.string(),
  displayName: z.string(),
  role: z.enum(memberRoles),
  method: z.enum(['sso', 'passkey', 'mail_link', 'setup_link']),
  connection: z.custom<Id<'sso'>>().nullable(),
  userAgent: z.string(),
  createdAt: z.date(),
  lastSeenAt: z.date(),
  expiresAt: z.date(),
});
export type MemberSession = z.infer<typeof MemberSessionRow>;

/** Live, as `stateOfSession` judges: by the limits of now, and only of accounts that are not suspended. */
const live = (now: Date) => sql`
  s.revoked_at is null and s.expires_at > ${now} and s.last_seen_at > ${now}::timestamptz - make_interval(secs => l.idle_s)
  and s.created_at > ${now}::timestamptz - make_interval(secs => l.max_s) and u.state = 'active'`;
const ofUsers = sql`session s join app_user u on u.parent = s.parent and u.id = s.user_id cross join lateral session_limits_of_user(s.user_id) l`;

/** The browsers in which members of the organization are signed in, newest first. */
export const listMemberSessions = (
  db: Reader,
  f: {
    now: Date;
    user: Id<'usr'> | undefined;
    like: string | null;
    after?: readonly string[] | undefined;
    limit: number;
  },
): Promise<MemberSession[]> =>
  db.many(read(MemberSessionRow)`
  select s.id, s.user_id as "user", m.id as member, u.email, u.display_name as "displayName", m.role, s.method, s.connection,
         s.user_agent as "userAgent", s.created_at as "createdAt", s.last_seen_at as "lastSeenAt", s.expires_at as "expiresAt"
    from ${ofUsers} join member m on m.org = app_org() and m.user_id = s.user_id
   where s.parent = app_parent() and ${live(f.now)}
     and (${f.user ?? null}::text is null or s.user_id = ${f.user ?? null})
     and (${f.like}::text is null or u.email ilike ${f.like} or u.display_name ilike ${f.like} or s.user_agent ilike ${f.like})
     and (${f.after?.[0] ?? null}::text is null or s.id < ${f.after?.[0] ?? ''})
   order by s.id desc
   limit ${f.limit + 1}`);

/** How many browsers a person is signed in with. */
export const countLiveSessions = async (db: Reader, user: Id<'usr'>, now: Date): Promise<number> =>
  (
    await db.one(read(z.object({ n: z.number() }))`
    select count(*)::int as n from ${ofUsers} where s.parent = app_parent() and s.user_id = ${user} and ${live(now)}`)
  ).n;

/** Whose session this is, if the person is a member of the organization. */
export const findMemberSession = (
  db: Reader,
  id: Id<'ses'>,
): Promise<{ user: Id<'usr'>; member: Id<'mem'> } | undefined> =>
  db.maybe(read(MemberSessionRow.pick({ user: true, member: true }))`
  select s.user_id as "user", m.id as member from session s join member m on m.org = app_org() and m.user_id = s.user_id
   where s.parent = app_parent() and s.id = ${id}`);

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
