import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { connect } from './db.ts';
import { newId } from './id.ts';
import { localKeyFile } from './kms/local.ts';
import { silentLog } from './log.ts';
import { Problem } from './problem.ts';
import { openSeal, openSealWith } from './open-seal.ts';
import { makeSeal, type Aad, type Seal } from './seal.ts';
import { testDb, type TestDb } from '../dev/test-db.ts';

let t: TestDb;
let folder: string;
let keyFile: string;
let seal: Seal;
before(async () => {
  t = await testDb();
  folder = await mkdtemp(join(tmpdir(), 'seal-'));
  keyFile = join(folder, 'seal.key');
  seal = await openSeal(keyFile, t.db);
});
after(async () => {
  await t.close();
  await rm(folder, { recursive: true });
});

const aadOf = (over: Partial<Aad> = {}): Aad => ({
  table: 'connection',
  scope: newId('org'),
  row: newId('cxn'),
  generation: 1,
  ...over,
});
const code = (c: string) => (e: unknown) => e instanceof Problem && e.code === c;
const secret = Buffer.from('refresh-token-of-luca');

test('a sealed secret opens in its own row and holds nothing of the secret in clear', async () => {
  const aad = aadOf();
  const sealed = await seal.seal(aad, secret);
  assert.deepEqual(await seal.open(aad, sealed), secret);
  assert.equal(sealed.includes(secret), false);
});

test('an empty secret and a large one come back as they were', async () => {
  const aad = aadOf();
  for (const s of [Buffer.alloc(0), randomBytes(1_000_000)])
    assert.deepEqual(await seal.open(aad, await seal.seal(aad, s)), s);
});

test('a secret of a parent and one of the deployment are sealed like one of an org', async () => {
  for (const scope of [newId('par'), 'deployment']) {
    const aad = aadOf({ scope });
    assert.deepEqual(await seal.open(aad, await seal.seal(aad, secret)), secret);
  }
});

test('a scope that is neither org, parent nor deployment is refused', async () => {
  await assert.rejects(seal.seal(aadOf({ scope: newId('usr') }), secret), code('seal/scope'));
});

for (const [what, over] of [
  ['another row', () => ({ row: newId('cxn') })],
  ['another table', () => ({ table: 'sso_connection' })],
  ['another org', () => ({ scope: newId('org') })],
  ['a later generation of its row', () => ({ generation: 2 })],
] as const)
  test(`a secret moved to ${what} does not open`, async () => {
    const aad = aadOf();
    const there = { ...aad, ...over() };
    const sealed = await seal.seal(aad, secret);
    await seal.seal(there, secret); // so that the other place has a key of its own
    await assert.rejects(seal.open(there, sealed), code('seal/does-not-open'));
  });

test('two rows of one org whose secrets are swapped both fail to open', async () => {
  const a = aadOf();
  const b = aadOf({ scope: a.scope });
  const [sealedA, sealedB] = [await seal.seal(a, secret), await seal.seal(b, secret)];
  await assert.rejects(seal.open(a, sealedB), code('seal/does-not-open'));
  await assert.rejects(seal.open(b, sealedA), code('seal/does-not-open'));
});

test('names that only differ in where one ends and the next begins are different places', async () => {
  const a = aadOf({ row: 'row-1', generation: 1 });
  const sealed = await seal.seal(a, secret);
  await assert.rejects(seal.open({ ...a, row: 'row-', generation: 11 }, sealed), code('seal/does-not-open'));
});

test('a secret with any one bit turned, or cut anywhere, does not open', async () => {
  const aad = aadOf();
  const sealed = await seal.seal(aad, secret);
  const position = fc.integer({ min: 0, max: sealed.length - 1 });
  await fc.assert(
    fc.asyncProperty(position, fc.integer({ min: 0, max: 7 }), async (at, bit) => {
      const altered = Buffer.from(sealed);
      altered[at] = (altered[at] ?? 0) ^ (1 << bit);
      await assert.rejects(seal.open(aad, altered), code('seal/does-not-open'));
    }),
    { numRuns: 300 },
  );
  await fc.assert(
    fc.asyncProperty(position, async (length) => {
      await assert.rejects(seal.open(aad, sealed.subarray(0, length)), code('seal/does-not-open'));
    }),
  );
});

test('the wrapped key of one org put into the row of another neither opens nor seals', async () => {
  const a = aadOf();
  const b = aadOf();
  await seal.seal(a, secret);
  const sealedB = await seal.seal(b, secret);
  await t.super(
    'update seal_key set wrapped = (select wrapped from seal_key where scope = $1) where scope = $2',
    a.scope,
    b.scope,
  );
  const fresh = await openSeal(keyFile, t.db);
  await assert.rejects(fresh.open(b, sealedB), code('seal/does-not-open'));
  await assert.rejects(fresh.seal(b, secret), code('seal/does-not-open'));
});

test('two nodes that seal the first secret of an org at the same time end with one key', async () => {
  const other = connect({ url: t.url, role: 'gatehouse_app', log: silentLog });
  try {
    const nodes = [await openSeal(keyFile, t.db), await openSeal(keyFile, other)];
    for (let round = 0; round < 10; round++) {
      const aad = aadOf();
      const sealed = await Promise.all([0, 1, 0, 1, 0, 1].map((n) => nodes[n]!.seal(aad, secret)));
      const keys = await t.super('select generation from seal_key where scope = $1', aad.scope);
      assert.equal(keys.length, 1);
      for (const s of sealed) for (const n of nodes) assert.deepEqual(await n.open(aad, s), secret);
    }
  } finally {
    await other.end();
  }
});

test('after a restart everything opens and what was derived is the same', async () => {
  const aad = aadOf();
  const sealed = await seal.seal(aad, secret);
  const again = await openSeal(keyFile, t.db);
  assert.deepEqual(await again.open(aad, sealed), secret);
  assert.deepEqual(again.derive('cookies'), seal.derive('cookies'));
  assert.notDeepEqual(seal.derive('cookies'), seal.derive('sessions'));
  assert.equal(seal.derive('cookies', 64).length, 64);
});

test('a failed first seal is not remembered: the next one works', async () => {
  const provider = await localKeyFile(keyFile, { create: false });
  let broken = true;
  const flaky = await openSealWith(
    {
      ...provider,
      wrap: async (b, place) => {
        if (broken) throw new Error('the key service is away');
        return provider.wrap(b, place);
      },
    },
    t.db,
  );
  const aad = aadOf();
  await assert.rejects(flaky.seal(aad, secret), /away/);
  broken = false;
  assert.deepEqual(await seal.open(aad, await flaky.seal(aad, secret)), secret);
});

test('the server does not start with the key file of another deployment, and says whose it has', async () => {
  await seal.seal(aadOf(), secret);
  const foreign = join(folder, 'foreign.key');
  await writeFile(foreign, randomBytes(32), { mode: 0o600 });
  await assert.rejects(openSeal(foreign, t.db), code('seal/wrong-key'));
});

test('a secret whose key another provider wrapped says so instead of failing to decrypt', async () => {
  const aad = aadOf();
  const sealed = await seal.seal(aad, secret);
  const foreign = join(folder, 'foreign2.key');
  const provider = await localKeyFile(foreign, { create: true });
  const other = makeSeal({ db: t.db, provider, secret: randomBytes(32) });
  await assert.rejects(other.open(aad, sealed), code('seal/wrong-key'));
});

test('with secrets in the database and no key file, the server does not start and does not make a new key', async () => {
  await seal.seal(aadOf(), secret);
  const gone = join(folder, 'gone.key');
  await assert.rejects(openSeal(gone, t.db), code('seal/key-missing'));
  assert.equal((await readdir(folder)).includes('gone.key'), false);
});

test('a key file is made once: 32 bytes that only its owner may read, and no half of one beside it', async () => {
  let sub = '';
  let path = '';
  for (let round = 0; round < 20; round++) {
    sub = join(folder, `new-${round}`, 'deep');
    path = join(sub, 'seal.key');
    const start = async (_: unknown, i: number) => {
      for (let turn = 0; turn < i * 2; turn++) await setImmediate();
      return localKeyFile(path, { create: true });
    };
    const all = await Promise.all(Array.from({ length: 16 }, start));
    assert.equal(new Set(all.map((p) => p.name)).size, 1);
  }
  const made = await stat(path);
  assert.equal(made.size, 32);
  assert.equal(made.mode & 0o777, 0o600);
  assert.deepEqual(await readdir(sub), ['seal.key']);
});

test('a key file that others may read is refused', async () => {
  const path = join(folder, 'open.key');
  await writeFile(path, randomBytes(32));
  await chmod(path, 0o640);
  await assert.rejects(localKeyFile(path, { create: true }), code('seal/key-readable'));
});

test('a key file of another size, as a crash of something else may leave it, is refused and left alone', async () => {
  const path = join(folder, 'short.key');
  await writeFile(path, randomBytes(31), { mode: 0o600 });
  await assert.rejects(localKeyFile(path, { create: true }), code('seal/key-size'));
  assert.equal((await stat(path)).size, 31);
});

test('a link in the place of the key file is refused', async () => {
  const path = join(folder, 'link.key');
  await symlink(keyFile, path);
  await assert.rejects(localKeyFile(path, { create: true }), code('seal/key-file'));
});
