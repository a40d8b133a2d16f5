import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { test, type TestContext } from 'node:test';
import { Writable } from 'node:stream';
import { openVaultHouse, type NodeSheet, type VaultHouse } from '#dev/vault-house.ts';
import { Problem } from '#kernel/problem.ts';
import { Secret } from '#kernel/secret.ts';
import type { Connection } from './connection.ts';
import { endConnection } from './end-connection.ts';
import { sealKept } from './kept.ts';
import { vaultCtx } from './renewal.ts';
import { sweepEnded } from './tell-vendor.job.ts';
import { tellVendor } from './tell-vendor.ts';
import type { Vault } from './vault.ts';

const open = async (t: TestContext, o?: Parameters<typeof openVaultHouse>[0]): Promise<VaultHouse> => {
  const h = await openVaultHouse(o);
  t.after(() => h.close());
  return h;
};
const code = (expected: string) => (e: unknown) => e instanceof Problem && e.code === expected;
const problem = async (p: Promise<unknown>): Promise<Problem> => {
  const e: unknown = await p.then(
    () => assert.fail('nothing was refused'),
    (x: unknown) => x,
  );
  assert.ok(e instanceof Problem, String(e));
  return e;
};
const token = async (v: Vault, h: VaultHouse, c: Connection): Promise<string> =>
  (await v.unlock(h.at, { connection: c.id })).token.reveal();

test('a token that is good for longer than a call takes is given as it is, and nobody asks the vendor', async (t) => {
  const h = await open(t);
  const c = await h.connect();
  const calls = h.tokenCalls();
  const first = await token(h.vault, h, c);
  assert.equal(await token(h.vault, h, c), first);
  assert.equal(h.tokenCalls(), calls);
  assert.ok(
    (await h.t.super('select last_used_at from connection_lease where connection = $1', c.id))[0]?.['last_used_at'],
  );
});

for (const rotation of ['single_use', 'replaced', 'same'] as const)
  test(`fifty who want a token at once on three nodes ask the vendor once (${rotation}), and all get the new one`, async (t) => {
    const h = await open(t, { rotation });
    const c = await h.connect({ expires: -10 });
    const nodes = [h.vault, await h.node(), await h.node()];
    h.vendor.fault = (r) => (r.path === '/login/token' ? { status: 0, delayMs: 150 } : undefined);
    const calls = h.tokenCalls();
    const got = await Promise.all(Array.from({ length: 50 }, (_, i) => token(nodes[i % 3]!, h, c)));
    assert.equal(h.tokenCalls() - calls, 1);
    assert.equal(new Set(got).size, 1);
    assert.equal((await h.row(c.id))['generation'], 2);
    assert.equal((await h.events('connection.refreshed')).length, 1);
    assert.equal(h.vendor.live(), 1, 'no token was used twice');
  });

async function nodeProcess(
  h: VaultHouse,
  c: Connection,
  o: { pause: boolean; times: number; rotation?: 'single_use' | 'same' | 'replaced' },
): Promise<{ kill(): void; line: Promise<Record<string, unknown>>; gone: Promise<unknown> }> {
  const sheet: NodeSheet & Record<string, unknown> = {
    url: h.t.url,
    at: h.at,
    connector: h.connector,
    origins: { ...h.vendor.origins },
    options: o.rotation ? { rotation: o.rotation } : {},
    connections: [c.id],
    times: o.times,
    pause: o.pause,
  };
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('../dev/vault-node.ts', import.meta.url)), JSON.stringify(sheet)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const gone = once(child, 'exit');
  const line = once(createInterface(child.stdout), 'line').then(
    ([text]) => JSON.parse(String(text)) as Record<string, unknown>,
  );
  return { kill: () => void child.kill('SIGKILL'), line, gone };
}

test('three processes that want a token at once ask the vendor once', async (t) => {
  const h = await open(t, { rotation: 'single_use' });
  const c = await h.connect({ expires: -10 });
  h.vendor.fault = (r) => (r.path === '/login/token' ? { status: 0, delayMs: 1000 } : undefined);
  const calls = h.tokenCalls();
  const nodes = await Promise.all(
    [1, 2, 3].map(() => nodeProcess(h, c, { pause: false, times: 17, rotation: 'single_use' })),
  );
  const got = (await Promise.all(nodes.map((n) => n.line))).flatMap((l) => l['got'] as string[]);
  assert.equal(h.tokenCalls() - calls, 1);
  assert.equal(got.length, 51);
  assert.equal(new Set(got).size, 1);
  assert.match(got[0]!, /^at_/);
  await Promise.all(nodes.map((n) => n.gone));
});

for (const rotation of ['single_use', 'replaced', 'same'] as const)
  test(`a node killed between the vendor's answer and our commit is ${rotation === 'single_use' ? 'a lost rotation, told once and never tried again' : 'healed by the next one'} (${rotation})`, async (t) => {
    const h = await open(t, { rotation, vault: { leaseMs: 1500 } });
    const c = await h.connect({ expires: -10 });
    const node = await nodeProcess(h, c, { pause: true, times: 1, rotation });
    assert.deepEqual(await node.line, { paused: 'answered' });
    node.kill();
    await node.gone;
    // The dead node's lease has its own length; its end is what others wait for.
    await h.t.super(`update connection_lease set until = now() where connection = $1`, c.id);
    if (rotation !== 'single_use') {
      assert.match(await token(h.vault, h, c), /^at_/);
      assert.deepEqual(await h.events('connection.reconnect_needed'), []);
      return;
    }
    assert.equal((await problem(h.vault.unlock(h.at, { connection: c.id }))).code, 'vault/reconnect');
    const calls = h.tokenCalls();
    for (let i = 0; i < 5; i++)
      await assert.rejects(h.vault.unlock(h.at, { connection: c.id }), code('vault/reconnect'));
    assert.equal(h.tokenCalls(), calls, 'nobody asks again');
    const told = await h.events('connection.reconnect_needed');
    assert.deepEqual(
      told.map((e) => e['why']),
      ['lost_rotation'],
    );
    const row = await h.row(c.id);
    assert.deepEqual([row['state'], row['why']], ['reconnect', 'lost_rotation']);
  });

test('a holder of the lease who hangs is waited for and then passed over, and what it brings too late is not stored', async (t) => {
  const h = await open(t, { rotation: 'same', vault: { leaseMs: 400 } });
  const c = await h.connect({ expires: -10 });
  const other = await h.node();
  let first = true;
  h.vendor.fault = (r) => {
    if (r.path !== '/login/token' || !first) return undefined;
    first = false;
    return { status: 0, delayMs: 1500 };
  };
  const slow = token(h.vault, h, c);
  while (first) await wait(10);
  const fast = await token(other, h, c);
  assert.equal(await slow, fast, 'the late one uses what is stored');
  assert.equal((await h.row(c.id))['generation'], 2);
});

test('an answer that comes after the lease was lost is not stored, although nothing else is stored yet', async (t) => {
  const h = await open(t, { rotation: 'replaced' });
  const c = await h.connect({ expires: -10 });
  const [late, next] = [await h.node({ leaseMs: 300 }), await h.node()];
  let asked = 0;
  const said = (n: string): object => ({ access_token: `at_${n}`, refresh_token: `rt_${n}`, expires_in: 3600 });
  h.vendor.fault = (r) => {
    if (r.path !== '/login/token') return undefined;
    return asked++ === 0
      ? { status: 200, body: said('late'), delayMs: 1500 }
      : { status: 200, body: said('next'), delayMs: 3000 };
  };
  const first = token(late, h, c);
  while (asked === 0) await wait(10);
  const second = token(next, h, c);
  assert.deepEqual(await Promise.all([first, second]), ['at_next', 'at_next']);
  assert.equal(asked, 2);
});

test('fifty who want a token of a vendor that is away ask it once, and are told when to come again', async (t) => {
  const h = await open(t);
  const c = await h.connect({ expires: -10 });
  const nodes = [h.vault, await h.node(), await h.node()];
  h.vendor.fault = (r) => (r.path === '/login/token' ? { status: 503, delayMs: 200 } : undefined);
  const calls = h.tokenCalls();
  const all = await Promise.all(
    Array.from({ length: 50 }, (_, i) => problem(nodes[i % 3]!.unlock(h.at, { connection: c.id }))),
  );
  assert.deepEqual([...new Set(all.map((p) => p.code))], ['vault/later']);
  assert.equal(h.tokenCalls() - calls, 1);
  assert.equal((await h.events('connection.refresh_failed')).length, 1);
});

test('a vendor that does not take the refresh token any more is asked once; the person must connect again', async (t) => {
  const h = await open(t);
  const c = await h.connect({ expires: -10 });
  h.vendor.endGrants('ada');
  const calls = h.tokenCalls();
  const p = await problem(h.vault.unlock(h.at, { connection: c.id }));
  assert.equal(p.code, 'vault/reconnect');
  assert.doesNotMatch(inspect(p, { depth: 10 }), /rt_|at_|plain-secret/);
  for (let i = 0; i < 3; i++) await assert.rejects(h.vault.unlock(h.at, { connection: c.id }), code('vault/reconnect'));
  assert.equal(h.tokenCalls() - calls, 1);
  assert.deepEqual(await h.events('connection.reconnect_needed'), [
    { connection: c.id, connector: h.connector, member: h.founded.member, why: 'invalid_grant' },
  ]);
});

test('a vendor that asks to wait is not asked before, and what is left of the token is used meanwhile', async (t) => {
  const h = await open(t);
  const c = await h.connect({ expires: 60 });
  h.vendor.fault = (r) =>
    r.path === '/login/token'
      ? { status: 429, headers: { 'retry-after': '600' }, body: { error: 'slow_down' } }
      : undefined;
  const calls = h.tokenCalls();
  assert.match(await token(h.vault, h, c), /^at_/);
  assert.match(await token(h.vault, h, c), /^at_/);
  h.advance(90);
  const p = await problem(h.vault.unlock(h.at, { connection: c.id }));
  assert.equal(p.code, 'vault/later');
  assert.ok(Number(p.more?.['retryAfterSeconds']) > 300, String(p.more?.['retryAfterSeconds']));
  assert.equal(h.tokenCalls() - calls, 1);
  h.vendor.fault = undefined;
  h.advance(700);
  assert.match(await token(h.vault, h, c), /^at_/);
  assert.equal((await h.row(c.id))['state'], 'active');
});

test('a fault of a vendor with single-use tokens leaves the attempt open: a no after it is a lost rotation', async (t) => {
  const h = await open(t, { rotation: 'single_use' });
  const c = await h.connect({ expires: -10 });
  h.vendor.fault = (r) => (r.path === '/login/token' ? { drop: true } : undefined);
  const calls = h.tokenCalls();
  await assert.rejects(h.vault.unlock(h.at, { connection: c.id }), code('vault/later'));
  assert.equal(h.tokenCalls() - calls, 1, 'what may have been acted on is not sent twice');
  h.vendor.fault = undefined;
  h.vendor.endGrants('ada');
  h.advance(60);
  await assert.rejects(h.vault.unlock(h.at, { connection: c.id }), code('vault/reconnect'));
  assert.equal((await h.row(c.id))['why'], 'lost_rotation');
});

test('a connection that breaks off is tried once more at a vendor whose tokens stay', async (t) => {
  const h = await open(t, { rotation: 'same' });
  const c = await h.connect({ expires: -10 });
  let dropped = 0;
  h.vendor.fault = (r) => (r.path === '/login/token' && dropped++ === 0 ? { drop: true } : undefined);
  assert.match(await token(h.vault, h, c), /^at_/);
  assert.equal(dropped, 2);
});

test('an app that the vendor refuses hits everyone: three refusals are told once, and a new secret ends it', async (t) => {
  const h = await open(t);
  const c = await h.connect({ expires: -10 });
  h.vendor.replaceSecret('another-secret-0002');
  for (let i = 0; i < 4; i++) {
    const p = await problem(h.vault.unlock(h.at, { connection: c.id }));
    assert.equal(p.code, 'vault/app');
    assert.doesNotMatch(inspect(p, { depth: 10 }), /plain-secret/);
    h.advance(60);
  }
  assert.deepEqual(await h.events('connector_app.refused'), [{ connector: h.connector, why: 'invalid_client' }]);
  h.vendor.replaceSecret('plain-secret-0001');
  h.advance(3600);
  assert.match(await token(h.vault, h, c), /^at_/);
  assert.equal((await h.events('connector_app.accepted')).length, 1);
});

test('a token without a known end is renewed when the vendor refuses it, once, and not again when that is refused too', async (t) => {
  const h = await open(t, { expiresIn: null });
  const c = await h.connect();
  const first = await h.vault.unlock(h.at, { connection: c.id });
  h.advance(1_000_000);
  assert.equal((await h.vault.unlock(h.at, { connection: c.id })).token.reveal(), first.token.reveal());
  const calls = h.tokenCalls();
  const second = await h.vault.unlock(h.at, { connection: c.id, refused: first.token });
  assert.notEqual(second.token.reveal(), first.token.reveal());
  // Another call that still had the old one.
  const again = await h.vault.unlock(h.at, { connection: c.id, refused: first.token });
  assert.equal(again.token.reveal(), second.token.reveal());
  await assert.rejects(h.vault.unlock(h.at, { connection: c.id, refused: second.token }), code('vault/reconnect'));
  assert.equal(h.tokenCalls() - calls, 1);
  assert.equal((await h.row(c.id))['state'], 'active');
});

test('a token that nothing can renew is used until it is refused, and then the person must connect again', async (t) => {
  const h = await open(t, { expiresIn: null });
  const c = await h.connect();
  // As vendors that give no refresh token at all.
  const { sealKept } = await import('./kept.ts');
  const sealed = await sealKept(h.world.seal, h.at.org, c, { access: new Secret('at_only'), refresh: undefined });
  await h.t.super('update connection set sealed = $2 where id = $1', c.id, sealed);
  const { token: only } = await h.vault.unlock(h.at, { connection: c.id });
  assert.equal(only.reveal(), 'at_only');
  await assert.rejects(h.vault.unlock(h.at, { connection: c.id, refused: only }), code('vault/reconnect'));
  assert.equal((await h.row(c.id))['why'], 'refused');
});

test('a row that was put in the place of another, given to another owner, or rolled back does not open', async (t) => {
  const h = await open(t, { rotation: 'same' });
  const bob = {
    kind: 'person',
    member: 'mem_00000000000000000000000000000b0b',
    user: 'usr_00000000000000000000000000000b0b',
  };
  const [ada, bobs] = [await h.connect(), await h.connect({ owner: bob as never, account: 'bob' })];
  const sealedOf = async (c: Connection): Promise<unknown> => (await h.row(c.id))['sealed'];
  const [a, b] = [await sealedOf(ada), await sealedOf(bobs)];
  await h.t.super('update connection set sealed = $2 where id = $1', ada.id, b);
  await assert.rejects(h.vault.unlock(h.at, { connection: ada.id }), code('seal/does-not-open'));
  await h.t.super('update connection set sealed = $2 where id = $1', ada.id, a);
  await h.vault.unlock(h.at, { connection: ada.id });
  // The row itself given to another person.
  await h.t.super(`update connection set member = 'mem_0000000000000000000000000000eeee' where id = $1`, ada.id);
  await assert.rejects(h.vault.unlock(h.at, { connection: ada.id }), code('seal/does-not-open'));
  await h.t.super(`update connection set member = $2 where id = $1`, ada.id, h.founded.member);
  await h.vault.keepAlive(h.at, ada.id);
  await h.t.super('update connection set sealed = $2 where id = $1', ada.id, a);
  await assert.rejects(h.vault.unlock(h.at, { connection: ada.id }), code('seal/does-not-open'));
});

test('turning the keys of an organization seals consents, accounts and apps anew, and all of them open', async (t) => {
  const h = await open(t);
  const { rotateKeys } = await import('#keys/rotate-keys.ts');
  const { resealNext } = await import('#keys/reseal-next.ts');
  const { placeOf } = await import('#keys/key-place.ts');
  const person = await h.connect();
  const before = (await h.row(person.id))['sealed'] as Buffer;
  const place = placeOf(vaultCtx(h.world, h.at), 'org');
  const { id } = await rotateKeys(h.world, place, 'key', 'test');
  while ((await resealNext(h.world, place, id))?.state === 'running');
  assert.notDeepEqual((await h.row(person.id))['sealed'], before);
  assert.match(await token(h.vault, h, person), /^at_/);
  h.advance(7200);
  assert.match(await token(h.vault, h, person), /^at_/, 'the app opens, too');
  assert.equal(h.tokenCalls(), 2);
});

test('a connection of another organization is not there', async (t) => {
  const h = await open(t);
  const c = await h.connect();
  const { foundOrg } = await import('#org/found-org.ts');
  const other = await foundOrg(h.world, {
    parentName: 'B',
    orgName: 'B',
    owner: { email: 'b@b.example', displayName: 'B' },
  });
  await assert.rejects(
    h.vault.unlock({ parent: other.parent, org: other.org }, { connection: c.id }),
    code('vault/no-connection'),
  );
});

test('what is ended here is refused on every node with its next use, and the vendor is told until it confirms', async (t) => {
  const h = await open(t);
  const c = await h.connect();
  const other = await h.node();
  await token(other, h, c);
  await endConnection(vaultCtx(h.world, h.at), c.id, 'revoked');
  await assert.rejects(other.unlock(h.at, { connection: c.id }), code('vault/no-connection'));
  await assert.rejects(h.vault.keepAlive(h.at, c.id), code('vault/no-connection'));
  h.vendor.fault = (r) => (r.path === '/login/revoke' ? { status: 503 } : undefined);
  await tellVendor(h.world, h.siteOf, h.at, c.id);
  assert.deepEqual([(await h.row(c.id))['vendor_end'], h.vendor.live()], ['waiting', 1]);
  h.vendor.fault = undefined;
  h.advance(60);
  await sweepEnded(h.world, h.siteOf);
  const row = await h.row(c.id);
  assert.deepEqual([row['vendor_end'], row['sealed'], h.vendor.live()], ['confirmed', null, 0]);
  assert.deepEqual(
    (await h.events('connection.ended_at_vendor')).map((e) => e['how']),
    ['later', 'confirmed'],
  );
  await endConnection(vaultCtx(h.world, h.at), c.id, 'revoked');
  assert.equal((await h.events('connection.revoked')).length, 1, 'ending it again says nothing');
});

test('a vendor that never confirms is told of twelve times; then the secret goes and the log says that it must be ended by hand', async (t) => {
  const h = await open(t);
  const c = await h.connect();
  await endConnection(vaultCtx(h.world, h.at), c.id, 'disconnected');
  h.vendor.fault = () => ({ status: 500 });
  for (let i = 0; i < 14; i++) {
    await sweepEnded(h.world, h.siteOf);
    h.advance(3700);
  }
  const row = await h.row(c.id);
  assert.deepEqual([row['vendor_end'], row['sealed'], row['vendor_end_tries']], ['refused', null, 12]);
});

test('whoever leaves the organization or is suspended has no connection from that transaction on; log and vendor are told', async (t) => {
  const h = await open(t);
  for (const [why, sql, id] of [
    ['suspended', `update app_user set state = 'suspended' where id = $1`, h.founded.owner],
    ['member_removed', `delete from member where id = $1`, h.founded.member],
  ] as const) {
    const c = await h.connect();
    await h.t.super(sql, id);
    await assert.rejects(h.vault.unlock(h.at, { connection: c.id }), code('vault/no-connection'));
    await sweepEnded(h.world, h.siteOf);
    const row = await h.row(c.id);
    assert.deepEqual([row['ended_why'], row['vendor_end'], row['sealed']], [why, 'confirmed', null]);
  }
  assert.deepEqual(
    (await h.events('connection.revoked')).map((e) => e['why']),
    ['suspended', 'member_removed'],
  );
  assert.equal(h.vendor.live(), 0);
});

test('what a leaver has is found by its index, and not by going through everybody’s', async (t) => {
  const h = await open(t);
  await h.t.super(
    `insert into connection (org, id, connector, owner_kind, member, user_id, grant_kind, access, scopes, state, sealed, generation, made_at, made_by)
     select $1, 'cnn_' || i, $2, 'person', 'mem_' || i, 'usr_' || i, 'oauth', 'read_only', '{}', 'active', 'x', 1, now(), 'x' from generate_series(1, 3000) i`,
    h.at.org,
    h.connector,
  );
  await h.t.super('analyze connection');
  const plan = await h.t.super(
    `explain update connection set state = state where org = $1 and member = 'mem_7' and ended_at is null`,
    h.at.org,
  );
  assert.match(JSON.stringify(plan), /Index (Cond|Scan).*connection_of_member|connection_of_member.*Index Cond/);
});

test('a connection that ends while it is renewed keeps the new token for the vendor only', async (t) => {
  const h = await open(t, { rotation: 'single_use' });
  const c = await h.connect({ expires: -10 });
  let asked = false;
  h.vendor.fault = (r) => {
    if (r.path !== '/login/token') return undefined;
    asked = true;
    return { status: 0, delayMs: 400 };
  };
  const under = problem(h.vault.unlock(h.at, { connection: c.id }));
  while (!asked) await wait(5);
  await endConnection(vaultCtx(h.world, h.at), c.id, 'disconnected');
  assert.equal((await under).code, 'vault/no-connection');
  h.vendor.fault = undefined;
  await sweepEnded(h.world, h.siteOf);
  assert.deepEqual([(await h.row(c.id))['vendor_end'], h.vendor.live()], ['confirmed', 0]);
});

test('a connection that ends while it is renewed is told of when the renewal is over, so that no newer token outlives it', async (t) => {
  const h = await open(t, { rotation: 'single_use' });
  const c = await h.connect({ expires: -10 });
  let asked = false;
  h.vendor.fault = (r) => {
    if (r.path !== '/login/token') return undefined;
    asked = true;
    return { status: 0, delayMs: 1500 };
  };
  const under = problem(h.vault.unlock(h.at, { connection: c.id }));
  while (!asked) await wait(5);
  await endConnection(vaultCtx(h.world, h.at), c.id, 'disconnected');
  await tellVendor(h.world, h.siteOf, h.at, c.id);
  const row = await h.row(c.id);
  assert.deepEqual([row['vendor_end'], row['vendor_end_tries']], ['waiting', 0]);
  assert.equal((await under).code, 'vault/no-connection');
  h.advance(60);
  await sweepEnded(h.world, h.siteOf);
  assert.deepEqual([(await h.row(c.id))['vendor_end'], h.vendor.live()], ['confirmed', 0]);
});

test('a vendor that was told of tokens which were renewed meanwhile is told of the newer ones, too', async (t) => {
  const h = await open(t, { rotation: 'single_use' });
  const c = await h.connect();
  await endConnection(vaultCtx(h.world, h.at), c.id, 'disconnected');
  let told = 0;
  h.vendor.fault = (r) => {
    if (r.path !== '/login/revoke') return undefined;
    told++;
    return { status: 0, delayMs: 1000 };
  };
  const under = tellVendor(h.world, h.siteOf, h.at, c.id);
  while (told === 0) await wait(5);
  const newer = { ...c, generation: 2 };
  const sealed = await sealKept(h.world.seal, h.at.org, newer, { access: new Secret('at_new'), refresh: undefined });
  await h.t.super('update connection set sealed = $2, generation = 2 where id = $1', c.id, sealed);
  await under;
  assert.equal((await h.row(c.id))['vendor_end'], 'waiting');
  h.advance(60);
  await sweepEnded(h.world, h.siteOf);
  assert.deepEqual([(await h.row(c.id))['vendor_end'], told], ['confirmed', 2]);
});

test('a connection whose vendor cannot be told holds up no other, and its time goes on', async (t) => {
  const h = await open(t);
  const first = await h.connect();
  await endConnection(vaultCtx(h.world, h.at), first.id, 'disconnected');
  const second = await h.connect();
  await endConnection(vaultCtx(h.world, h.at), second.id, 'disconnected');
  let asked = 0;
  for (const e of [new Problem('invalid', 'vault/setting', { says: 'no address' }), new Error('broken')]) {
    asked = 0;
    await sweepEnded(h.world, (db, id) => (asked++ === 0 ? Promise.reject(e) : h.siteOf(db, id)));
    const [row] = [await h.row(first.id)];
    assert.deepEqual([row['vendor_end'], row['vendor_end_tries']], ['waiting', 1]);
    assert.equal((await h.row(second.id))['vendor_end'], 'confirmed');
    h.advance(60);
  }
});

test('a connector that is switched off gives no credential and keeps its connections', async (t) => {
  const h = await open(t);
  const c = await h.connect();
  h.site.on = false;
  assert.match((await problem(h.vault.unlock(h.at, { connection: c.id }))).says, /switched off/);
  h.site.on = true;
  assert.match(await token(h.vault, h, c), /^at_/);
});

test('a token of the organization is made once for each person and part, and again when it ends or is refused', async (t) => {
  const h = await open(t);
  h.site.actAs = 'organization_as_person';
  const c = await h.give();
  const get = (subject: string, more: object = {}): Promise<string> =>
    h.vault.unlock(h.at, { connection: c.id, subject, ...more }).then((u) => u.token.reveal());
  const many = await Promise.all(Array.from({ length: 20 }, () => get('ada')));
  assert.equal(new Set(many).size, 1);
  assert.equal(h.tokenCalls(), 1);
  assert.notEqual(await get('bob'), many[0]);
  assert.notEqual(await get('ada', { narrow: { repositories: ['a'] } }), many[0]);
  assert.equal(h.tokenCalls(), 3);
  const renewed = await get('ada', { refused: new Secret(many[0]!) });
  assert.notEqual(renewed, many[0]);
  h.advance(3600);
  assert.notEqual(await get('ada'), renewed);
  await assert.rejects(h.vault.unlock(h.at, { connection: c.id }), code('vault/no-subject'));
});

test('an account of the organization that the vendor refuses says so without what was given, and is used again when it is accepted', async (t) => {
  const h = await open(t);
  h.site.actAs = 'organization';
  const c = await h.give({ client_id: 'service', client_secret: 'wrong-secret-0009' });
  const p = await problem(h.vault.unlock(h.at, { connection: c.id }));
  assert.equal(p.code, 'vault/app');
  assert.doesNotMatch(inspect(p, { depth: 10 }), /wrong-secret/);
  const calls = h.tokenCalls();
  await assert.rejects(h.vault.unlock(h.at, { connection: c.id }), code('vault/app'));
  assert.equal(h.tokenCalls(), calls, 'a refusal is remembered for a moment');
  assert.equal((await h.row(c.id))['state'], 'reconnect');
  h.vendor.fault = (r) =>
    r.path === '/login/token' ? { status: 200, body: { access_token: 'org_x', expires_in: 3600 } } : undefined;
  h.advance(60);
  assert.equal(await token(h.vault, h, c), 'org_x');
  assert.equal((await h.row(c.id))['state'], 'active');
  assert.equal((await h.events('connection.recovered')).length, 1);
});

test('no token, refresh token or client secret is in the log, whatever goes wrong', async (t) => {
  const lines: string[] = [];
  const { makeLog } = await import('#kernel/log.ts');
  const log = makeLog('debug', new Writable({ write: (chunk, _e, done) => (lines.push(String(chunk)), done()) }));
  const h = await open(t);
  const { makeVault } = await import('./vault.ts');
  const vault = makeVault({ ...h.world, log }, { siteOf: h.siteOf });
  const c = await h.connect({ expires: -10 });
  const faults = [
    { status: 400, body: { error: 'odd', error_description: 'x' } },
    { status: 500, body: 'no json' },
    { drop: true as const },
    { status: 200, body: { access_token: 'bad token with spaces' } },
  ];
  for (const fault of faults) {
    h.vendor.fault = (r) =>
      'body' in fault && r.path === '/login/token'
        ? { ...fault, body: { ...Object(fault.body), echo: r.body.toString() } }
        : fault;
    const p = await problem(vault.unlock(h.at, { connection: c.id }));
    assert.doesNotMatch(inspect(p, { depth: 12 }), /rt_|plain-secret/);
    h.advance(4000);
  }
  assert.doesNotMatch(lines.join(''), /rt_|at_|plain-secret/);
});
