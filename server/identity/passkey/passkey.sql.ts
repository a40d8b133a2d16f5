import { z } from 'zod';
import { read, sql, write, type Fragment, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { memberRoles } from '#org/member.ts';
import type { Passkey, Standing, StoredPasskey } from './passkey.ts';

const Shown = z.object({
  id: z.custom<Id<'pky'>>(),
  name: z.string(),
  backedUp: z.boolean(),
  createdAt: z.date(),
  usedAt: z.date().nullable(),
});
const shownColumns: Fragment = sql`id, name, backed_up as "backedUp", created_at as "createdAt", used_at as "usedAt"`;

/** A person's passkeys, newest first. */
export const listPasskeys = (
  db: Reader,
  user: Id<'usr'>,
  f: { q: string | null; after?: readonly string[] | undefined; limit: number },
): Promise<Passkey[]> =>
  db.many(read(Shown)`
  select ${shownColumns} from passkey
   where parent = app_parent() and user_id = ${user} and (${f.q}::text is null or name ilike ${f.q})
     and (${f.after?.[0] ?? null}::text is null or id < ${f.after?.[0] ?? ''})
   order by id desc limit ${f.limit + 1}`);

/** Which authenticators are known already, so that none is added twice. */
export const listCredentials = (db: Reader, user: Id<'usr'>): Promise<{ id: string; transports: string[] }[]> =>
  db.many(read(z.object({ id: z.string(), transports: z.array(z.string()) }))`
  select credential_id as id, transports from passkey where parent = app_parent() and user_id = ${user} order by id`);

const Stored: z.ZodType<StoredPasskey> = Shown.extend({
  user: z.custom<Id<'usr'>>(),
  credential: z.string(),
  publicKey: z.instanceof(Buffer),
  counter: z.coerce.number(),
  transports: z.array(z.string()),
});

export const findPasskey = (db: Reader, credential: string): Promise<StoredPasskey | undefined> =>
  db.maybe(read(Stored)`
  select ${shownColumns}, user_id as user, credential_id as credential, public_key as "publicKey", counter, transports
    from passkey where parent = app_parent() and credential_id = ${credential}`);

/** 0: this authenticator's credential is somebody's already. `madeAt`: the challenge that was answered, which is used up with it. */
export const insertPasskey = (tx: Tx, p: StoredPasskey, madeAt: Date): Promise<number> =>
  tx.run(write`
  insert into passkey (parent, id, user_id, credential_id, public_key, counter, transports, name, backed_up, created_at, challenge_at)
  values (app_parent(), ${p.id}, ${p.user}, ${p.credential}, ${p.publicKey}, ${p.counter}, ${p.transports}, ${p.name}, ${p.backedUp},
          ${p.createdAt}, ${madeAt.getTime()})
  on conflict (credential_id) do nothing`);

/**
 * INVARIANT (once): a challenge is taken only if it was made after the last one that this passkey answered. 0: an answer that was given
 * already, or is older than one that was.
 */
export const savePasskeyUsed = (
  tx: Tx,
  id: Id<'pky'>,
  u: { counter: number; backedUp: boolean; madeAt: Date; at: Date },
): Promise<number> =>
  tx.run(write`
  update passkey set counter = ${u.counter}, backed_up = ${u.backedUp}, used_at = ${u.at}, challenge_at = ${u.madeAt.getTime()}
   where parent = app_parent() and id = ${id} and challenge_at < ${u.madeAt.getTime()}`);

/** The same for a proof whose challenge says what it is about: that it counts once is the business of whoever keeps it. No sign-in, so `used_at` stays. */
export const savePasskeyProved = (tx: Tx, id: Id<'pky'>, counter: number): Promise<number> =>
  tx.run(write`
  update passkey set counter = greatest(counter, ${counter}) where parent = app_parent() and id = ${id}`);

/** 0: not this user's. */
export const deletePasskey = (tx: Tx, user: Id<'usr'>, id: Id<'pky'>): Promise<number> =>
  tx.run(write`delete from passkey where parent = app_parent() and user_id = ${user} and id = ${id}`);

/** For `Db.lookup`: whose credential this is. */
export const lookupPasskey = (credential: string) =>
  read(z.object({ parent: z.custom<Id<'par'>>(), user: z.custom<Id<'usr'>>() }))`
  select parent, user_id as "user" from lookup_passkey(${credential})`;

const StandingRow: z.ZodType<Standing> = z.object({
  org: z.custom<Id<'org'>>(),
  name: z.string(),
  allowed: z.boolean(),
  breakGlass: z.boolean(),
});

/** What each organization of a user says to passkeys. */
export const listStandings = (db: Reader, user: Id<'usr'>): Promise<Standing[]> =>
  db.many(read(StandingRow)`
  select org, name, allowed, break_glass as "breakGlass" from passkey_standing(${user})`);

const BreakGlassRow = z.object({
  user: z.custom<Id<'usr'>>(),
  displayName: z.string(),
  email: z.string(),
  role: z.enum(memberRoles),
  local: z.boolean(),
  active: z.boolean(),
  passkeys: z.number(),
  provedAt: z.date().nullable(),
});
export type BreakGlassRow = z.infer<typeof BreakGlassRow>;

/**
 * The break-glass accounts of the transaction's organization: whom the parent's organizations spare (break_glass in 0018-enforcement.sql), and
 * its primary owner. A used set-up link proves one, too: whoever holds the machine can make another whatever becomes of the identity provider.
 */
export const listBreakGlassRows = (db: Reader): Promise<BreakGlassRow[]> =>
  db.many(read(BreakGlassRow)`
  select m.user_id as user, u.display_name as "displayName", u.email, m.role, u.origin = 'local' as local, u.state = 'active' as active,
         count(k.id)::int as passkeys,
         greatest(max(k.used_at), (select max(s.created_at) from session s
                                    where s.parent = app_parent() and s.user_id = m.user_id and s.method = 'setup_link')) as "provedAt"
    from member m join app_user u on u.id = m.user_id and u.parent = app_parent()
    left join passkey k on k.parent = u.parent and k.user_id = u.id
   where m.org = app_org()
     and (m.role = 'primary_owner' or break_glass_of_user(m.user_id))
   group by m.user_id, u.display_name, u.email, m.role, u.origin, u.state
   order by m.user_id`);
