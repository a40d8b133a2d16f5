import { z } from 'zod';
import { prepared, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { User } from './user.ts';

const UserRow: z.ZodType<User> = z.object({
  id: z.custom<Id<'usr'>>(),
  email: z.string(),
  displayName: z.string(),
  state: z.enum(['active', 'suspended']),
  origin: z.enum(['local', 'directory', 'sign_in']),
});

export const findUser = (db: Reader, id: Id<'usr'>): Promise<User | undefined> =>
  db.maybe(read(UserRow)`
  select id, email, display_name as "displayName", state, origin from app_user where parent = app_parent() and id = ${id}`);

/** By e-mail, case aside. For showing and for matching at set-up; never to decide who signs in. */
export const findUserByEmail = (db: Reader, email: string): Promise<User | undefined> =>
  db.maybe(
    prepared(
      'user by email',
      // The column and not lower(email): row-level security lets an index be used only where nothing of a row can leak through a function.
      read(UserRow)`
  select id, email, display_name as "displayName", state, origin from app_user where parent = app_parent() and email_key = lower(${email})`,
    ),
  );

/** Takes the row for the rest of the transaction. */
export const lockUser = (tx: Tx, id: Id<'usr'>): Promise<User | undefined> =>
  tx.maybe(read(UserRow)`
  select id, email, display_name as "displayName", state, origin from app_user where parent = app_parent() and id = ${id} for update`);

/** Two that give one address at the same moment: the database lets one of them, and the other is told. */
const addressTaken = (e: unknown, email: string): unknown =>
  e instanceof Error && 'code' in e && e.code === '23505' && 'constraint' in e && e.constraint === 'app_user_email'
    ? new Problem('conflict', 'org/address-taken', {
        says: `another account has got the address ${email} meanwhile; nothing was changed`,
        fix: 'try again: the other account is seen then',
        because: e,
      })
    : e;

/** `conflict` if somebody else was given the address in this moment. */
export async function insertUser(tx: Tx, u: User, at: Date): Promise<void> {
  try {
    await tx.run(
      prepared(
        'insert user',
        write`
      insert into app_user (parent, id, email, display_name, state, origin, created_at)
      values (app_parent(), ${u.id}, ${u.email}, ${u.displayName}, ${u.state}, ${u.origin}, ${at})`,
      ),
    );
  } catch (e) {
    throw addressTaken(e, u.email);
  }
}

/** Name and e-mail as the directory says them now. */
export async function saveUserProfile(tx: Tx, id: Id<'usr'>, p: { email: string; displayName: string }): Promise<void> {
  try {
    await tx.run(write`
      update app_user set email = ${p.email}, display_name = ${p.displayName} where parent = app_parent() and id = ${id}`);
  } catch (e) {
    throw addressTaken(e, p.email);
  }
}

/** Suspended users are refused on every surface at their next request. */
export const saveUserState = (tx: Tx, id: Id<'usr'>, state: User['state'], by: string, at: Date): Promise<number> =>
  tx.run(write`
  update app_user
     set state = ${state},
         suspended_at = case when ${state} = 'suspended' then ${at}::timestamptz end,
         suspended_by = case when ${state} = 'suspended' then ${by} end
   where parent = app_parent() and id = ${id} and state <> ${state}`);

/** For `Db.lookup`. */
export const lookupUserParent = (user: Id<'usr'>) =>
  read(z.object({ parent: z.custom<Id<'par'>>().nullable() }))`select lookup_user_parent(${user}) as parent`;

/** What people are called, for sentences about what they did. */
export const listUserNames = (db: Reader, ids: readonly string[]): Promise<{ id: string; name: string }[]> =>
  db.many(read(z.object({ id: z.string(), name: z.string() }))`
  select id, display_name as name from app_user where parent = app_parent() and id = any(${ids}::text[])`);
