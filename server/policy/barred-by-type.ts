import { groupsOfUser } from '#directory/groups-of-user.sql.ts';
import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { listTypes } from './type-control.sql.ts';
import { typeBars, wordsOfType } from './type-control.ts';

/** Why somebody may not connect to systems of a type at all, in words; undefined: no control of the type keeps him from it. */
export async function barredByType(db: Reader, user: Id<'usr'>, type: string): Promise<string | undefined> {
  const control = typeBars(await listTypes(db), type, await groupsOfUser(db, user));
  return control && wordsOfType(control);
}
