import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '#kernel/problem.ts';
import { readConfig } from '../config.ts';

const refused = (env: Record<string, string>): string => {
  try {
    readConfig(env, '/srv');
  } catch (e) {
    assert.ok(e instanceof Problem && e.code === 'config/invalid');
    return `${e.says}; ${e.fix}`;
  }
  return 'accepted';
};

const vault = {
  GATEHOUSE_KMS: 'vault-transit',
  GATEHOUSE_VAULT_ADDR: 'https://vault.example:8200',
  GATEHOUSE_VAULT_KEY: 'gatehouse',
};
const aws = {
  GATEHOUSE_KMS: 'aws-kms',
  GATEHOUSE_AWS_KMS_KEY: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
};

/** Each half-set or wrong setting and the sentence that an operator reads. */
const sentences: [Record<string, string>, string][] = [
  [
    { GATEHOUSE_TLS_CERT: '/c.pem' },
    'GATEHOUSE_TLS_KEY is not set; set it too: GATEHOUSE_TLS_CERT is set and is half of a pair; or set neither',
  ],
  [
    { GATEHOUSE_TLS_KEY: '/k.pem' },
    'GATEHOUSE_TLS_CERT is not set; set it too: GATEHOUSE_TLS_KEY is set and is half of a pair; or set neither',
  ],
  [
    { DATABASE_OWNER_URL: 'postgresql://o@h/d' },
    'DATABASE_URL is not set; set it too: DATABASE_OWNER_URL is set and is half of a pair; or set neither',
  ],
  [
    { DATABASE_URL: 'mysql://h/d' },
    'DATABASE_URL is not a PostgreSQL URL; set it to postgresql://login:password@host:5432/database',
  ],
  [
    { GATEHOUSE_NODE_ADDRESS: 'http://10.0.3.7' },
    'GATEHOUSE_NODE_ADDRESS is "http://10.0.3.7"; set it to host and port, e.g. 10.0.3.7:7400',
  ],
  [{ GATEHOUSE_PORT: '99999' }, 'GATEHOUSE_PORT is "99999"; set it to a port number from 0 to 65535'],
  [
    { GATEHOUSE_ORIGIN: 'https://gate.example.com/' },
    'GATEHOUSE_ORIGIN is "https://gate.example.com/"; set it to scheme and host only, in lower case, without a trailing slash: https://gate.example.com',
  ],
  [
    { GATEHOUSE_ORIGIN: 'gate.example.com' },
    'GATEHOUSE_ORIGIN is "gate.example.com"; set it to scheme and host only, in lower case, without a trailing slash, e.g. https://gate.example.com',
  ],
  [
    { GATEHOUSE_ORIGIN: 'http://gate.example.com' },
    'GATEHOUSE_ORIGIN is "http://gate.example.com", which is not encrypted; set an https origin: tokens and cookies travel over it. Plain http works on this machine only',
  ],
  [
    { GATEHOUSE_HOST: '0.0.0.0' },
    'GATEHOUSE_ORIGIN is not set, but GATEHOUSE_HOST is 0.0.0.0; set it to the https origin that people and agents will use',
  ],
  [
    { GATEHOUSE_ROLES: 'web,gate' },
    'GATEHOUSE_ROLES is "web,gate"; set it to some of web, gateway, worker, separated by commas',
  ],
  [{ GATEHOUSE_LOG_LEVEL: 'loud' }, 'GATEHOUSE_LOG_LEVEL is "loud"; set it to trace, debug, info, warn, error, silent'],
  [
    { GATEHOUSE_CALL_FACTS_DAYS: '0' },
    'GATEHOUSE_CALL_FACTS_DAYS is "0"; set it to a number of days from 1 to 9999, or leave it out for 90',
  ],
  [{ GATEHOUSE_DYNAMIC_REGISTRATION: 'yes' }, 'GATEHOUSE_DYNAMIC_REGISTRATION is "yes"; set it to on, off'],
  [
    { GATEHOUSE_METRICS_TOKEN: 'short' },
    'GATEHOUSE_METRICS_TOKEN is shorter than 16 characters; set a longer random one',
  ],
  [
    { GATEHOUSE_DNS_RESOLVERS: '127.0.0.1, resolver.example' },
    'GATEHOUSE_DNS_RESOLVERS names "resolver.example"; set it to addresses that can be reached, like 10.0.0.53 or [fd00::53]:5353, separated by commas',
  ],
  [{ GATEHOUSE_DNS_PRIVATE: 'yes' }, 'GATEHOUSE_DNS_PRIVATE is "yes"; set it to on, off'],
  [
    { GATEHOUSE_TRUSTED_PROXIES: '10.0.0.7, 10.1.2.3/8' },
    'GATEHOUSE_TRUSTED_PROXIES names "10.1.2.3/8"; set it to addresses or ranges like 10.0.0.7, 10.1.0.0/16 or fd00::/8, separated by commas',
  ],
  [
    { GATEHOUSE_SMTP_URL: 'smtp://mail.example.com' },
    'GATEHOUSE_MAIL_FROM is not set; set it too: GATEHOUSE_SMTP_URL is set and is half of a pair; or set neither',
  ],
  [
    { GATEHOUSE_MAIL_FROM: 'gate@example.com' },
    'GATEHOUSE_SMTP_URL is not set; set it too: GATEHOUSE_MAIL_FROM is set and is half of a pair; or set neither',
  ],
  [
    { GATEHOUSE_SMTP_URL: 'mail.example.com:25', GATEHOUSE_MAIL_FROM: 'gate@example.com' },
    'GATEHOUSE_SMTP_URL is not the URL of a mail server; set it to smtps://user:password@host:465 or smtp://user:password@host:587',
  ],
  [
    { GATEHOUSE_SMTP_URL: 'smtp://gate@mail.example.com', GATEHOUSE_MAIL_FROM: 'gate@example.com' },
    'GATEHOUSE_SMTP_URL has a user without a password or the other way round; set it to smtps://user:password@host:465 or smtp://user:password@host:587',
  ],
  [
    { GATEHOUSE_SMTP_URL: 'smtp://mail.example.com', GATEHOUSE_MAIL_FROM: 'gate' },
    'GATEHOUSE_MAIL_FROM is "gate"; set it to an address: gate@example.com, or Gatehouse <gate@example.com>',
  ],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' }, 'OTEL_EXPORTER_OTLP_ENDPOINT is "collector"; set it to a URL'],
  [{ GATEHOUSE_KMS: 'gcp' }, 'GATEHOUSE_KMS is "gcp"; set it to local, vault-transit, aws-kms'],
  [
    { GATEHOUSE_KMS_ALSO: 'local' },
    'GATEHOUSE_KMS_ALSO names local again; name each key service once; two key files are GATEHOUSE_KEY_FILE and GATEHOUSE_OLD_KEY_FILE',
  ],
  [
    { GATEHOUSE_KEY_CACHE_SECONDS: '5' },
    'GATEHOUSE_KEY_CACHE_SECONDS is "5"; set it to a number of seconds from 10 to 3600',
  ],
  [
    { GATEHOUSE_VAULT_KEY: 'gatehouse' },
    'GATEHOUSE_VAULT_KEY is set; set GATEHOUSE_KMS (or GATEHOUSE_KMS_ALSO) to vault-transit, or leave it out',
  ],
  [
    { GATEHOUSE_KMS: 'vault-transit', GATEHOUSE_VAULT_KEY: 'gatehouse' },
    'GATEHOUSE_VAULT_ADDR is not set; set it too: vault-transit needs it',
  ],
  [
    { ...vault, GATEHOUSE_VAULT_ADDR: 'https://vault.example/v1' },
    'GATEHOUSE_VAULT_ADDR is not an origin; set it to scheme, host and port only, e.g. https://vault.example.com:8200',
  ],
  [vault, 'GATEHOUSE_VAULT_TOKEN_FILE is not set; set it too: GATEHOUSE_VAULT_AUTH is token'],
  [
    { ...vault, GATEHOUSE_VAULT_AUTH: 'approle', GATEHOUSE_VAULT_ROLE_ID: 'r' },
    'GATEHOUSE_VAULT_SECRET_ID_FILE is not set; set it too: GATEHOUSE_VAULT_AUTH is approle',
  ],
  [
    { ...vault, GATEHOUSE_VAULT_AUTH: 'kubernetes' },
    'GATEHOUSE_VAULT_ROLE is not set; set it too: GATEHOUSE_VAULT_AUTH is kubernetes',
  ],
  [{ ...vault, GATEHOUSE_VAULT_AUTH: 'ldap' }, 'GATEHOUSE_VAULT_AUTH is "ldap"; set it to token, approle, kubernetes'],
  [
    { ...vault, GATEHOUSE_VAULT_MOUNT: '../sys' },
    'GATEHOUSE_VAULT_MOUNT is "../sys"; set it to a path of letters, digits, dots, dashes and underscores, without slashes around it',
  ],
  [{ GATEHOUSE_KMS: 'aws-kms' }, 'GATEHOUSE_AWS_KMS_KEY is not set; set it too: aws-kms needs it'],
  [
    { GATEHOUSE_KMS: 'aws-kms', GATEHOUSE_AWS_KMS_KEY: 'alias/gatehouse' },
    'GATEHOUSE_AWS_KMS_KEY is "alias/gatehouse"; set it to the ARN of a key: arn:aws:kms:<region>:<account>:key/<id>. An alias can be pointed elsewhere and is not taken',
  ],
  [
    { ...aws, AWS_ACCESS_KEY_ID: 'AK' },
    'AWS_SECRET_ACCESS_KEY is not set; set it too: the other half of the pair is set; or set neither',
  ],
  [
    { ...aws, AWS_WEB_IDENTITY_TOKEN_FILE: '/t' },
    'AWS_ROLE_ARN is not set; set it too: AWS_WEB_IDENTITY_TOKEN_FILE is set',
  ],
  [
    { ...aws, AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.169.254/latest' },
    'AWS_CONTAINER_CREDENTIALS_FULL_URI does not lead to an agent of AWS; it must be plain http to 169.254.170.2, 169.254.170.23, [fd00:ec2::23] or this machine',
  ],
  [
    aws,
    'AWS_ACCESS_KEY_ID is not set; give the process an identity: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, or the container’s (AWS_CONTAINER_CREDENTIALS_FULL_URI)',
  ],
  [
    { ...aws, GATEHOUSE_AWS_KMS_FIPS: 'on', GATEHOUSE_AWS_KMS_ENDPOINT: 'https://kms.example' },
    'GATEHOUSE_AWS_KMS_FIPS is on beside GATEHOUSE_AWS_KMS_ENDPOINT; set one of them',
  ],
  [
    { GATEHOUSE_ORIGN: 'https://a.example' },
    'GATEHOUSE_ORIGN is not a setting; did you mean GATEHOUSE_ORIGIN? All are in docs/generated/config.md',
  ],
];

for (const [env, sentence] of sentences)
  test(`the server does not start with ${JSON.stringify(env)} and says which setting it is`, () =>
    assert.equal(refused(env), sentence));

test('nothing set is a whole configuration: embedded database, this machine only', () => {
  const c = readConfig({}, '/srv');
  assert.deepEqual(c.database, { kind: 'embedded' });
  assert.equal(c.listen.host, '127.0.0.1');
  assert.equal(c.dynamicRegistration, false);
  assert.equal(c.data, '/srv/.gatehouse/data');
});

test('a key service is whole: where it is, what proves us to it, and what the deployment moves away from', () => {
  const c = readConfig(
    {
      ...aws,
      ...vault,
      GATEHOUSE_KMS_ALSO: 'aws-kms, local',
      GATEHOUSE_VAULT_TOKEN_FILE: '/t',
      AWS_ACCESS_KEY_ID: 'AK',
      AWS_SECRET_ACCESS_KEY: 's',
    },
    '/srv',
  );
  assert.deepEqual(c.kms.group, {
    kind: 'vault-transit',
    address: 'https://vault.example:8200',
    caFile: undefined,
    namespace: undefined,
    mount: 'transit',
    key: 'gatehouse',
    derived: false,
    login: { by: 'token', tokenFile: '/t' },
  });
  assert.deepEqual(
    c.kms.also.map((g) => g.kind),
    ['aws-kms', 'local'],
  );
  assert.equal(c.kms.cacheSeconds, 300);
  const ecs = readConfig({ ...aws, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/x' }, '/srv');
  assert.deepEqual(ecs.kms.group.kind === 'aws-kms' && ecs.kms.group.identity, {
    by: 'container',
    url: 'http://169.254.170.2/v2/credentials/x',
    token: undefined,
    tokenFile: undefined,
  });
});

test('an empty variable counts as absent', () =>
  assert.equal(refused({ DATABASE_OWNER_URL: ' ', GATEHOUSE_TLS_CERT: '' }), 'accepted'));

test('name servers are addresses with the port 53 unless they name another', () => {
  const { dns } = readConfig(
    { GATEHOUSE_DNS_RESOLVERS: '127.0.0.1, [::1]:5353,10.0.0.53:54', GATEHOUSE_DNS_ROOTS: '::1' },
    '/srv',
  );
  assert.deepEqual(dns.resolvers, [
    { address: '127.0.0.1', port: 53 },
    { address: '::1', port: 5353 },
    { address: '10.0.0.53', port: 54 },
  ]);
  assert.deepEqual(dns.roots, [{ address: '::1', port: 53 }]);
});
