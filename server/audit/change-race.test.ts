import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDb } from '#dev/test-db.ts';
import { systemCtx } from '#kernel/ctx.ts';
import { write } from '#kernel/db.ts';
import { newId } from '#kernel/id.ts';
import { change } from './change.ts';

test('of two changes that lock each other out both happen, because the loser is run again', async () => {
  await using t = await testDb();
  const parent = newId('par');
  const ctx = systemCtx(await t.world(), 'test', { parent });
  const [a, b] = [newId('org'), newId('org')];
  await t.super(`insert into parent values ($1, 'Acme', now())`, parent);
  for (const id of [a, b])
    await t.super(
      `insert into org (parent, id, name, surface, region, created_at) values ($1, $2, 'x', 'workspace', '', now())`,
      parent,
      id,
    );
  let met: () => void = () => undefined;
  const both = new Promise<void>((resolve) => (met = resolve));
  let runs = 0;
  const cross = (mark: string, first: string, second: string): Promise<string> =>
    change(ctx, async (tx) => {
      await tx.run(write`update org set region = region || ${mark} where id = ${first}`);
      if (++runs === 2) met();
      await both;
      await tx.run(write`update org set region = region || ${mark} where id = ${second}`);
      return { value: mark, unchanged: true };
    });
  assert.deepEqual(await Promise.all([cross('1', a, b), cross('2', b, a)]), ['1', '2']);
  // On a busy machine the loser may lose once more.
  assert.ok(runs >= 3, `${runs} runs`);
  const rows = await t.super<{ region: string }>('select region from org order by id');
  for (const { region } of rows) assert.ok(['12', '21'].includes(region));
});
