import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '#kernel/problem.ts';
import { addressOf, originsOf } from './vendor-address.ts';

const code = (c: string) => (e: unknown) => e instanceof Problem && e.code === c;

test('a connector’s origins are the manifest’s with its settings, or what an administrator put in their place', () => {
  const auth = {
    origins: { api: 'https://{domain}.vendor.example/', login: 'https://login.vendor.example', own: '{server}' },
  };
  assert.deepEqual(
    originsOf(
      auth,
      { domain: 'acme', server: 'https://git.acme.example/api/v3/' },
      { login: 'https://login.vendor.cn' },
    ),
    { api: 'https://acme.vendor.example', login: 'https://login.vendor.cn', own: 'https://git.acme.example/api/v3' },
  );
});

for (const domain of ['evil.example/', 'a@b', 'a:1', 'x#', '', 'a\\b'])
  test(`the setting ${JSON.stringify(domain)} cannot lead a credential to another host`, () => {
    assert.throws(
      () => originsOf({ origins: { api: 'https://{d}.vendor.example' } }, { d: domain }, {}),
      code('vault/setting'),
    );
  });

for (const given of ['ftp://x', 'https://u:p@x', 'https://x?y', 'x', 'https://x#y'])
  test(`${given} is no origin`, () => {
    assert.throws(() => originsOf({ origins: { api: 'https://x' } }, {}, { api: given }), code('vault/origin'));
  });

test('an address is an origin and segments from settings that stay segments', () => {
  const at = (tenant: string): string =>
    addressOf('{login}/{tenant}/token', { login: 'https://l.example' }, { tenant });
  assert.equal(at('contoso.com'), 'https://l.example/contoso.com/token');
  assert.equal(at('a/../b'), 'https://l.example/a%2F..%2Fb/token');
  assert.throws(() => at('..'), code('vault/setting'));
});
