import { randomBytes } from 'node:crypto';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { enqueue } from '#kernel/job.ts';
import { KmsRefusal } from '#kernel/kms/kms.ts';
import { Problem } from '#kernel/problem.ts';
import { insertKey, type KeyRow } from '#kernel/seal.sql.ts';
import type { Secret } from '#kernel/secret.ts';
import { actorName } from './actor-name.ts';
import { keyEvents } from './keys.events.ts';
import { countOtherwiseWrapped, countSealed, insertRotation, listKeys, saveWrapping } from './key.sql.ts';
import { meanwhile, ownKeyAad, ownProvider, whereOf, type OwnKey, type OwnKeyConfig } from './own-key.ts';
import { findOwnKey, lockOwnKey, saveOwnKey } from './own-key.sql.ts';
import { underWay } from './rotate-keys.ts';
import { RESEAL_JOB } from './rotation.ts';

/**
 * Puts an org's keys under a key of its own. All keys that it has are wrapped by it at once; and a new one is made that nothing else ever
 * wrapped, with which everything is sealed anew, so that an old backup and our own key service together open nothing new.
 */
export async function nameOwnKey(ctx: OrgCtx, config: OwnKeyConfig, secret: Secret): Promise<OwnKey> {
  const id = newId('owk', ctx.now.getTime());
  const provider = ownProvider(id, config, secret, ctx.egress);
  await prove(provider, ctx.org);
  const own: OwnKey = {
    id,
    config,
    sealed: await ctx.seal.seal(ownKeyAad(id), Buffer.from(secret.reveal())),
    state: 'good',
    since: ctx.now,
    namedBy: actorName(ctx.actor),
    namedAt: ctx.now,
  };
  const { before, keys, counts } = await ctx.db.read(scopeOf(ctx), async (db) => ({
    before: await findOwnKey(db),
    keys: await listKeys(db, ctx.org),
    counts: await countSealed(db, ctx.org),
  }));
  const becomes: { was: Buffer; key: KeyRow }[] = [];
  for (const { generation, provider: by, wrapped } of keys)
    if (wrapped)
      becomes.push({
        was: wrapped,
        key: await ctx.seal.keys.rewrapped(ctx.org, { generation, provider: by, wrapped }, provider),
      });
  const generation = (keys[0]?.generation ?? 0) + 1;
  const made = await ctx.seal.keys.make(ctx.org, generation, provider);
  const rotation = newId('rot', ctx.now.getTime());
  const total = counts.reduce((n, c) => n + c.n, 0);
  await change(ctx, async (tx) => {
    if ((await lockOwnKey(tx))?.id !== before?.id) throw meanwhile();
    await saveOwnKey(tx, own);
    for (const b of becomes) if (!(await saveWrapping(tx, ctx.org, b.was, b.key, ctx.now))) throw meanwhile();
    if ((await insertKey(tx, { scope: ctx.org, ...made })) === 0) throw meanwhile();
    if ((await countOtherwiseWrapped(tx, ctx.org, provider.name)) > 0) throw meanwhile();
    const started = await insertRotation(tx, {
      id: rotation,
      scope: ctx.org,
      generation,
      newKey: true,
      state: 'running',
      tab: '',
      col: '',
      after: '',
      resealed: 0,
      total,
      startedAt: ctx.now,
      finishedAt: null,
      startedBy: own.namedBy,
    });
    if (!started) throw underWay(ctx.org);
    await enqueue(tx, RESEAL_JOB, { rotation }, { key: rotation });
    const scope = ctx.org;
    return {
      value: undefined,
      events: [
        event(keyEvents, 'key.own_named', { scope, key: id, kind: config.kind, where: whereOf(config) }),
        event(keyEvents, 'key.rotation_started', { scope, rotation, generation, newKey: true, secrets: total }),
      ],
    };
  });
  ctx.seal.keys.forget(ctx.org);
  return own;
}

/** Nothing is put under a key that does not give back what it was given. */
async function prove(provider: ReturnType<typeof ownProvider>, scope: string): Promise<void> {
  const bytes = randomBytes(32);
  const place = { scope, generation: 0 };
  const refused = (says: string, because: unknown): Problem =>
    new Problem('invalid', 'keys/own-key-refused', {
      says: `the key cannot be used: ${says}`,
      fix: 'check address, key and credentials, and that they may encrypt, decrypt and rewrap with it (docs/guides/keys.md)',
      because,
    });
  try {
    const back = await provider.unwrap(await provider.wrap(bytes, place), place);
    if (!back.equals(bytes)) throw refused('it does not give back what it was given', undefined);
  } catch (e) {
    if (e instanceof Problem) throw e;
    throw refused(e instanceof KmsRefusal ? e.says : e instanceof Error ? e.message : 'unknown', e);
  }
}
