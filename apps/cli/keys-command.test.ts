import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { vaultStandIn, type VaultStandIn } from '@gatehouse/server/dev/kms/vault-transit.ts';
import { testDb, type TestDb } from '@gatehouse/server/dev/test-db.ts';
import { writeFile } from 'node:fs/promises';

let folder: string;
let t: TestDb;
let vault: VaultStandIn;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keys-cli-'));
  t = await testDb();
  vault = await vaultStandIn();
  vault.rotate('gatehouse');
  await writeFile(join(folder, 'token'), vault.token(), { mode: 0o600 });
});
after(async () => {
  await vault.close();
  await t.close();
  await rm(folder, { recursive: true });
});

const file = { GATEHOUSE_KEY_FILE: undefined as string | undefined };
function gatehouse(
  args: string[],
  env: Record<string, string | undefined> = {},
): Promise<{ status: number; out: string }> {
  const all = { PATH: process.env['PATH'], DATABASE_URL: t.url, GATEHOUSE_DATA: join(folder, 'data'), ...file, ...env };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [new URL('gatehouse.ts', import.meta.url).pathname, ...args],
      { env: all },
      (e, stdout, stderr) => resolve({ status: typeof e?.code === 'number' ? e.code : 0, out: stdout + stderr }),
    );
  });
}
const both = (): Record<string, string> => ({
  GATEHOUSE_VAULT_ADDR: vault.url,
  GATEHOUSE_VAULT_KEY: 'gatehouse',
  GATEHOUSE_VAULT_TOKEN_FILE: join(folder, 'token'),
});

test('whoever runs the deployment sees its keys, turns them, and moves them to Vault, all from the command line', async () => {
  const made = await gatehouse([
    'bootstrap',
    '--org',
    'Acme',
    '--owner',
    'ada@acme.example',
    '--name',
    'Ada',
    '--json',
  ]);
  const { org } = JSON.parse(made.out) as { org: string };
  assert.equal((await gatehouse(['keys', 'rotate'])).status, 2);
  assert.equal((await gatehouse(['keys', 'move'])).status, 2);
  assert.match((await gatehouse(['keys', 'rotate', '--scope', org])).out, /there are no keys of org_/);
  assert.match((await gatehouse(['keys', 'status'])).out, /^deployment\n  no key yet: nothing is sealed with one$/m);
  const turned = await gatehouse(['keys', 'rotate', '--scope', 'deployment']);
  assert.equal(turned.status, 0, turned.out);
  assert.match(turned.out, /deployment: done with generation 1/);
  assert.match(
    (await gatehouse(['keys', 'move', '--to', 'vault-transit'])).out,
    /the settings name no key service vault-transit/,
  );
  const moved = await gatehouse(['keys', 'move', '--to', 'vault-transit'], {
    ...both(),
    GATEHOUSE_KMS_ALSO: 'vault-transit',
  });
  assert.equal(moved.status, 0, moved.out);
  const status = await gatehouse(['keys', 'status'], { ...both(), GATEHOUSE_KMS: 'vault-transit' });
  assert.match(status.out, /generation 0: .*wrapped by vault-transit:transit\/gatehouse/);
  assert.doesNotMatch(status.out, /local:/);
  const again = await gatehouse(['keys', 'rotate', '--master'], { ...both(), GATEHOUSE_KMS: 'vault-transit' });
  assert.match(again.out, /2 were not before|2 keys/, again.out);
  const early = await gatehouse(['keys', 'retire', '--scope', 'deployment', '--generation', '1'], {
    ...both(),
    GATEHOUSE_KMS: 'vault-transit',
  });
  assert.match(early.out, /is the newest/);
  assert.equal((await gatehouse(['keys', 'status'])).status, 1);
});
