import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { awsStandIn } from '#dev/kms/aws-kms.ts';
import { vaultStandIn, type VaultStandIn } from '#dev/kms/vault-transit.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { newId } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { Problem } from '#kernel/problem.ts';
import type { Aad } from '#kernel/seal.ts';
import { moveKeys } from '#keys/move-keys.ts';
import { readConfig } from './config.ts';
import { openWorld } from './open-world.ts';

let folder: string;
let t: TestDb;
let vault: VaultStandIn;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-keys-'));
});
after(() => rm(folder, { recursive: true }));
beforeEach(async (c) => {
  const [db, v] = [await testDb(), await vaultStandIn()];
  [t, vault] = [db, v];
  vault.rotate('gatehouse');
  if ('after' in c) c.after(() => Promise.all([db.close(), v.close()]));
});

const code = (c: string) => (e: unknown) => e instanceof Problem && e.code === c;
const aadOf = (scope: string): Aad => ({ table: 'connection', scope, row: 'cxn_1', generation: 1 });
const secret = Buffer.from('refresh-token-of-luca');
const providers = async (): Promise<string[]> =>
  (await t.super<{ p: string }>('select distinct provider as p from seal_key order by 1')).map((r) => r.p);

test('a server starts over AWS KMS as its variables say, seals, and moves there from its file', async () => {
  const aws = await awsStandIn();
  try {
    const data = join(folder, 'data');
    const key = aws.key();
    const env = {
      DATABASE_URL: t.url,
      GATEHOUSE_DATA: data,
      GATEHOUSE_AWS_KMS_KEY: key,
      GATEHOUSE_AWS_KMS_ENDPOINT: aws.url,
      AWS_ACCESS_KEY_ID: aws.accessKeyId,
      AWS_SECRET_ACCESS_KEY: aws.secretAccessKey,
    };
    const start = (more: Record<string, string>) =>
      openWorld(readConfig({ ...env, ...more }, folder), silentLog, 'http://localhost:0');
    const first = await start({ GATEHOUSE_KMS_ALSO: 'aws-kms' });
    const aad = aadOf(newId('org'));
    const sealed = await first.world.seal.seal(aad, secret);
    const derived = first.world.seal.derive('x');
    await first.close();
    const second = await start({ GATEHOUSE_KMS: 'aws-kms', GATEHOUSE_KMS_ALSO: 'local' });
    assert.deepEqual(await second.world.seal.open(aad, sealed), secret);
    await t.super(`delete from seal_key`);
    const [aadNew] = [aadOf(newId('par'))];
    const kept = await second.world.seal.seal(aadNew, secret);
    await moveKeys(second.world, second.world.seal.keys.provider, { again: false });
    await second.close();
    await rm(data, { recursive: true });
    const third = await start({ GATEHOUSE_KMS: 'aws-kms' });
    assert.deepEqual(await third.world.seal.open(aadNew, kept), secret);
    assert.deepEqual(third.world.seal.derive('x'), derived);
    await third.close();
    assert.deepEqual(await providers(), [`aws-kms:${key}`]);
  } finally {
    await aws.close();
  }
});

test('a server starts over Vault with an AppRole, whose secret is read from its file at each login', async () => {
  const file = join(folder, 'secret-id');
  await writeFile(file, `${vault.approle.secretId}\n`);
  await chmod(file, 0o600);
  const env = {
    DATABASE_URL: t.url,
    GATEHOUSE_DATA: join(folder, 'vault-data'),
    GATEHOUSE_KMS: 'vault-transit',
    GATEHOUSE_VAULT_ADDR: vault.url,
    GATEHOUSE_VAULT_KEY: 'gatehouse',
    GATEHOUSE_VAULT_AUTH: 'approle',
    GATEHOUSE_VAULT_ROLE_ID: vault.approle.roleId,
    GATEHOUSE_VAULT_SECRET_ID_FILE: file,
  };
  const opened = await openWorld(readConfig(env, folder), silentLog, 'http://localhost:0');
  const aad = aadOf(newId('org'));
  assert.deepEqual(await opened.world.seal.open(aad, await opened.world.seal.seal(aad, secret)), secret);
  await opened.close();
  await writeFile(file, 'not-the-secret-id');
  await assert.rejects(
    openWorld(readConfig(env, folder), silentLog, 'http://localhost:0'),
    (e) => code('seal/kms-gone')(e) && e instanceof Problem && !e.says.includes('not-the-secret-id'),
  );
});
