import { findUserByAssertedEmail, listUserAttributes } from '#identity/user-attribute.sql.ts';
import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { findUserByEmail } from '#org/user.sql.ts';
import { findManagerInDirectory } from './manager.sql.ts';

/**
 * Whose manager is asked: whom the identity provider named at the person's latest sign-in (`manager_email`), else whom a directory names. Only
 * a live account of the same parent, and never the person himself.
 */
export async function findManager(db: Reader, user: Id<'usr'>): Promise<Id<'usr'> | undefined> {
  const said = (await listUserAttributes(db, user)).find((a) => a.name === 'manager_email')?.values[0];
  if (said === undefined) return findManagerInDirectory(db, user);
  const asserted = await findUserByAssertedEmail(db, said);
  if (asserted) return asserted === user ? undefined : asserted;
  const known = await findUserByEmail(db, said);
  return known?.state === 'active' && known.id !== user ? known.id : undefined;
}
