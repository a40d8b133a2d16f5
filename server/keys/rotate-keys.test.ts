import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, beforeEach, test } from 'node:test';
import { keysHouse, type KeysHouse } from '#dev/kms/keys-house.ts';
import { newId } from '#kernel/id.ts';
import { localKeyFile } from '#kernel/kms/local.ts';
import { openSeal } from '#kernel/open-seal.ts';
import { Problem } from '#kernel/problem.ts';
import { placeFor, placeOf, type KeyPlace } from './key-place.ts';
import { findRotation, listSealed } from './key.sql.ts';
import { resealAll, resealNext } from './reseal-next.ts';
import { resealJob } from './reseal.job.ts';
import { retireKey } from './retire-key.ts';
import { rotateKeys } from './rotate-keys.ts';

let folder: string;
let h: KeysHouse;
let place: KeyPlace;
const keyFile = (): string => join(folder, 'root.key');
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-'));
});
after(() => rm(folder, { recursive: true }));
beforeEach(async (t) => {
  const house = await keysHouse(await localKeyFile(keyFile(), { create: true }));
  h = house;
  place = placeOf(h.ctx, 'org');
  if ('after' in t) t.after(() => house[Symbol.asyncDispose]());
});

const code = (c: string) => (e: unknown) => e instanceof Problem && e.code === c;
const texts = (kept: readonly { text: string }[]): string[] => kept.map((k) => k.text);
const generations = async (): Promise<number[]> =>
  (
    await h.t.super<{ g: number }>(
      'select distinct get_byte(sealed, 4) as g from quarantine where sealed is not null order by 1',
    )
  ).map((r) => r.g);

/** A node in a process of its own; `after` is called with each line that it says. */
function node(
  args: Record<string, string>,
  heard: (line: Record<string, unknown>, child: ChildProcess) => void,
): Promise<void> {
  const child = spawn(
    process.execPath,
    [
      new URL('../dev/kms/reseal-node.ts', import.meta.url).pathname,
      ...Object.entries(args).flatMap(([k, x]) => [`--${k}`, x]),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  createInterface({ input: child.stdout }).on('line', (l) => heard(JSON.parse(l) as Record<string, unknown>, child));
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
const ofAcme = (): Record<string, string> => ({
  url: h.t.url,
  key: keyFile(),
  parent: h.acme.parent,
  org: h.acme.org,
});

test('a rotation seals everything with a new key, says how far it is, and the old key can then be destroyed', async () => {
  const kept = await h.keep(120);
  const path = `/orgs/${h.acme.org}/keys`;
  const started = await h.api('POST', `${path}/rotate`, {});
  assert.equal(started.status, 202, started.text);
  assert.equal((await h.api('POST', `${path}/rotate`, {})).body['code'], 'keys/rotating');
  assert.deepEqual(await h.openAll(kept), texts(kept));
  assert.equal((await h.api('POST', `${path}/retire`, { generation: 1 })).body['code'], 'keys/still-needed');
  await resealJob(h.world).run({});
  assert.deepEqual(await generations(), [2]);
  assert.deepEqual(await h.openAll(kept), texts(kept));
  const { rotation } = (await h.api('GET', path)).body as { rotation: Record<string, unknown> };
  assert.deepEqual([rotation['state'], rotation['resealed'], rotation['total']], ['done', 120, 120]);
  assert.equal((await h.events('key.rotation_finished')).length, 1);
  assert.equal((await h.api('POST', `${path}/retire`, { generation: 1 })).body['code'], 'keys/too-early');
  h.advance(20 * 60_000);
  assert.equal((await h.api('POST', `${path}/retire`, { generation: 2 })).body['code'], 'keys/newest');
  assert.equal((await h.api('POST', `${path}/retire`, { generation: 7 })).body['code'], 'keys/no-such-key');
  const retired = await h.api('POST', `${path}/retire`, { generation: 1 });
  assert.equal(retired.status, 200, retired.text);
  assert.deepEqual(await h.openAll(kept, await openSeal(keyFile(), h.t.db)), texts(kept));
  assert.deepEqual(
    await h.t.super('select generation, wrapped is null as gone from seal_key where scope = $1 order by 1', h.acme.org),
    [
      { generation: 1, gone: true },
      { generation: 2, gone: false },
    ],
  );
});

test('a row put back from before the rotation opens until its key is destroyed, and then says that it was', async () => {
  const [kept] = await h.keep(1);
  assert.ok(kept);
  const [before] = await h.t.super<{ sealed: Buffer }>('select sealed from quarantine');
  const r = await rotateKeys(h.world, place, 'key', 'test');
  await resealAll(h.world, place, r.id);
  h.advance(20 * 60_000);
  await retireKey(h.world, place, 1);
  await h.t.super('update quarantine set sealed = $1', before?.sealed);
  await assert.rejects(h.openAll([kept]), code('seal/key-retired'));
});

test('new data keys without a new key change every sealed byte and nothing else', async () => {
  const kept = await h.keep(7);
  const bytes = async (): Promise<string[]> =>
    (await h.t.super<{ s: string }>(`select encode(sealed, 'hex') as s from quarantine order by id`)).map((x) => x.s);
  const was = await bytes();
  const r = await rotateKeys(h.world, place, 'data', 'test');
  assert.equal((await resealAll(h.world, place, r.id))?.resealed, 7);
  const now = await bytes();
  assert.ok(now.every((s, i) => s !== was[i]));
  assert.deepEqual(await generations(), [1]);
  assert.deepEqual(await h.openAll(kept), texts(kept));
});

test('a secret that changes while it is sealed anew keeps the change, and one that is gone stays gone', async () => {
  const kept = await h.keep(3);
  const [a, b] = kept;
  assert.ok(a && b);
  const r = await rotateKeys(h.world, place, 'key', 'test');
  const { seal } = h.world;
  const fresh = await seal.seal(a.aad, Buffer.from('changed meanwhile'));
  let first = true;
  // The step has read the rows and opens the first of them; then somebody else commits.
  const slow = {
    ...h.world,
    seal: {
      ...seal,
      async open(...args: Parameters<typeof seal.open>) {
        const opened = await seal.open(...args);
        if (first) {
          first = false;
          await h.t.super('update quarantine set sealed = $1 where id = $2', fresh, a.aad.row);
          await h.t.super(
            `update quarantine set sealed = null, state = 'expired', ended_at = now() where id = $1`,
            b.aad.row,
          );
        }
        return opened;
      },
    },
  };
  await resealAll(slow, place, r.id);
  assert.deepEqual(await h.openAll([a]), ['changed meanwhile']);
  assert.deepEqual(await h.t.super('select sealed from quarantine where id = $1', b.aad.row), [{ sealed: null }]);
});

test('a secret that does not open is left alone and counted, and the others go on', async () => {
  const kept = await h.keep(3);
  await h.t.super(
    `update quarantine set sealed = set_byte(sealed, 40, 255 - get_byte(sealed, 40)) where id = $1`,
    kept[1]?.aad.row,
  );
  const r = await rotateKeys(h.world, place, 'key', 'test');
  assert.equal((await resealAll(h.world, place, r.id))?.resealed, 2);
  const events = await h.events('key.secrets_resealed');
  assert.deepEqual(
    events.map((e) => [e.data['secrets'], e.data['unreadable']]),
    [[2, 1]],
  );
});

for (const what of ['key', 'data'] as const)
  test(`nodes that take the same steps, one of them slowly, seal each secret anew once (${what})`, async () => {
    const kept = await h.keep(270);
    const r = await rotateKeys(h.world, place, what, 'test');
    const { seal } = h.world;
    let slow = true;
    await resealNext(h.world, place, r.id);
    // It has opened its page when the others have finished that and two more.
    const late = {
      ...h.world,
      seal: {
        ...seal,
        async open(...args: Parameters<typeof seal.open>) {
          const opened = await seal.open(...args);
          if (slow) {
            slow = false;
            for (let i = 0; i < 3; i++) await resealNext(h.world, place, r.id);
          }
          return opened;
        },
      },
    };
    await resealNext(late, place, r.id);
    const steps = async (): Promise<void> => {
      for (;;) {
        const x = await resealNext(h.world, place, r.id);
        if (!x || x.state === 'done') return;
      }
    };
    await Promise.all([steps(), steps(), steps()]);
    assert.equal((await place.read((db) => findRotation(db, place.scope)))?.resealed, 270);
    assert.deepEqual(await h.openAll(kept), texts(kept));
    assert.equal((await h.events('key.rotation_finished')).length, 1);
  });

test('three nodes seal anew at once, two are killed in the middle, and nothing becomes unreadable', async () => {
  const kept = await h.keep(400);
  await rotateKeys(h.world, place, 'key', 'test');
  let killed = 0;
  await Promise.all(
    [true, true, false].map((dies) =>
      node(ofAcme(), (line, child) => {
        if (!dies || typeof line['resealed'] !== 'number' || child.killed) return;
        killed++;
        child.kill('SIGKILL');
      }),
    ),
  );
  assert.equal(killed, 2);
  await resealJob(h.world).run({});
  assert.deepEqual(await generations(), [2]);
  assert.deepEqual(await h.openAll(kept, await openSeal(keyFile(), h.t.db)), texts(kept));
});

test('keys of the parent and of the deployment turn like those of an org', async () => {
  const scopes = [
    { scope: h.acme.parent, parent: h.acme.parent, org: null },
    { scope: 'deployment', parent: null, org: null },
  ];
  const kid = 'k1';
  const aad = { table: 'oauth_signing_key', scope: 'deployment', row: kid, generation: 1 };
  await h.t.super(
    `insert into oauth_signing_key (kid, public, sealed, published_at) values ($1, '{}', $2, now())`,
    kid,
    await h.world.seal.seal(aad, Buffer.from('private half')),
  );
  const id = newId('skk');
  const saml = { table: 'saml_key', scope: h.acme.parent, row: id, generation: 1 };
  await h.t.super(
    `insert into saml_key (parent, org, id, certificate, private_sealed, created_at) values ($1, $2, $3, '\\x00', $4, now())`,
    h.acme.parent,
    h.acme.org,
    id,
    await h.world.seal.seal(saml, Buffer.from('saml half')),
  );
  for (const of of scopes) {
    const there = placeFor(h.world, 'test', of);
    const r = await rotateKeys(h.world, there, 'key', 'test');
    assert.equal((await resealAll(h.world, there, r.id))?.resealed, 1);
  }
  const [row] = await h.t.super<{ sealed: Buffer }>('select sealed from oauth_signing_key where kid = $1', kid);
  const [of] = await h.t.super<{ sealed: Buffer }>('select private_sealed as sealed from saml_key');
  const fresh = await openSeal(keyFile(), h.t.db);
  assert.equal((await fresh.open(aad, row?.sealed ?? Buffer.alloc(0))).toString(), 'private half');
  assert.equal((await fresh.open(saml, of?.sealed ?? Buffer.alloc(0))).toString(), 'saml half');
  assert.equal(row?.sealed.readUInt32BE(1), 1);
});

test('the functions that find and replace sealed bytes serve the scope of their transaction and no other', async () => {
  await h.keep(1);
  const elsewhere = newId('org');
  const at = { tab: 'quarantine', col: 'sealed', after: '' };
  await assert.rejects(
    h.t.db.read({ org: elsewhere }, (db) => listSealed(db, h.acme.org, at, 10)),
    /not the scope of this transaction/,
  );
  assert.deepEqual(await h.t.db.read({ org: elsewhere }, (db) => listSealed(db, elsewhere, at, 10)), []);
});
