// How fast secrets open and are sealed when the org's key is warm, beside the floor: node's own AES-256-GCM of the same sizes, twice, because
// a secret is under two keys. What a key service is asked meanwhile is counted: it must be nothing.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopTestCluster, testDb } from '#dev/test-db.ts';
import { newId } from '#kernel/id.ts';
import { counted } from '#kernel/kms/kms.ts';
import { localKeyFile } from '#kernel/kms/local.ts';
import { openSealWith } from '#kernel/open-seal.ts';
import { benchRefresh } from './vault-refresh.ts';

/** A rotating OAuth credential as JSON: access token, refresh token, a few facts. */
const SECRET_BYTES = 1200;
const AT_ONCE = 100;
const RUNS = 5;
const ROWS = 2000;

const folder = mkdtempSync(join(tmpdir(), 'bench-vault-'));
const t = await testDb();
const median = (of: number[]): number => of.toSorted((a, b) => a - b)[of.length >> 1] ?? 0;
const figure = (n: number): string => Math.round(n).toLocaleString('en').padStart(10);

/** Operations per second of the middle run; `one` is given what number it is. */
async function perSecond(total: number, one: (i: number) => Promise<unknown>): Promise<number> {
  const runs: number[] = [];
  for (let r = 0; r <= RUNS; r++) {
    const from = performance.now();
    for (let i = 0; i < total; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => one(i + k)));
    // The first run warms the code.
    if (r > 0) runs.push(total / ((performance.now() - from) / 1000));
  }
  return median(runs);
}

async function benchSeal(): Promise<void> {
  const counts = { wraps: 0, unwraps: 0, rewraps: 0 };
  const seal = await openSealWith(
    counted(await localKeyFile(join(folder, 'root.key'), { create: true }), counts),
    t.db,
  );
  const org = newId('org');
  const secret = randomBytes(SECRET_BYTES);
  const places = Array.from({ length: ROWS }, () => ({
    table: 'connection',
    scope: org,
    row: newId('cnn'),
    generation: 1,
  }));
  const rows = await Promise.all(places.map(async (aad) => ({ aad, sealed: await seal.seal(aad, secret) })));
  const cold = { ...counts };

  const raw = randomBytes(32);
  const key = createSecretKey(raw);
  const aad = randomBytes(160);
  const boxed = (plain: Buffer): { iv: Buffer; text: Buffer; tag: Buffer } => {
    const iv = randomBytes(12);
    const c = createCipheriv('aes-256-gcm', key, iv).setAAD(aad);
    return { iv, text: Buffer.concat([c.update(plain), c.final()]), tag: c.getAuthTag() };
  };
  const [small, large] = [boxed(randomBytes(32)), boxed(secret)];
  const unboxed = (b: typeof small): Buffer => {
    const d = createDecipheriv('aes-256-gcm', key, b.iv).setAAD(aad).setAuthTag(b.tag);
    return Buffer.concat([d.update(b.text), d.final()]);
  };

  const total = 40_000;
  const floorOpen = await perSecond(total, async () => [unboxed(small), unboxed(large)]);
  const open = await perSecond(total, (i) => {
    const row = rows[i % ROWS];
    if (!row) throw new RangeError('no row');
    return seal.open(row.aad, row.sealed);
  });
  const floorSeal = await perSecond(total, async () => [boxed(raw), boxed(secret)]);
  const sealing = await perSecond(total, (i) => {
    const place = places[i % ROWS];
    if (!place) throw new RangeError('no place');
    return seal.seal(place, secret);
  });
  const of = (n: number, floor: number): string => `${((100 * n) / floor).toFixed(0)} % of the floor`;
  console.log(
    `secrets of ${SECRET_BYTES} bytes, ${ROWS} rows of one org, its key warm, ${AT_ONCE} at once, middle of ${RUNS} runs`,
  );
  console.log(`open              ${figure(open)} /s   ${of(open, floorOpen)}   (target 20,000)`);
  console.log(`  floor, GCM twice ${figure(floorOpen)} /s`);
  console.log(`seal              ${figure(sealing)} /s   ${of(sealing, floorSeal)}`);
  console.log(`  floor, GCM twice ${figure(floorSeal)} /s`);
  console.log(
    `key service       ${cold.wraps} wraps and ${cold.unwraps} unwraps to warm up; ${counts.wraps - cold.wraps} and ${counts.unwraps - cold.unwraps} in ${figure(total * (RUNS + 1) * 2).trim()} operations`,
  );
  if (open < 20_000) process.exitCode = 1;
}

try {
  await benchSeal();
  await benchRefresh();
} finally {
  await t.close();
  await stopTestCluster();
  rmSync(folder, { recursive: true });
}
