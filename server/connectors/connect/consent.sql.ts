import { z } from 'zod';
import { read, write, type Query, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { accesses } from '#vault/vendor-auth.ts';
import type { Consent } from './consent.ts';

const Row = z
  .object({
    id: z.custom<Id<'cns'>>(),
    connector: z.custom<Id<'con'>>(),
    member: z.custom<Id<'mem'>>(),
    user: z.custom<Id<'usr'>>(),
    session: z.custom<Id<'ses'>>(),
    access: z.enum(accesses),
    scopes: z.array(z.string()).nullable(),
    issuer: z.string().nullable(),
    expires: z.date(),
    answered: z.date().nullable(),
    sealed: z.instanceof(Buffer),
  })
  .transform(({ answered, sealed, scopes, issuer, ...c }): { consent: Consent; sealed: Buffer } => ({
    consent: { ...c, scopes: scopes ?? [], issuer: issuer ?? undefined, answered: answered ?? undefined },
    sealed,
  }));

export const insertConsent = (tx: Tx, c: Consent, sealed: Buffer, at: Date): Promise<number> =>
  tx.run(write`
  insert into connection_consent (org, id, connector, member, user_id, session, access, scopes, issuer, verifier_sealed, begun_at, expires_at)
  values (app_org(), ${c.id}, ${c.connector}, ${c.member}, ${c.user}, ${c.session}, ${c.access}, ${c.scopes}, ${c.issuer ?? null}, ${sealed}, ${at}, ${c.expires})`);

/** Takes the row for the rest of the transaction. */
export const lockConsent = (tx: Tx, id: Id<'cns'>): Promise<{ consent: Consent; sealed: Buffer } | undefined> =>
  tx.maybe(read(Row)`
  select id, connector, member, user_id as user, session, access, scopes, issuer, expires_at as expires, answered_at as answered, verifier_sealed as sealed
    from connection_consent where org = app_org() and id = ${id} for update`);

export const saveAnswered = (tx: Tx, id: Id<'cns'>, at: Date): Promise<number> =>
  tx.run(write`update connection_consent set answered_at = ${at} where org = app_org() and id = ${id}`);

/** What nobody can come back from any more. The log has what came of it. */
export const deleteOldConsents = (tx: Tx, before: Date): Promise<number> =>
  tx.run(write`delete from connection_consent where org = app_org() and expires_at < ${before}`);

const Place = z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() });
/** For `Db.lookup`: where a connector is that somebody named. */
export const lookupConnector = (id: Id<'con'>): Query<z.infer<typeof Place>> =>
  read(Place)`select parent, org from lookup_connector(${id})`;
