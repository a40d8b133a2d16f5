import { z } from 'zod';
import { read, write, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

/** What the identity provider calls a session that it opened here. */
export type OidcSession = { session: Id<'ses'>; connection: Id<'sso'>; subject: string; sid: string | null };

export const insertOidcSession = (tx: Tx, s: OidcSession): Promise<number> =>
  tx.run(write`
  insert into oidc_session (parent, session, connection, subject, sid)
  values (app_parent(), ${s.session}, ${s.connection}, ${s.subject}, ${s.sid})`);

/**
 * Ends the sessions of a connection that a logout token names. INVARIANT (exactly those): with a `sid` that session, of that subject if one
 * is named, too; without one every session of the subject. Never those of another connection.
 */
export const endOidcSessions = (
  tx: Tx,
  connection: Id<'sso'>,
  named: { subject: string | null; sid: string | null },
  at: Date,
): Promise<{ session: Id<'ses'>; user: Id<'usr'> }[]> =>
  tx.many(read(z.object({ session: z.custom<Id<'ses'>>(), user: z.custom<Id<'usr'>>() }))`
  update session s set revoked_at = ${at}
    from oidc_session o
   where s.parent = app_parent() and o.parent = s.parent and o.session = s.id and o.connection = ${connection} and s.revoked_at is null
     and (${named.sid}::text is not null or ${named.subject}::text is not null)
     and (${named.sid}::text is null or o.sid = ${named.sid})
     and (${named.subject}::text is null or o.subject = ${named.subject})
  returning s.id as session, s.user_id as "user"`);

/** INVARIANT (once): a logout token is taken by the insert. 0: it was taken before. */
export const insertLogoutSeen = (tx: Tx, connection: Id<'sso'>, hash: Buffer, until: Date): Promise<number> =>
  tx.run(write`
  insert into oidc_logout_seen (parent, connection, hash, until) values (app_parent(), ${connection}, ${hash}, ${until})
  on conflict do nothing`);

/** Tokens that are refused for their age by now. Some at a time. */
export const deleteOldLogoutSeen = (tx: Tx, before: Date): Promise<number> =>
  tx.run(write`
  delete from oidc_logout_seen
   where parent = app_parent()
     and (connection, hash) in (select connection, hash from oidc_logout_seen where parent = app_parent() and until < ${before} limit 100)`);
