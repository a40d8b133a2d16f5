import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { awsStandIn, type AwsStandIn } from '#dev/kms/aws-kms.ts';
import { vaultStandIn, type VaultStandIn } from '#dev/kms/vault-transit.ts';
import { makeEgress, type Egress } from '../egress.ts';
import { silentLog } from '../log.ts';
import { Secret } from '../secret.ts';
import { awsCredentials, isAgentUrl, type AwsIdentity } from './aws-credentials.ts';
import { awsKeyName, awsKms, parseKeyArn } from './aws-kms.ts';
import { KmsRefusal, type KeyProvider } from './kms.ts';
import { vaultKeyName, vaultTransit, type VaultLogin, type VaultTransit } from './vault-transit.ts';

let egress: Egress;
let vault: VaultStandIn;
let aws: AwsStandIn;
before(async () => {
  egress = makeEgress({ log: silentLog });
});
after(() => egress.close());
beforeEach(async (t) => {
  vault = await vaultStandIn();
  vault.rotate('gatehouse');
  aws = await awsStandIn();
  if ('after' in t) t.after(() => Promise.all([vault.close(), aws.close()]));
});

const place = { scope: 'org_1', generation: 1 };
const elsewhere = { scope: 'org_2', generation: 1 };
const bytes = randomBytes(60);
const why = (w: 'gone' | 'unreachable') => (e: unknown) => e instanceof KmsRefusal && e.why === w;
const notOurs = (e: unknown) => e instanceof Error && !(e instanceof KmsRefusal);

const byToken = (value: string): VaultLogin => ({ by: 'token', token: async () => new Secret(`${value}\n`) });
const transit = (over: Partial<VaultTransit> = {}): KeyProvider => {
  const v: VaultTransit = {
    address: vault.url,
    private: true,
    mount: 'transit',
    key: 'gatehouse',
    derived: false,
    login: byToken(vault.token()),
    ...over,
  };
  return vaultTransit(v, egress, vaultKeyName(v));
};
const kms = (key: string, identity?: AwsIdentity): KeyProvider =>
  awsKms(
    {
      key,
      endpoint: aws.url,
      private: true,
      credentials: awsCredentials(
        identity ?? {
          by: 'keys',
          keys: { accessKeyId: aws.accessKeyId, secretAccessKey: new Secret(aws.secretAccessKey) },
        },
        egress,
      ),
    },
    egress,
    awsKeyName(key),
  );

test('Vault gives back what it was given, also after its key turned, and rewraps to the newest version', async () => {
  const p = transit();
  const wrapped = await p.wrap(bytes, place);
  vault.rotate('gatehouse');
  assert.deepEqual(await p.unwrap(wrapped, place), bytes);
  const rewrapped = await p.rewrap(wrapped, place);
  assert.match(rewrapped.toString(), /^vault:v2:/);
  vault.configure('gatehouse', { minDecryptionVersion: 2 });
  assert.deepEqual(await p.unwrap(rewrapped, place), bytes);
  await assert.rejects(p.unwrap(wrapped, place), why('gone'));
});

test('a derived Transit key opens in its own place only', async () => {
  vault.rotate('derived', { derived: true });
  const p = transit({ key: 'derived', derived: true, login: byToken(vault.token({ key: 'derived' })) });
  const wrapped = await p.wrap(bytes, place);
  assert.deepEqual(await p.unwrap(await p.rewrap(wrapped, place), place), bytes);
  await assert.rejects(p.unwrap(wrapped, elsewhere), notOurs);
  await assert.rejects(
    transit({ key: 'derived', login: byToken(vault.token({ key: 'derived' })) }).wrap(bytes, place),
    /context/,
  );
});

test('Vault in a namespace takes only tokens of it', async () => {
  const login = byToken(vault.token({ namespace: 'it/agents' }));
  const p = transit({ namespace: 'it/agents', login });
  assert.deepEqual(await p.unwrap(await p.wrap(bytes, place), place), bytes);
  await assert.rejects(transit({ login }).wrap(bytes, place), why('gone'));
  assert.equal(p.name, 'vault-transit:it/agents/transit/gatehouse');
});

for (const [by, login] of [
  [
    'approle',
    (): VaultLogin => ({
      by: 'approle',
      mount: 'approle',
      roleId: vault.approle.roleId,
      secretId: async () => new Secret(vault.approle.secretId),
    }),
  ],
  [
    'kubernetes',
    (): VaultLogin => ({
      by: 'kubernetes',
      mount: 'kubernetes',
      role: vault.kubernetes.role,
      jwt: async () => new Secret(vault.kubernetes.jwt),
    }),
  ],
] as const)
  test(`a login by ${by} is made once for many keys, and again when its token was revoked`, async () => {
    const p = transit({ login: login() });
    await Promise.all(Array.from({ length: 8 }, () => p.wrap(bytes, place)));
    const logins = (): number => vault.requests.filter((r) => r === `POST auth/${by}/login`).length;
    assert.equal(logins(), 1);
    const wrapped = await p.wrap(bytes, place);
    // Vault forgets the token: as a lease that ended.
    const now = performance.now();
    const late = vaultTransit(
      { address: vault.url, private: true, mount: 'transit', key: 'gatehouse', derived: false, login: login() },
      egress,
      'x',
      () => now + (vault.requests.length > 12 ? 1e7 : 0),
    );
    assert.deepEqual(await late.unwrap(wrapped, place), bytes);
    assert.equal(logins(), 2);
  });

test('a secret id that Vault does not know is a key that is gone, and is in no sentence', async () => {
  const secret = 'a-secret-id-nobody-may-read';
  const p = transit({
    login: { by: 'approle', mount: 'approle', roleId: 'r', secretId: async () => new Secret(secret) },
  });
  await assert.rejects(
    p.wrap(bytes, place),
    (e) =>
      why('gone')(e) && e instanceof KmsRefusal && !e.says.includes(secret) && /invalid role or secret/.test(e.says),
  );
});

test('a revoked token, a missing key and a missing engine are gone; a sealed Vault and one that is away are not', async () => {
  const token = vault.token();
  const p = transit({ login: byToken(token) });
  const wrapped = await p.wrap(bytes, place);
  vault.state = 'sealed';
  await assert.rejects(p.unwrap(wrapped, place), why('unreachable'));
  vault.state = 'up';
  assert.deepEqual(await p.unwrap(wrapped, place), bytes);
  vault.remove('gatehouse');
  await assert.rejects(p.unwrap(wrapped, place), why('gone'));
  await assert.rejects(transit({ mount: 'other', login: byToken(token) }).unwrap(wrapped, place), why('gone'));
  vault.revoke(token);
  await assert.rejects(p.unwrap(wrapped, place), why('gone'));
  await vault.close();
  await assert.rejects(p.unwrap(wrapped, place), why('unreachable'));
});

test('what another Vault wrapped, or nobody, is refused as altered and not as a key that is gone', async () => {
  const p = transit();
  const wrapped = await p.wrap(bytes, place);
  const turned = wrapped.toString().replace(/.(?=.$)/, (c) => (c === 'A' ? 'B' : 'A'));
  await assert.rejects(p.unwrap(Buffer.from(`vault:v1:${randomBytes(60).toString('base64')}`), place), notOurs);
  await assert.rejects(p.unwrap(Buffer.from('vault:v9:AAAA'), place), notOurs);
  await assert.rejects(p.unwrap(Buffer.from(turned), place), notOurs);
});

test('AWS KMS gives back what it was given, in its own place only', async () => {
  const p = kms(aws.key());
  const wrapped = await p.wrap(bytes, place);
  assert.deepEqual(await p.unwrap(wrapped, place), bytes);
  assert.deepEqual(await p.unwrap(await p.rewrap(wrapped, place), place), bytes);
  await assert.rejects(p.unwrap(wrapped, elsewhere), notOurs);
  await assert.rejects(p.unwrap(wrapped, { ...place, generation: 2 }), notOurs);
  assert.deepEqual(aws.actions, ['Encrypt', 'Decrypt', 'ReEncrypt', 'Decrypt', 'Decrypt', 'Decrypt']);
});

test('a key that is disabled, waits for its deletion, is closed to us or another one is told apart', async () => {
  const key = aws.key();
  const p = kms(key);
  const wrapped = await p.wrap(bytes, place);
  for (const state of ['Disabled', 'PendingDeletion'] as const) {
    aws.setState(key, state);
    await assert.rejects(p.unwrap(wrapped, place), why('gone'));
  }
  aws.setState(key, 'Enabled');
  aws.deny(key, true);
  await assert.rejects(p.unwrap(wrapped, place), why('gone'));
  aws.deny(key, false);
  await assert.rejects(kms(aws.key()).unwrap(wrapped, place), notOurs);
  await assert.rejects(kms(key.replace(/.$/, (d) => (d === '0' ? '1' : '0'))).wrap(bytes, place), why('gone'));
  assert.deepEqual(await p.unwrap(wrapped, place), bytes);
});

test('a throttled KMS is asked again, and one that stays broken is away', async () => {
  const p = kms(aws.key());
  aws.throttle = 2;
  const wrapped = await p.wrap(bytes, place);
  aws.state = 'broken';
  await assert.rejects(p.unwrap(wrapped, place), why('unreachable'));
  aws.state = 'up';
  assert.deepEqual(await p.unwrap(wrapped, place), bytes);
});

test('a wrong secret key is refused by its signature, and no sentence has it', async () => {
  const wrong = 'not-the-secret-key';
  const p = kms(aws.key(), { by: 'keys', keys: { accessKeyId: aws.accessKeyId, secretAccessKey: new Secret(wrong) } });
  await assert.rejects(
    p.wrap(bytes, place),
    (e) => e instanceof KmsRefusal && /InvalidSignature/.test(e.says) && !e.says.includes(wrong),
  );
});

for (const [what, identity] of [
  [
    'a web identity',
    (): AwsIdentity => ({
      by: 'web_identity',
      role: aws.webIdentity.role,
      session: 'gatehouse',
      region: 'eu-central-1',
      endpoint: aws.url,
      token: async () => new Secret(`${aws.webIdentity.token}\n`),
    }),
  ],
  [
    "a container's agent",
    (): AwsIdentity => ({
      by: 'container',
      url: `${aws.url}/v1/credentials`,
      authorization: async () => new Secret(aws.agentToken),
    }),
  ],
] as const)
  test(`credentials of ${what} are fetched once, and again when AWS says that they have ended`, async () => {
    const p = kms(aws.key(), identity());
    const wrapped = await p.wrap(bytes, place);
    aws.expireSessions();
    assert.deepEqual(await p.unwrap(wrapped, place), bytes);
  });

test('a role that does not take the web identity is gone, and an agent that refuses us is away', async () => {
  const other: AwsIdentity = {
    by: 'web_identity',
    role: 'arn:aws:iam::1:role/x',
    session: 'g1',
    region: 'eu-central-1',
    endpoint: aws.url,
    token: async () => new Secret(aws.webIdentity.token),
  };
  await assert.rejects(kms(aws.key(), other).wrap(bytes, place), why('gone'));
  const agent: AwsIdentity = { by: 'container', url: `${aws.url}/v1/credentials` };
  await assert.rejects(kms(aws.key(), agent).wrap(bytes, place), why('unreachable'));
});

test('credentials come from the agents of AWS and from this machine, and from no other address', () => {
  for (const yes of [
    'http://169.254.170.2/v2/x',
    'http://169.254.170.23/v1/credentials',
    'http://[fd00:ec2::23]/v1/credentials',
    'http://127.0.0.1:51679/x',
  ])
    assert.equal(isAgentUrl(yes), true, yes);
  for (const no of [
    'http://169.254.169.254/latest',
    'http://169.254.170.2.nip.example/',
    'https://169.254.170.2/',
    'http://localhost/',
    'file:///etc',
  ])
    assert.equal(isAgentUrl(no), false, no);
});

test('an alias is no key, and a multi-region key has one name in all of its regions', () => {
  assert.equal(parseKeyArn('arn:aws:kms:eu-central-1:111122223333:alias/gatehouse'), undefined);
  const a = aws.key({ multiRegion: true });
  assert.equal(awsKeyName(a), awsKeyName(a.replace('eu-central-1', 'eu-west-1')));
  const b = aws.key();
  assert.equal(awsKeyName(b), `aws-kms:${b}`);
});
