import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeKeyRing, type Loaded } from './key-ring.ts';

const gone = new Error('gone');
const away = new Error('away');
const ring = (ttlMs: number, max = 100) => makeKeyRing({ ttlMs, max, gone: (e) => e === gone });
/** A loader whose keys can be looked at after the ring has let go of them. */
function loader(asksAgain: Loaded['asksAgain']) {
  const given: Buffer[] = [];
  let fails: Error | undefined;
  return {
    given,
    fail: (e: Error | undefined) => (fails = e),
    load: (): Promise<Loaded> => {
      if (fails) return Promise.reject(fails);
      const key = Buffer.alloc(32, given.length + 1);
      given.push(key);
      return Promise.resolve({ generation: 1, key, asksAgain });
    },
  };
}
const wiped = (b: Buffer | undefined): boolean => b?.every((x) => x === 0) ?? false;
const until = async (claim: () => boolean | Promise<boolean>): Promise<void> => {
  const end = Date.now() + 60_000;
  while (!(await claim())) {
    assert.ok(Date.now() < end, 'it never came true');
    await sleep(3);
  }
};

test('a key that is forgotten, or has to make room, is wiped from memory', async () => {
  const r = ring(60_000, 2);
  const l = loader('never');
  const use = (name: string) => r.use(name, l.load, (k) => k.key[0]);
  await use('a#1');
  await use('b#1');
  await use('c#1');
  assert.deepEqual(l.given.map(wiped), [true, false, false]);
  r.forget('b#');
  assert.deepEqual(l.given.map(wiped), [true, true, false]);
  assert.equal(await use('b#1'), 4);
});

test('a key that may be taken back is asked for again in its time and is wiped when nobody answers', async () => {
  const r = ring(60);
  const l = loader('until');
  const use = () => r.use('a#1', l.load, (k) => k.key[0]);
  await use();
  l.fail(away);
  await until(() =>
    use().then(
      () => false,
      (e) => e === away,
    ),
  );
  assert.equal(wiped(l.given[0]), true);
  l.fail(undefined);
  assert.equal(await use(), l.given.length);
});

test("a key of the deployment's service outlives its silence, and not its word that the key is gone", async () => {
  const r = ring(30);
  const l = loader('keeps');
  const use = () => r.use('a#1', l.load, (k) => k.key[0]);
  await use();
  l.fail(away);
  for (const end = Date.now() + 200; Date.now() < end; await sleep(2)) assert.equal(await use(), 1);
  l.fail(gone);
  await until(() =>
    use().then(
      () => false,
      (e) => e === gone,
    ),
  );
  assert.equal(wiped(l.given[0]), true);
});

test('nobody is ever given a wiped key, however the ring lets go', async () => {
  const r = ring(60_000, 1);
  const l = loader('never');
  const seen = await Promise.all(
    Array.from({ length: 300 }, (_, i) => {
      if (i % 7 === 0) r.forget('');
      return r.use(`${i % 5}#1`, l.load, (k) => k.key[0]);
    }),
  );
  assert.equal(seen.includes(0), false);
});
