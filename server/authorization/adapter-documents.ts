import type { Db } from '#kernel/db.ts';
import { refreshDocument } from './oauth-item.sql.ts';

/** Replaces a document that is kept; one that nobody consented to is not kept. A cache, so no event. */
export async function keepDocumentFresh(oauth: Db, url: string, body: string): Promise<void> {
  await oauth.transact({}, (tx) => refreshDocument(tx, url, body));
}
