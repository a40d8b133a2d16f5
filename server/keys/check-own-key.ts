import type { World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { KmsRefusal } from '#kernel/kms/kms.ts';
import { listKeys } from './key.sql.ts';
import { noteOwnKey } from './note-own-key.ts';
import { noOwnKey, type OwnKeyState } from './own-key.ts';
import { findOwnKey } from './own-key.sql.ts';

/** Asks an org's key service now whether it still opens the org's newest key. */
export async function checkOwnKey(
  world: World,
  org: Id<'org'>,
): Promise<{ state: OwnKeyState; says: string | undefined }> {
  const { own, keys } = await world.db.read({ org }, async (db) => ({
    own: await findOwnKey(db),
    keys: await listKeys(db, org),
  }));
  const newest = keys.find((k) => k.wrapped !== null);
  if (!own || !newest?.wrapped) throw noOwnKey();
  const provider = await world.seal.keys.inCharge(org);
  let state: OwnKeyState = 'good';
  let says: string | undefined;
  try {
    (await provider.unwrap(newest.wrapped, { scope: org, generation: newest.generation })).fill(0);
  } catch (e) {
    if (!(e instanceof KmsRefusal)) throw e;
    ({ why: state, says } = e);
  }
  // What a node still has in memory is not used after the service has said no.
  if (state === 'gone') world.seal.keys.forget(org);
  await noteOwnKey(world, org, state);
  return { state, says };
}
