import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectorHouse, type Added, type ConnectorHouse } from '#dev/connector-house.ts';
import { plainVendor, type PlainVendor } from '#dev/vendors/plain-vendor.ts';
import type { Id } from '#kernel/id.ts';

let h: ConnectorHouse;
let vendor: PlainVendor;
before(async () => {
  [h, vendor] = await Promise.all([connectorHouse(), plainVendor()]);
});
after(async () => {
  await vendor.close();
  await h[Symbol.asyncDispose]();
});

/** The vendor's API as a document that anybody could have written. */
const document = () => ({
  openapi: '3.1.0',
  info: { title: 'Plain', version: '1' },
  servers: [{ url: vendor.origins['api'] }],
  components: {
    securitySchemes: {
      people: {
        type: 'oauth2',
        flows: {
          authorizationCode: {
            authorizationUrl: `${vendor.origins['login']}/authorize`,
            tokenUrl: `${vendor.origins['login']}/token`,
            scopes: { me: '', read: '', write: '', offline: '' },
          },
        },
      },
      robots: {
        type: 'oauth2',
        flows: { clientCredentials: { tokenUrl: `${vendor.origins['login']}/token`, scopes: {} } },
      },
    },
  },
  paths: { '/me': { get: { operationId: 'whoAmI' } } },
});
let n = 0;
async function bring(over: object): Promise<Added> {
  const r = await h.api('POST', '/openapi', {
    document: document(),
    allowPrivate: true,
    slug: `plain-${++n}`,
    operations: 'all',
    ...over,
  });
  assert.equal(r.status, 201, r.text);
  const c = { id: r.json['id'] as Id<'con'>, slug: String(r.json['slug']) };
  const [tool] = r.json['tools'] as { name: string; pin: string }[];
  await h.api('POST', `/connectors/${c.id}/review`, { tools: [{ name: tool!.name, pin: tool!.pin, class: 'read' }] });
  await h.g.rule({
    name: `everyone uses ${c.slug}`,
    who: { kind: 'everyone' },
    connector: c.id,
    tools: { classes: ['read'] },
    effect: 'allow',
    asks: 'never',
  });
  return c;
}

test('each person’s own account is used where the service takes consents, renewed when it ends, and nobody else’s', async () => {
  const auth = {
    kind: 'oauth2',
    scopes: { read_only: ['me', 'read', 'offline'], read_write: ['me', 'read', 'write', 'offline'] },
    clientAuth: 'client_secret_post',
  };
  const c = await bring({ auth, scheme: 'people', whoami: '/me' });
  assert.equal((await h.call(c, 'whoAmI')).why, 'not_connected');
  await h.app(vendor, c);
  const done = await h.consent(c, h.g.house.ada, 'read_only');
  assert.equal(done.status, 303, done.text);
  assert.match((await h.call(c, 'whoAmI')).says, /ada@acme\.example/);
  const bob = await h.g.house.addPerson('Bob');
  assert.equal((await h.call(c, 'whoAmI', {}, { person: bob })).why, 'not_connected');
  h.advance(vendor, 8000);
  assert.match((await h.call(c, 'whoAmI')).says, /ada@acme\.example/);
});

test('a client of the organization gets a token, and one that the service does not know is told so and not kept', async () => {
  const auth = { kind: 'client_credentials', clientAuth: 'client_secret_post' };
  const c = await bring({ auth, scheme: 'robots', whoami: '/me' });
  const wrong = await h.api('PUT', `/connectors/${c.id}/account`, {
    kind: 'client_credentials',
    fields: { client_id: 'robot', client_secret: 'not-the-secret' },
  });
  assert.equal(wrong.json['code'], 'connectors/account-refused', wrong.text);
  assert.ok(!wrong.text.includes('not-the-secret'));
  await h.give(c, 'client_credentials', { ...vendor.accounts['service_account'] });
  assert.match((await h.call(c, 'whoAmI')).says, /id-service/);
});
