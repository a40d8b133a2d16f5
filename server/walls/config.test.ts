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
