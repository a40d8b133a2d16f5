import type { Db } from '#kernel/db.ts';
import { nextStep } from './key-rotation.ts';
import {
  deleteRetiredKeys,
  insertSigningKey,
  listKeys,
  lockKeys,
  promoteKey,
  retireKey,
  type KeyRow,
} from './signing-key.sql.ts';

/** Takes the step that is due under a lock, with a key that was made before it. Not an event: no person does this, and the rows say when. */
export async function advanceKeys(oauth: Db, spare: Omit<KeyRow, 'retiredAt' | 'signsFrom'>, at: Date): Promise<void> {
  await oauth.transact({}, async (tx) => {
    await lockKeys(tx);
    const step = nextStep(await listKeys(tx), at);
    switch (step.do) {
      case 'nothing':
        return;
      case 'begin':
        await insertSigningKey(tx, { ...spare, signsFrom: at });
        return;
      case 'publish':
        await insertSigningKey(tx, { ...spare, signsFrom: null });
        return;
      case 'promote':
        await retireKey(tx, step.retire, at);
        await promoteKey(tx, step.kid, at);
        return;
      case 'forget':
        await deleteRetiredKeys(tx, step.before);
    }
  });
}
