import assert from 'node:assert/strict';
import { test } from 'node:test';
import { change } from '#audit/change.ts';
import { auditEvents, event } from '#audit/events.ts';
import { testDb } from '#dev/test-db.ts';
import { testWorld } from '#dev/test-world.ts';
import { systemCtx, type World } from './ctx.ts';
import { newId, type Id } from './id.ts';
import { silentLog } from './log.ts';
import { startVersions } from './versions.ts';

const touch = (world: World, parent: Id<'par'>): Promise<void> =>
  change(systemCtx(world, 'test', { parent }), async () => ({
    value: undefined,
    events: [event(auditEvents, 'audit.exported', { log: parent, size: 0, format: 'csv' })],
  }));
const until = async (what: () => boolean, ms = 2000): Promise<number> => {
  const began = performance.now();
  while (!what()) {
    if (performance.now() - began > ms) throw new Error('it did not happen');
    await new Promise((r) => setTimeout(r, 5));
  }
  return performance.now() - began;
};

test('a change is known within a moment, only in its own scope, and again when the listening connection was lost', async () => {
  await using t = await testDb();
  const world = await testWorld(t);
  const versions = await startVersions({ pool: t.db.pool, log: silentLog });
  try {
    const [a, b] = [newId('par'), newId('par')];
    const heard: (string | undefined)[] = [];
    versions.onChange((s) => heard.push(s));
    versions.stamp(a);
    versions.stamp(b);
    await new Promise((r) => setTimeout(r, 500));
    const [before, other] = [versions.stamp(a), versions.stamp(b)];
    await touch(world, a);
    await until(() => versions.stamp(a) !== before);
    assert.equal(versions.stamp(b), other);
    assert.ok(heard.includes(a) && !heard.includes(b));

    const stamp = versions.stamp(b);
    await t.super(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gatehouse versions' and datname = current_database()`,
    );
    await touch(world, b);
    await until(() => versions.stamp(b) !== stamp && versions.stamp(b) !== undefined);
    // What may have been missed is told as everything, once the new connection listens.
    await until(() => heard.includes(undefined));
  } finally {
    await versions.close();
    await world.egress.close();
  }
});

test('a change whose notification never comes is seen by asking', async () => {
  await using t = await testDb();
  const versions = await startVersions({ pool: t.db.pool, log: silentLog });
  try {
    const a = newId('par');
    versions.stamp(a);
    await new Promise((r) => setTimeout(r, 500));
    const before = versions.stamp(a);
    await t.super(`insert into scope_version (scope, version) values ($1, 7)`, a);
    assert.ok((await until(() => versions.stamp(a) !== before)) < 1000);
  } finally {
    await versions.close();
  }
});

test('while the database cannot be asked there is no stamp, so nothing is remembered', async () => {
  await using t = await testDb();
  const versions = await startVersions({ pool: t.db.pool, log: silentLog });
  try {
    const a = newId('par');
    assert.equal(typeof versions.stamp(a), 'number');
    await t.super(`revoke select on scope_version from gatehouse_app`);
    await until(() => versions.stamp(a) === undefined, 3000);
    await t.super(`grant select on scope_version to gatehouse_app`);
    await until(() => versions.stamp(a) !== undefined, 3000);
  } finally {
    await versions.close();
  }
});
