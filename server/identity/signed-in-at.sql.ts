import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

/** When a session of this user began, if it has not ended. */
export const findSessionBegin = (db: Reader, user: Id<'usr'>, id: Id<'ses'>): Promise<{ at: Date } | undefined> =>
  db.maybe(read(z.object({ at: z.date() }))`
  select created_at as at from session where parent = app_parent() and user_id = ${user} and id = ${id} and revoked_at is null`);

/** What the browser of a session called itself when it was opened; undefined where the session has ended. */
export const findSessionBrowser = (
  db: Reader,
  user: Id<'usr'>,
  id: Id<'ses'>,
): Promise<{ userAgent: string } | undefined> =>
  db.maybe(read(z.object({ userAgent: z.string() }))`
  select user_agent as "userAgent" from session where parent = app_parent() and user_id = ${user} and id = ${id} and revoked_at is null`);
