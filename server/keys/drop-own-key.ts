import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import type { KeyRow } from '#kernel/seal.sql.ts';
import { keyEvents } from './keys.events.ts';
import { countOtherwiseWrapped, countSealed, listKeys, retire, saveWrapping } from './key.sql.ts';
import { meanwhile, noOwnKey } from './own-key.ts';
import { deleteOwnKey, findOwnKey, lockOwnKey } from './own-key.sql.ts';

/**
 * Takes an org's keys from under its own key, back under the deployment's; that needs its own key once more. Where that is gone for good,
 * `abandon` gives up what only it opens: the number of secrets that the preview showed, so that nobody gives up more than they saw.
 */
export async function dropOwnKey(ctx: OrgCtx, abandon: number | undefined): Promise<void> {
  const { own, keys } = await ctx.db.read(scopeOf(ctx), async (db) => ({
    own: await findOwnKey(db),
    keys: await listKeys(db, ctx.org),
  }));
  if (!own) throw noOwnKey();
  const becomes: { was: Buffer; key: KeyRow }[] = [];
  if (abandon === undefined)
    for (const { generation, provider: by, wrapped } of keys)
      if (wrapped)
        becomes.push({
          was: wrapped,
          key: await ctx.seal.keys.rewrapped(ctx.org, { generation, provider: by, wrapped }, ctx.seal.keys.provider),
        });
  await change(ctx, async (tx) => {
    if ((await lockOwnKey(tx))?.id !== own.id) throw meanwhile();
    const scope = ctx.org;
    let abandoned = 0;
    if (abandon === undefined) {
      for (const b of becomes) if (!(await saveWrapping(tx, scope, b.was, b.key, ctx.now))) throw meanwhile();
      // INVARIANT (nothing lost): a key that was made under it meanwhile would be one that nobody opens again.
      if ((await countOtherwiseWrapped(tx, scope, ctx.seal.keys.provider.name)) > 0) throw meanwhile();
    } else {
      abandoned = (await countSealed(tx, scope)).reduce((n, c) => n + c.n, 0);
      if (abandoned !== abandon)
        throw new Problem('stale', 'keys/other-number', {
          says: `${abandoned} secrets would be given up, not ${abandon}`,
          fix: 'look at the preview again, and give the number that it shows',
        });
      for (const k of keys) await retire(tx, scope, k.generation, ctx.now);
    }
    await deleteOwnKey(tx);
    return { value: undefined, events: [event(keyEvents, 'key.own_dropped', { scope, key: own.id, abandoned })] };
  });
  ctx.seal.keys.forget(ctx.org);
}
