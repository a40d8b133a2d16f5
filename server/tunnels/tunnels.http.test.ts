import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { listConnectorsThrough } from '#connectors/connector.sql.ts';
import { doorHouse, type Answer, type DoorHouse } from '#dev/door-house.ts';
import { newId } from '#kernel/id.ts';
import { tunnelOperations } from './tunnels.http.ts';

let h: DoorHouse;
before(async () => {
  h = await doorHouse({ operations: tunnelOperations({ connectors: listConnectorsThrough }) });
});
after(() => h[Symbol.asyncDispose]());

const at = (path = ''): string => `/orgs/${h.acme.org}/tunnels${path}`;
const make = (name: string, destinations = ['http://crm.internal:8080']): Promise<Answer> =>
  h.api('POST', at(), { name, destinations });
const code = (a: Answer): unknown => a.body['code'];

test('a tunnel is made with a secret that is shown once and kept nowhere', async () => {
  const made = await make('plant', [
    'http://crm.internal:8080/',
    'http://CRM.internal:8080',
    'https://erp.internal/mcp/',
  ]);
  assert.equal(made.status, 201, made.text);
  const { secret, id } = made.body as { secret: string; id: string };
  assert.match(secret, /^ght_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(made.body['destinations'], ['http://crm.internal:8080', 'https://erp.internal/mcp'], 'each in one way, once'); // prettier-ignore
  const shown = await h.api('GET', at(`/${id}`));
  assert.deepEqual([shown.body['state'], shown.body['agentsOnline'], shown.body['lastSeen']], ['offline', 0, null]);
  assert.ok(!shown.text.includes(secret));
  const rows = await h.t.super<{ all: string }>(`select row(t.*)::text as all from tunnel t union all select row(i.*)::text from audit_inbox i`); // prettier-ignore
  assert.ok(rows.length > 1 && !rows.some((r) => r.all.includes(secret.slice(-43))));
  const [event] = await h.events('tunnel.created');
  assert.deepEqual(event?.data, { tunnel: id, name: 'plant', destinations: 2 });
});

for (const [what, destinations] of [
  ['no address', ['crm.internal']],
  ['a wildcard', ['http://*.internal']],
  ['a password', ['http://a:b@crm.internal']],
  ['a question', ['http://crm.internal/?x']],
  ['a path that can be read in two ways', ['http://crm.internal/a%2f..%2fb']],
] as const)
  test(`a destination that is or has ${what} is refused`, async () => {
    const r = await make(`wrong ${what}`, [...destinations]);
    assert.deepEqual([r.status, code(r)], [400, 'tunnels/destination'], r.text);
  });

test('two tunnels cannot have one name, unless the first was revoked', async () => {
  const first = await make('Same');
  const second = await make('same');
  assert.deepEqual([second.status, code(second)], [409, 'tunnels/name-taken']);
  const other = await make('other');
  assert.equal(code(await h.api('PATCH', at(`/${String(other.body['id'])}`), { name: 'SAME' })), 'tunnels/name-taken');
  assert.equal((await h.api('POST', at(`/${String(first.body['id'])}/revoke`), {})).body['state'], 'revoked');
  assert.equal((await make('same')).status, 201);
});

test('tunnels are listed newest first, found by name and destination, and paged', async () => {
  for (const n of [1, 2, 3]) await make(`page ${n}`, [`http://page${n}.internal`]);
  const all = await h.api('GET', at('?q=page&limit=2'));
  const names = (a: Answer): string[] => (a.body['items'] as { name: string }[]).map((t) => t.name);
  assert.deepEqual(names(all), ['page 3', 'page 2']);
  const next = await h.api('GET', at(`?q=page&limit=2&cursor=${String(all.body['next'])}`));
  assert.deepEqual([names(next), next.body['next']], [['page 1'], null]);
  assert.deepEqual(names(await h.api('GET', at('?q=page2.internal'))), ['page 2']);
});

test('a destination that a connector stands on is not taken from under it', async () => {
  const made = await make('needed', ['http://crm.internal:8080', 'http://old.internal']);
  const id = String(made.body['id']);
  await h.t.super(
    `insert into connector (org, id, type, mode, act_as, access, settings, origins, origins_private, slug, name, url, tunnel, bearer_generation, state, created_at)
     values ($1, $2, 'mcp', 'remote', 'none', 'read_write', '{}', '{}', false, 'crm', 'CRM', 'http://crm.internal:8080/mcp', $3, 0, 'on', now())`,
    h.acme.org,
    newId('con'),
    id,
  );
  const cut = await h.api('PATCH', at(`/${id}`), { destinations: ['http://old.internal'] });
  assert.deepEqual([cut.status, code(cut)], [409, 'tunnels/destination-in-use']);
  assert.match(String(cut.body['detail']), /crm \(http:\/\/crm\.internal:8080\/mcp\) would not be reached/);
  const kept = await h.api('PATCH', at(`/${id}`), { destinations: ['http://crm.internal:8080/mcp'] });
  assert.deepEqual(kept.body['destinations'], ['http://crm.internal:8080/mcp'], kept.text);
  const shown = await h.api('GET', at(`/${id}`));
  assert.equal((shown.body['connectors'] as { slug: string }[])[0]?.slug, 'crm');
  assert.equal((await h.events('tunnel.changed')).length, 1);
  await h.api('PATCH', at(`/${id}`), { destinations: ['http://crm.internal:8080/mcp'] });
  assert.equal((await h.events('tunnel.changed')).length, 1, 'what changes nothing leaves no event');
});

test('a new secret leaves the one before good for as long as is said, and a day where nothing is', async () => {
  const made = await make('turning');
  const path = at(`/${String(made.body['id'])}/secret`);
  const turned = await h.api('POST', path, {});
  assert.notEqual(turned.body['secret'], made.body['secret']);
  const left = Date.parse(String(turned.body['olderSecretUntil'])) - h.world.now().getTime();
  assert.ok(left > 23 * 3_600_000 && left <= 24 * 3_600_000);
  assert.equal((await h.api('POST', path, { overlapHours: 0 })).body['olderSecretUntil'], null);
  assert.equal(code(await h.api('POST', path, { overlapHours: 169 })), 'http/invalid');
  assert.deepEqual((await h.events('tunnel.secret_rotated')).map((e) => e.data['generation']), [2, 3]); // prettier-ignore
});

test('a revoked tunnel is never more than something to read', async () => {
  const made = await make('ended');
  const id = String(made.body['id']);
  const revoked = await h.api('POST', at(`/${id}/revoke`), {});
  assert.equal(revoked.body['state'], 'revoked');
  await h.api('POST', at(`/${id}/revoke`), {});
  assert.equal((await h.events('tunnel.revoked')).filter((e) => e.data['tunnel'] === id).length, 1);
  assert.equal(code(await h.api('PATCH', at(`/${id}`), { name: 'again' })), 'tunnels/revoked');
  assert.equal(code(await h.api('POST', at(`/${id}/secret`), {})), 'tunnels/revoked');
  assert.equal((await h.api('GET', at(`/${id}`))).status, 200);
});

test('what is no tunnel of this organization is not there', async () => {
  for (const id of [newId('tun'), 'tun_1', 'x']) {
    assert.equal(code(await h.api('GET', at(`/${id}`))), 'tunnels/no-tunnel');
    assert.equal(code(await h.api('POST', at(`/${id}/revoke`), {})), 'tunnels/no-tunnel');
    assert.equal(code(await h.api('POST', at(`/${id}/secret`), {})), 'tunnels/no-tunnel');
    assert.equal(code(await h.api('PATCH', at(`/${id}`), { name: 'x' })), 'tunnels/no-tunnel');
  }
});
