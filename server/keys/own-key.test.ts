import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsStandIn, type AwsStandIn } from '#dev/kms/aws-kms.ts';
import { keysHouse, type KeysHouse, type Kept } from '#dev/kms/keys-house.ts';
import { vaultStandIn, type VaultStandIn } from '#dev/kms/vault-transit.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { localKeyFile } from '#kernel/kms/local.ts';
import { Problem } from '#kernel/problem.ts';
import type { Seal, SealKeys } from '#kernel/seal.ts';
import { Secret } from '#kernel/secret.ts';
import { placeOf } from './key-place.ts';
import { dropOwnKey } from './drop-own-key.ts';
import { nameOwnKey } from './name-own-key.ts';
import { OwnKeyConfig } from './own-key.ts';
import { resealAll } from './reseal-next.ts';
import { rotateKeys } from './rotate-keys.ts';
import { findRotation } from './key.sql.ts';

const TTL_MS = 1500;
let folder: string;
let h: KeysHouse;
let vault: VaultStandIn;
let aws: AwsStandIn;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'own-'));
});
after(() => rm(folder, { recursive: true }));
beforeEach(async (t) => {
  const [house, v, a] = await Promise.all([
    localKeyFile(join(folder, 'root.key'), { create: true }).then((p) => keysHouse(p, { ttlMs: TTL_MS })),
    vaultStandIn(),
    awsStandIn(),
  ]);
  [h, vault, aws] = [house, v, a];
  vault.rotate('acme');
  if ('after' in t) t.after(() => Promise.all([house[Symbol.asyncDispose](), v.close(), a.close()]));
});

const path = (rest = ''): string => `/orgs/${h.acme.org}/keys${rest}`;
const code = (c: string) => (e: unknown) => e instanceof Problem && e.code === c;
const vaultKey = (token: string) => ({
  key: { kind: 'vault-transit', address: vault.url, allowPrivate: true, key: 'acme', login: { by: 'token' } },
  secret: token,
});
const settle = async (): Promise<void> => {
  const place = placeOf(h.ctx, 'org');
  const r = await place.read((db) => findRotation(db, place.scope));
  if (r) await resealAll(h.world, place, r.id);
};
/** Until a claim holds; long, because the machine may be busy. */
const until = async (claim: () => Promise<boolean>): Promise<void> => {
  const end = Date.now() + 60_000;
  while (!(await claim())) {
    assert.ok(Date.now() < end, 'it never came true');
    await sleep(50);
  }
};
const opens = (kept: Kept[]): Promise<string> =>
  h.openAll(kept).then(
    () => 'opens',
    (e: unknown) => (e instanceof Problem ? e.code : 'another error'),
  );

test('an org puts its keys under its own Vault key, everything is sealed anew, and nothing stops', async () => {
  const kept = await h.keep(60);
  const token = vault.token({ key: 'acme' });
  const named = await h.api('PUT', path('/own'), vaultKey(token));
  assert.equal(named.status, 200, named.text);
  assert.doesNotMatch(named.text, new RegExp(token));
  assert.deepEqual(
    await h.openAll(kept),
    kept.map((k) => k.text),
  );
  await settle();
  assert.deepEqual(
    await h.openAll(kept),
    kept.map((k) => k.text),
  );
  const { body } = await h.api('GET', path());
  assert.deepEqual(
    (body['keys'] as { generation: number; provider: string; secrets: number }[]).map((k) => [
      k.generation,
      k.provider.slice(0, 8),
      k.secrets,
    ]),
    [
      [2, 'own:owk_', 60],
      [1, 'own:owk_', 0],
    ],
  );
  const [event] = await h.events('key.own_named');
  assert.match(JSON.stringify(event?.data), /vault-transit:transit\/acme at 127/);
  assert.doesNotMatch(
    JSON.stringify(await h.t.super('select config, encode(sealed, $1) from own_key', 'escape')),
    new RegExp(token),
  );
});

test('when the org takes its key away, its secrets are unreadable in the time that is promised, and nobody else notices', async () => {
  const kept = await h.keep(3);
  const elsewhere = { table: 'quarantine', scope: newId('org'), row: 'x', generation: 1 };
  const other = await h.world.seal.seal(elsewhere, Buffer.from('of somebody else'));
  const token = vault.token({ key: 'acme' });
  await h.api('PUT', path('/own'), vaultKey(token));
  assert.equal(await opens(kept), 'opens');
  const preview = await h.api('GET', path('/own/preview'));
  assert.equal(preview.body['total'], 3);
  vault.remove('acme');
  await until(async () => (await opens(kept)) === 'seal/org-key-gone');
  await assert.rejects(
    h.world.seal.seal({ ...elsewhere, scope: h.acme.org }, Buffer.from('new')),
    code('seal/org-key-gone'),
  );
  assert.equal((await h.world.seal.open(elsewhere, other)).toString(), 'of somebody else');
  await until(async () => (await h.events('key.own_state_changed')).some((e) => e.data['state'] === 'gone'));
  const checked = await h.api('POST', path('/own/check'));
  assert.equal(checked.body['state'], 'gone');
});

test('an org key service that is silent is obeyed like one that says no, under another name, and all is well when it is back', async () => {
  const kept = await h.keep(2);
  await h.api('PUT', path('/own'), vaultKey(vault.token({ key: 'acme' })));
  assert.equal(await opens(kept), 'opens');
  vault.state = 'sealed';
  // Inside the time what is in memory goes on.
  await until(async () => (await opens(kept)) === 'seal/org-key-unreachable');
  await until(async () => (await h.events('key.own_state_changed')).some((e) => e.data['state'] === 'unreachable'));
  vault.state = 'up';
  await until(async () => (await opens(kept)) === 'opens');
  await until(async () => (await h.events('key.own_state_changed')).some((e) => e.data['state'] === 'good'));
});

test('a key of AWS KMS with credentials of the org: disabled is gone, enabled is back', async () => {
  const kept = await h.keep(2);
  const arn = aws.key();
  const key = { kind: 'aws-kms', key: arn, endpoint: aws.url, allowPrivate: true, accessKeyId: aws.accessKeyId };
  const wrong = await h.api('PUT', path('/own'), { key, secret: 'wrong' });
  assert.equal(wrong.body['code'], 'keys/own-key-refused');
  assert.equal((await h.api('PUT', path('/own'), { key, secret: aws.secretAccessKey })).status, 200);
  await settle();
  aws.setState(arn, 'Disabled');
  assert.equal((await h.api('POST', path('/own/check'))).body['state'], 'gone');
  assert.equal(await opens(kept), 'seal/org-key-gone');
  aws.setState(arn, 'Enabled');
  assert.equal(await opens(kept), 'opens');
});

test('an own key can be changed for another and given up again while it is there', async () => {
  const kept = await h.keep(4);
  assert.equal((await h.api('POST', path('/own/drop'), {})).body['code'], 'keys/no-own-key');
  await h.api('PUT', path('/own'), vaultKey(vault.token({ key: 'acme' })));
  await settle();
  vault.rotate('acme-2');
  const second = vaultKey(vault.token({ key: 'acme-2' }));
  assert.equal((await h.api('PUT', path('/own'), { ...second, key: { ...second.key, key: 'acme-2' } })).status, 200);
  await settle();
  vault.remove('acme');
  assert.equal(await opens(kept), 'opens');
  assert.equal((await h.api('POST', path('/own/drop'), {})).status, 200);
  vault.remove('acme-2');
  assert.deepEqual(
    await h.openAll(kept),
    kept.map((k) => k.text),
  );
});

test('what only a lost key opens is given up by its number, and the org can go on', async () => {
  const kept = await h.keep(2);
  await h.api('PUT', path('/own'), vaultKey(vault.token({ key: 'acme' })));
  vault.remove('acme');
  await until(async () => (await opens(kept)) === 'seal/org-key-gone');
  assert.equal((await h.api('POST', path('/own/drop'), {})).body['code'], 'seal/org-key-gone');
  assert.equal((await h.api('POST', path('/own/drop'), { abandon: 1 })).body['code'], 'keys/other-number');
  assert.equal((await h.api('POST', path('/own/drop'), { abandon: 2 })).status, 200);
  assert.equal(await opens(kept), 'seal/key-retired');
  const [fresh] = await h.keep(1);
  assert.equal(await opens(fresh ? [fresh] : []), 'opens');
  assert.equal((await h.events('key.own_dropped')).at(-1)?.data['abandoned'], 2);
});

test('a host inside the network, an alias and plain http are refused before anything is changed', async () => {
  const open = vaultKey('x');
  for (const [body, says] of [
    [{ ...open, key: { ...open.key, allowPrivate: false } }, 'keys/own-key-refused'],
    [{ ...open, key: { ...open.key, address: `${vault.url}/v1` } }, 'http/invalid'],
    [{ key: { kind: 'aws-kms', key: 'alias/gatehouse', accessKeyId: 'AK' }, secret: 's' }, 'http/invalid'],
    [vaultKey('a token that ended'), 'keys/own-key-refused'],
  ] as const)
    assert.equal((await h.api('PUT', path('/own'), body)).body['code'], says);
  assert.equal((await h.t.super('select from own_key')).length, 0);
  assert.equal((await h.api('POST', path('/own/check'))).body['code'], 'keys/no-own-key');
});

test('of two who name another key at once, one is told to look again', async () => {
  await h.keep(1);
  const named = (token: string) => nameOwnKey(h.ctx, OwnKeyConfig.parse(vaultKey(token).key), new Secret(token));
  const { keys } = h.ctx.seal;
  // While the first one's keys are being wrapped, somebody else names theirs.
  const slow: OrgCtx = {
    ...h.ctx,
    seal: {
      ...h.ctx.seal,
      keys: {
        ...keys,
        async make(...args) {
          await named(vault.token({ key: 'acme' }));
          return keys.make(...args);
        },
      },
    },
  };
  const token = vault.token({ key: 'acme' });
  await assert.rejects(
    nameOwnKey(slow, OwnKeyConfig.parse(vaultKey(token).key), new Secret(token)),
    code('keys/meanwhile'),
  );
  assert.equal((await h.t.super('select from own_key')).length, 1);
});

for (const first of ['given up', 'rotated'] as const)
  test(`an own key that is ${first} while ${first === 'rotated' ? 'it is given up' : 'a key is made under it'} leaves no key that nobody opens`, async () => {
    await h.keep(2);
    await h.api('PUT', path('/own'), vaultKey(vault.token({ key: 'acme' })));
    await settle();
    const { keys } = h.ctx.seal;
    const rotate = (world: typeof h.world) => rotateKeys(world, placeOf(h.ctx, 'org'), 'key', 'somebody');
    const slowly = <W extends { seal: Seal }>(w: W, over: Partial<SealKeys>): W => ({
      ...w,
      seal: { ...h.ctx.seal, keys: { ...keys, ...over } },
    });
    let begun = false;
    await assert.rejects(
      first === 'rotated'
        ? dropOwnKey(
            slowly(h.ctx, {
              async rewrapped(...args) {
                const done = await keys.rewrapped(...args);
                if (!begun) await rotate(h.world);
                begun = true;
                return done;
              },
            }),
            undefined,
          )
        : rotate(
            slowly(h.world, {
              async make(...args) {
                const made = await keys.make(...args);
                await dropOwnKey(h.ctx, undefined);
                return made;
              },
            }),
          ),
      code('keys/meanwhile'),
    );
    const own = (await h.t.super('select id from own_key')).map((r) => `own:${String(r['id'])}`);
    const by = (
      await h.t.super('select provider from seal_key where wrapped is not null and scope = $1', h.acme.org)
    ).map((r) => String(r['provider']));
    assert.deepEqual(
      by.filter((p) => p.startsWith('own:') && !own.includes(p)),
      [],
    );
  });
