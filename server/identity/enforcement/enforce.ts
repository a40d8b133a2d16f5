import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { listAsked } from './enforcement.sql.ts';
import { judgeVia, type Judgement, type Via } from './enforcement.ts';

/** Whether this user may open a session this way, by what their organizations ask. Reads only; the session's own doors ask again (lookup_session). */
export const enforce = async (db: Reader, who: { user: Id<'usr'>; via: Via }): Promise<Judgement> =>
  judgeVia(await listAsked(db, who.user), who.via);
