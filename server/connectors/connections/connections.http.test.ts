import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Hono } from 'hono';
import { z } from 'zod';
import { openVaultHouse, type VaultHouse } from '#dev/vault-house.ts';
import type { Actor } from '#kernel/ctx.ts';
import { problemJson } from '#kernel/dialect.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { addMember } from '#org/add-member.ts';
import { foundOrg } from '#org/found-org.ts';
import type { Connection } from '#vault/connection.ts';
import { vaultCtx } from '#vault/renewal.ts';
import { vaultEvents } from '#vault/vault.events.ts';
import { startSequencer } from '#audit/sequencer.ts';
import { connectionEvents } from './connections.events.ts';
import { connectionOperations } from './connections.http.ts';

const DAY = 86_400;
let h: VaultHouse;
let bob: { member: Id<'mem'>; user: Id<'usr'> };
let [adas, bobs, account]: (Connection | undefined)[] = [];
let actor: Actor;
let org: Id<'org'>;
const app = new Hono();
before(async () => {
  h = await openVaultHouse({ refreshExpiresIn: 20 * DAY });
  org = h.at.org;
  const ctx = { ...vaultCtx(h.world, h.at), org };
  const m = await addMember(ctx, { email: 'bob@acme.example', displayName: '=Bob', role: 'user' });
  bob = { member: m.id, user: m.user };
  adas = await h.connect();
  bobs = await h.connect({ owner: { kind: 'person', ...bob }, account: 'bob' });
  account = await h.give();
  actor = { kind: 'user', id: h.founded.owner, session: newId('ses') };
  const gate = () => Promise.resolve({ ...vaultCtx(h.world, h.at), org, actor, now: h.world.now() });
  const operations = connectionOperations(h.siteOf, { ...vaultEvents, ...connectionEvents });
  mount(app, { prefix: '/api', gate, dialect: problemJson, operations }, silentLog);
});
after(() => h.close());

const Shown = z.looseObject({
  id: z.string().default(''),
  code: z.string().optional(),
  says: z.string().default(''),
  state: z.string().default(''),
  owner: z.unknown().optional(),
  nextEnd: z.unknown().optional(),
  health: z.looseObject({ state: z.string(), says: z.string() }).optional(),
  history: z.array(z.looseObject({ type: z.string() })).default([]),
});
const Answer = Shown.extend({
  items: z.array(Shown).default([]),
  next: z.string().nullable().default(null),
  connections: z.array(Shown).default([]),
  apps: z.array(z.looseObject({ says: z.string() })).default([]),
});
const ask = async (path: string, method = 'GET'): Promise<{ status: number; json: z.infer<typeof Answer> }> => {
  const r = await app.request(`/api/orgs/${org}${path}`, { method });
  return { status: r.status, json: Answer.parse(r.status === 204 ? {} : await r.json()) };
};
const ids = async (query: string): Promise<string[]> => (await ask(`/connections${query}`)).json.items.map((i) => i.id);
const as = async <T>(who: Actor, work: () => Promise<T>): Promise<T> => {
  const was = actor;
  actor = who;
  try {
    return await work();
  } finally {
    actor = was;
  }
};

test('an administrator sees who connected what, to do what, as whom, and what ends next', async () => {
  const { items } = (await ask('/connections')).json;
  assert.deepEqual(new Set(items.map((i) => i.id)), new Set([adas?.id, bobs?.id, account?.id]));
  assert.equal(items.length, 3);
  const his = items.find((i) => i.id === bobs?.id);
  assert.deepEqual(his?.owner, { kind: 'person', user: bob.user, name: '=Bob', email: 'bob@acme.example' });
  assert.equal(his?.says, 'may read and write in Plain as ada@acme.example');
  assert.match(JSON.stringify(his?.nextEnd), /"clock":"refresh","says":"the consent ends on/);
  assert.deepEqual(his?.health, { state: 'good', says: 'in order', fix: null, whose: null });
  assert.deepEqual(items.find((i) => i.id === account?.id)?.owner, { kind: 'organization' });
});

test('connections are searched and filtered by owner, connector, type and state, page by page', async () => {
  assert.deepEqual(await ids('?q=bob'), [bobs?.id]);
  assert.deepEqual(await ids(`?owner=${bob.user}`), [bobs?.id]);
  assert.deepEqual(await ids('?owner=organization'), [account?.id]);
  assert.equal((await ids('?type=plain')).length, 3);
  assert.deepEqual(await ids('?type=slack'), []);
  assert.deepEqual(await ids('?state=reconnect'), []);
  assert.equal((await ids(`?connector=${h.connector}`)).length, 3);
  const first = (await ask('/connections?limit=2')).json;
  const second = (await ask(`/connections?limit=2&cursor=${first.next}`)).json;
  assert.deepEqual([first.items.length, second.items.length, second.next], [2, 1, null]);
  assert.equal(new Set([...first.items, ...second.items].map((i) => i.id)).size, 3);
});

test('the file has a line for each, and nothing in it is a formula', async () => {
  const r = await app.request(`/api/orgs/${org}/connections.csv`);
  const lines = (await r.text()).trim().split('\r\n');
  assert.deepEqual([lines.length, r.headers.get('content-type')], [4, 'text/csv; charset=utf-8']);
  assert.match(lines.join('\n'), /,'=Bob,bob@acme\.example,/);
});

test('one connection is shown with its history, from the log', async () => {
  const sequencer = startSequencer({ world: { ...h.world, db: h.t.as('gatehouse_sequencer') }, gather: 1, poll: 20 });
  await sequencer.settled();
  await sequencer.stop();
  const one = (await ask(`/connections/${bobs?.id}`)).json;
  assert.deepEqual([one.id, one.history.map((e) => e.type)], [bobs?.id, ['connection.made']]);
});

test('nothing that a connection opens with is in any answer', async () => {
  const [row] = await h.t.super<{ sealed: Buffer }>('select sealed from connection where id = $1', bobs?.id);
  const all =
    JSON.stringify((await ask('/connections')).json) + JSON.stringify((await ask(`/connections/${account?.id}`)).json);
  assert.ok(row && !all.includes(row.sealed.toString('base64')));
  assert.doesNotMatch(all, /secret|sealed|token/i);
});

test('a person sees and ends only their own, and a key has none', async () => {
  const me: Actor = { kind: 'user', id: bob.user, session: newId('ses') };
  assert.deepEqual(
    (await as(me, () => ask('/my/connections'))).json.items.map((i) => i.id),
    [bobs?.id],
  );
  assert.equal((await as(me, () => ask(`/my/connections/${adas?.id}`, 'DELETE'))).json.code, 'connections/none');
  const key: Actor = { kind: 'api_key', id: newId('key') };
  assert.equal((await as(key, () => ask('/my/connections'))).json.code, 'connections/not-a-person');
  assert.equal((await as(me, () => ask(`/my/connections/${bobs?.id}`, 'DELETE'))).status, 204);
  assert.deepEqual(await ids('?state=revoked'), [bobs?.id]);
  assert.equal((await h.events('connection.revoked')).at(-1)?.['why'], 'disconnected');
});

test('an administrator ends a connection; nothing opens it from then on, and it stays in the list of ended ones', async () => {
  assert.ok(adas);
  assert.equal((await ask(`/connections/${adas.id}`, 'DELETE')).status, 204);
  await assert.rejects(h.vault.unlock(h.at, { connection: adas.id }), { code: 'vault/no-connection' });
  const one = (await ask(`/connections/${adas.id}`)).json;
  assert.deepEqual([one.state, one.health?.state, one['nextEnd']], ['revoked', 'ended', null]);
  assert.ok(!(await ids('')).includes(adas.id));
  assert.equal((await ask(`/connections/${newId('cnn')}`, 'DELETE')).json.code, 'connections/none');
});

test('the page of what needs somebody has what ends, what failed and apps, and nothing that is in order', async () => {
  assert.deepEqual((await ask('/connection-health')).json.connections, []);
  await h.t.super(
    `update connection set given_ends_at = $2 where id = $1`,
    account?.id,
    new Date(h.world.now().getTime() + 5 * DAY * 1000),
  );
  const [ending] = (await ask('/connection-health')).json.connections;
  assert.match(
    `${ending?.health?.state} ${ending?.health?.says}`,
    /^ending the certificate or secret that was given ends on/,
  );
  await h.t.super('update connector_app set failing_since = $1', h.world.now());
  const [failing] = (await ask('/connection-health')).json.apps;
  assert.match(failing?.says ?? '', /^the vendor has refused it since/);
});

test('a connection of another organization is missing, not forbidden', async () => {
  const other = await foundOrg(h.world, {
    parentName: 'Other',
    orgName: 'Other',
    owner: { email: 'o@other.example', displayName: 'O' },
  });
  const gate = () => Promise.resolve({ ...vaultCtx(h.world, other), org: other.org, actor, now: h.world.now() });
  const there = new Hono();
  const operations = connectionOperations(h.siteOf, vaultEvents);
  mount(there, { prefix: '/api', gate, dialect: problemJson, operations }, silentLog);
  for (const method of ['GET', 'DELETE']) {
    const r = await there.request(`/api/orgs/${other.org}/connections/${account?.id}`, { method });
    assert.equal(((await r.json()) as { code: string }).code, 'connections/none');
  }
});
