import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsStandIn } from '#dev/kms/aws-kms.ts';
import { vaultStandIn, type VaultStandIn } from '#dev/kms/vault-transit.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { testWorld } from '#dev/test-world.ts';
import { makeEgress, type Egress } from '#kernel/egress.ts';
import { newId } from '#kernel/id.ts';
import { awsCredentials } from '#kernel/kms/aws-credentials.ts';
import { awsKeyName, awsKms } from '#kernel/kms/aws-kms.ts';
import { counted, type KeyProvider } from '#kernel/kms/kms.ts';
import { localKeyFile } from '#kernel/kms/local.ts';
import { vaultKeyName, vaultTransit } from '#kernel/kms/vault-transit.ts';
import { silentLog } from '#kernel/log.ts';
import { openSeal, openSealWith, type SealOptions } from '#kernel/open-seal.ts';
import { Problem } from '#kernel/problem.ts';
import type { Aad, Seal } from '#kernel/seal.ts';
import { Secret } from '#kernel/secret.ts';
import { foundOrg } from '#org/found-org.ts';
import { moveKeys } from './move-keys.ts';

let folder: string;
let egress: Egress;
let t: TestDb;
let vault: VaultStandIn;
let token: string;
let local: KeyProvider;
const keyFile = (): string => join(folder, 'root.key');
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'move-'));
  egress = makeEgress({ log: silentLog });
});
after(async () => {
  await egress.close();
  await rm(folder, { recursive: true });
});
beforeEach(async (c) => {
  const [db, v] = [await testDb(), await vaultStandIn()];
  [t, vault] = [db, v];
  vault.rotate('gatehouse');
  token = vault.token();
  local = await localKeyFile(keyFile(), { create: true });
  if ('after' in c) c.after(() => Promise.all([db.close(), v.close()]));
});

const code = (c: string) => (e: unknown) => e instanceof Problem && e.code === c;
const transit = (): KeyProvider => {
  const v = { address: vault.url, private: true, mount: 'transit', key: 'gatehouse', derived: false };
  return vaultTransit({ ...v, login: { by: 'token', token: async () => new Secret(token) } }, egress, vaultKeyName(v));
};
const aadOf = (scope: string): Aad => ({ table: 'connection', scope, row: 'cxn_1', generation: 1 });
const secret = Buffer.from('refresh-token-of-luca');
const open = (p: KeyProvider, o?: SealOptions): Promise<Seal> => openSealWith(p, t.db, o);
const foundOrgs = async (seal: Seal, count: number): Promise<{ aad: Aad; sealed: Buffer }[]> => {
  const world = await testWorld(t, { seal, egress });
  const made = [];
  for (let i = 0; i < count; i++) {
    const { org } = await foundOrg(world, {
      parentName: `Org ${i}`,
      orgName: `Org ${i}`,
      owner: { email: `ada@o${i}.example`, displayName: 'Ada' },
    });
    const aad = aadOf(org);
    made.push({ aad, sealed: await seal.seal(aad, secret) });
  }
  return made;
};
const providers = async (): Promise<string[]> =>
  (await t.super<{ p: string }>('select distinct provider as p from seal_key order by 1')).map((r) => r.p);

test('a deployment moves from its key file to Vault and back with every secret and every derived value as it was', async () => {
  const seal = await open(local);
  const sealed = await foundOrgs(seal, 3);
  const ofDeployment = await seal.seal(aadOf('deployment'), secret);
  const derived = seal.derive('audit checkpoint key');
  // Nodes know both before anything moves.
  const both = await open(local, { also: [transit()] });
  const moved = await moveKeys(await testWorld(t, { seal: both, egress }), transit(), { again: false });
  assert.equal(moved.keys, 4);
  assert.deepEqual(await providers(), ['vault-transit:transit/gatehouse']);
  // A node that has not been started again goes on, whatever it remembers.
  for (const { aad, sealed: s } of sealed) assert.deepEqual(await both.open(aad, s), secret);
  const there = await open(transit());
  for (const { aad, sealed: s } of sealed) assert.deepEqual(await there.open(aad, s), secret);
  assert.deepEqual(await there.open(aadOf('deployment'), ofDeployment), secret);
  assert.deepEqual(there.derive('audit checkpoint key'), derived);
  // The file is of no use any more.
  await assert.rejects(open(local), code('seal/wrong-key'));
  const fresh = await localKeyFile(join(folder, 'fresh.key'), { create: true });
  const again = await open(transit(), { also: [fresh] });
  await moveKeys(await testWorld(t, { seal: again, egress }), fresh, { again: false });
  const back = await openSeal(join(folder, 'fresh.key'), t.db);
  for (const { aad, sealed: s } of sealed) assert.deepEqual(await back.open(aad, s), secret);
  assert.deepEqual(back.derive('audit checkpoint key'), derived);
});

test('a move that is killed again and again, on three nodes at once, ends with everything readable', async () => {
  const sealed = await foundOrgs(await open(local), 12);
  const derived = (await open(local)).derive('x');
  let killed = 0;
  const run = (dies: boolean): Promise<void> => {
    const args = { url: t.url, key: keyFile(), vault: vault.url, token };
    const child = spawn(
      process.execPath,
      [
        new URL('../dev/kms/reseal-node.ts', import.meta.url).pathname,
        ...Object.entries(args).flatMap(([k, x]) => [`--${k}`, x]),
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    createInterface({ input: child.stdout }).on('line', (l) => {
      if (!dies || !l.includes('"scopes":2') || child.killed) return;
      killed++;
      child.kill('SIGKILL');
    });
    return new Promise((resolve) => child.once('exit', () => resolve()));
  };
  await Promise.all([run(true), run(true), run(true)]);
  assert.ok(killed > 0);
  const between = await open(transit(), { also: [local] });
  for (const { aad, sealed: s } of sealed) assert.deepEqual(await between.open(aad, s), secret);
  await run(false);
  assert.deepEqual(await providers(), ['vault-transit:transit/gatehouse']);
  const there = await open(transit());
  for (const { aad, sealed: s } of sealed) assert.deepEqual(await there.open(aad, s), secret);
  assert.deepEqual(there.derive('x'), derived);
});

test('when the key of the service turned, all keys are wrapped by its newest version and the old one may go', async () => {
  const seal = await open(transit());
  const sealed = await foundOrgs(seal, 2);
  vault.rotate('gatehouse');
  await moveKeys(await testWorld(t, { seal, egress }), seal.keys.provider, { again: true });
  vault.configure('gatehouse', { minDecryptionVersion: 2 });
  const fresh = await open(transit());
  for (const { aad, sealed: s } of sealed) assert.deepEqual(await fresh.open(aad, s), secret);
});

test('a key service on an empty database makes one deployment secret, and two first starts agree on it', async () => {
  const [a, b] = await Promise.all([open(transit()), open(transit())]);
  assert.deepEqual(a.derive('cookies'), b.derive('cookies'));
  assert.deepEqual((await open(transit())).derive('cookies'), a.derive('cookies'));
  await t.super(`update seal_key set scope = 'org_${'0'.repeat(32)}', generation = 1 where scope = 'deployment'`);
  await t.super(
    `insert into seal_key (scope, generation, provider, wrapped) select 'deployment', 0, provider, wrapped from seal_key`,
  );
  assert.deepEqual((await open(transit())).derive('cookies'), a.derive('cookies'));
});

test('a key service does not start on a database that lives from a key file, and says what to do', async () => {
  const world = await testWorld(t, { seal: await open(local), egress });
  await foundOrg(world, {
    parentName: 'Acme',
    orgName: 'Acme',
    owner: { email: 'ada@acme.example', displayName: 'Ada' },
  });
  await t.super('delete from seal_key');
  await assert.rejects(open(transit()), code('seal/not-moved'));
  assert.deepEqual((await open(transit(), { also: [local] })).derive('x'), (await open(local)).derive('x'));
});

test('another deployment secret, or the wrapped key of an org in its place, does not start', async () => {
  await foundOrgs(await open(transit()), 1);
  await t.super(
    `update seal_key set wrapped = (select wrapped from seal_key where scope like 'org%') where scope = 'deployment'`,
  );
  await assert.rejects(open(transit()), code('seal/does-not-open'));
  await t.super(`update seal_key set provider = 'aws-kms:arn:aws:kms:eu:1:key/x' where scope = 'deployment'`);
  await assert.rejects(open(transit()), code('seal/wrong-key'));
});

test('while the key service is away what was open goes on, what is new is told to come back, and a start says what is missing', async () => {
  const seal = await open(transit(), { ttlMs: 100 });
  const [known, other] = await foundOrgs(seal, 2);
  assert.ok(known && other);
  const node = await open(transit(), { ttlMs: 100 });
  await node.open(known.aad, known.sealed);
  vault.state = 'sealed';
  const end = Date.now() + 500;
  // Long past the time after which it asks again.
  while (Date.now() < end) {
    assert.deepEqual(await node.open(known.aad, known.sealed), secret);
    await sleep(5);
  }
  await assert.rejects(
    node.open(other.aad, other.sealed),
    (e) =>
      code('seal/kms-unreachable')(e) &&
      e instanceof Problem &&
      e.kind === 'unavailable' &&
      e.more?.['retryAfter'] === 5,
  );
  await assert.rejects(open(transit()), code('seal/kms-unreachable'));
  vault.state = 'up';
  assert.deepEqual(await node.open(other.aad, other.sealed), secret);
  vault.revoke(token);
  await assert.rejects(async () => {
    for (const until = Date.now() + 60_000; Date.now() < until; await sleep(5))
      await node.open(known.aad, known.sealed);
  }, code('seal/kms-gone'));
});

test('many who need a key at once ask the service once', async () => {
  const counts = { wraps: 0, unwraps: 0, rewraps: 0 };
  const seal = await open(transit());
  const [one] = await foundOrgs(seal, 1);
  assert.ok(one);
  const node = await open(counted(transit(), counts));
  counts.unwraps = 0;
  await Promise.all(Array.from({ length: 100 }, () => node.open(one.aad, one.sealed)));
  assert.equal(counts.unwraps, 1);
  const first = aadOf(newId('org'));
  await Promise.all(Array.from({ length: 100 }, () => node.seal(first, secret)));
  assert.equal(counts.wraps, 1);
});

test('AWS KMS itself refuses an org key that was put into the row of another org', async () => {
  const aws = await awsStandIn();
  try {
    const key = aws.key();
    const keys = { accessKeyId: aws.accessKeyId, secretAccessKey: new Secret(aws.secretAccessKey) };
    const p = (): KeyProvider =>
      awsKms(
        { key, endpoint: aws.url, private: true, credentials: awsCredentials({ by: 'keys', keys }, egress) },
        egress,
        awsKeyName(key),
      );
    const [a, b] = await foundOrgs(await open(p()), 2);
    assert.ok(a && b);
    await t.super(
      'update seal_key set wrapped = (select wrapped from seal_key where scope = $1) where scope = $2',
      a.aad.scope,
      b.aad.scope,
    );
    await assert.rejects((await open(p())).open(b.aad, b.sealed), code('seal/does-not-open'));
  } finally {
    await aws.close();
  }
});
