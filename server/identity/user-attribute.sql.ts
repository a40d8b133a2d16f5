import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

/** What identity providers say of people, by the names of our own. */
export const attributeNames = ['email', 'first_name', 'last_name', 'department', 'manager_email', 'groups'] as const;
export type AttributeName = (typeof attributeNames)[number];
export type UserAttribute = { name: AttributeName; values: string[]; connection: Id<'sso'>; assertedAt: Date };

/**
 * Keeps what was said at a sign-in. What the same connection said before and does not say any more is forgotten, except `keep`: what it could
 * not say this time.
 */
export async function replaceUserAttributes(
  tx: Tx,
  user: Id<'usr'>,
  connection: Id<'sso'>,
  said: ReadonlyMap<AttributeName, readonly string[]>,
  at: Date,
  keep: readonly AttributeName[] = [],
): Promise<void> {
  await tx.run(write`
  delete from user_attribute
   where parent = app_parent() and user_id = ${user} and connection = ${connection} and name <> all(${[...said.keys(), ...keep]})`);
  for (const [name, values] of said)
    await tx.run(write`
  insert into user_attribute (parent, user_id, name, vals, connection, asserted_at)
  values (app_parent(), ${user}, ${name}, ${values}, ${connection}, ${at})
  on conflict (parent, user_id, name)
    do update set vals = excluded.vals, connection = excluded.connection, asserted_at = excluded.asserted_at`);
}

const Row: z.ZodType<UserAttribute> = z.object({
  name: z.enum(attributeNames),
  values: z.array(z.string()),
  connection: z.custom<Id<'sso'>>(),
  assertedAt: z.date(),
});

/** What is known of a person; by name. For rules by department and for asking the manager. */
export const listUserAttributes = (db: Reader, user: Id<'usr'>): Promise<UserAttribute[]> =>
  db.many(read(Row)`
  select name, vals as values, connection, asserted_at as "assertedAt" from user_attribute
   where parent = app_parent() and user_id = ${user} order by name`);

/** The active user who, at their own latest sign-in, had this address: whom a `manager_email` names. Undefined where two could be meant. */
export const findUserByAssertedEmail = async (db: Reader, email: string): Promise<Id<'usr'> | undefined> => {
  const found = await db.many(read(z.object({ user: z.custom<Id<'usr'>>() }))`
  select a.user_id as user from user_attribute a join app_user u on u.parent = a.parent and u.id = a.user_id
   where a.parent = app_parent() and a.name = 'email' and u.state = 'active' and lower(a.vals[1]) = lower(${email})
   limit 2`);
  return found.length === 1 ? found[0]?.user : undefined;
};
