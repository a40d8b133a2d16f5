import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { provisioningHouse, type ProvisioningHouse } from '#dev/provisioning-house.ts';
import { newId, type Id } from '#kernel/id.ts';

let h: DoorHouse;
let p: ProvisioningHouse;
type Pushed = { user: Id<'usr'>; entry: string };
let people: Pushed[];
const at = (i: number): Pushed => people[i] ?? assert.fail(`nobody ${i}`);
before(async () => {
  h = await doorHouse();
  p = await provisioningHouse(h);
  people = [];
  for (let i = 0; i < 24; i++) people.push(await p.push(`Person${i}`));
});
after(() => h[Symbol.asyncDispose]());

const held = async (): Promise<{ id: string; user: string; kind: string; groupName: string | null }[]> =>
  (await p.ok('GET', '/held?limit=100'))['items'];
const active = async (i: number): Promise<boolean> =>
  (await p.stateOf(at(i).user)) === 'active' && (await p.roleOf(at(i).user)) !== undefined;

test('ten who leave within an hour are out at once each; the eleventh is held, and the directory is told that all is well', async () => {
  for (let i = 0; i < 10; i++) {
    await p.disable(at(i).entry);
    assert.equal(await active(i), false, `person ${i}`);
  }
  await p.disable(at(10).entry);
  assert.equal(await active(10), true);
  assert.equal((await p.scim('GET', `/Users/${at(10).entry}`))['active'], false, 'it reads what it wrote');
  assert.deepEqual(
    (await held()).map((r) => [r.user, r.kind]),
    [[at(10).user, 'disabled']],
  );
  const [said] = (await h.events('provisioning.held')).slice(-1);
  assert.deepEqual([said?.data['count'], said?.data['limit'], said?.header['disposition']], [1, 10, 'held']);
  const settings = await p.ok('GET', '');
  assert.deepEqual([settings['brake'].held, settings['brake'].limit], [1, 10]);
  const why = await p.ok('GET', `/people/${at(10).user}`);
  assert.equal(why['held'], true);
  assert.match(JSON.stringify(why['signIn'].reasons), /held by the brake until an owner applies or discards it/);
  assert.equal(why['signIn'].admit, true, 'who is held keeps their access until somebody decides');
});

test('a held person whom the directory changes again stays held once, and is free when it makes them active again', async () => {
  await p.scim('PATCH', `/Users/${at(10).entry}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', path: 'displayName', value: 'Tenth' }],
  });
  assert.equal((await held()).length, 1);
  await p.enable(at(10).entry);
  assert.deepEqual(await held(), []);
  assert.equal(await active(10), true);
  assert.equal((await h.events('provisioning.held_withdrawn')).at(-1)?.data['count'], 1);
});

test('after an hour the next one is out at once again', async () => {
  h.advance(61 * 60_000);
  await p.disable(at(10).entry);
  assert.equal(await active(10), false);
});

test('a push that empties a mapped group is held as a whole, and a single leaver beside it still goes at once', async () => {
  h.advance(61 * 60_000);
  const team = people.slice(11, 19);
  const rest = people.slice(19);
  const crew = await p.group(
    'Crew',
    team.map((t) => t.entry),
  );
  const other = await p.group(
    'Others',
    rest.map((t) => t.entry),
  );
  await p.set(
    { set: 'map', group: crew, role: 'user' },
    { set: 'map', group: other, role: 'user' },
    { set: 'mode', mode: 'scim_advanced' },
  );
  await p.regroup(crew, 'replace', []);
  assert.equal((await p.scim('GET', `/Groups/${crew}`))['members']?.length ?? 0, 0);
  const waiting = await held();
  assert.deepEqual([waiting.length, waiting[0]?.kind, waiting[0]?.groupName], [8, 'unmapped', 'Crew']);
  for (let i = 11; i < 19; i++) assert.equal(await active(i), true, `person ${i}`);
  assert.equal((await h.events('provisioning.held')).at(-1)?.data['group'], crew);

  await p.disable(at(19).entry);
  assert.equal(await active(19), false, 'what is held does not count against the next leaver');
});

test('a sync does not take away what is held', async () => {
  await p.ok('POST', '/sync');
  assert.equal((await held()).length, 8);
  for (let i = 11; i < 19; i++) assert.equal(await active(i), true);
});

test('discarded, the people are in the group again and no sync takes them out', async () => {
  const some = (await held()).slice(0, 2);
  const done = await p.ok('POST', '/held/discard', { removals: some.map((r) => r.id) });
  assert.deepEqual(done, { count: 2, entries: 0, memberships: 2 });
  const crew = (await p.ok('GET', '/groups?q=Crew'))['items'][0];
  assert.equal(crew.members, 2);
  await p.ok('POST', '/sync');
  for (const r of some) assert.equal(await p.roleOf(r.user), 'user');
  assert.equal(
    (await p.api('POST', '/held/discard', { removals: some.map((r) => r.id) })).body['code'],
    'provisioning/nothing-held',
  );
});

test('applied, the people are out, and the log says who decided', async () => {
  const [one, ...more] = await held();
  assert.deepEqual(await p.ok('POST', '/held/apply', { removals: [one?.id] }), { count: 1 });
  assert.equal(await p.roleOf(one?.user ?? ''), undefined);
  assert.equal((await held()).length, more.length);
  assert.deepEqual(await p.ok('POST', '/held/apply', { removals: 'all' }), { count: more.length });
  for (const r of more) assert.equal(await p.roleOf(r.user), undefined);
  assert.equal((await p.ok('GET', ''))['brake'].held, 0);
  for (const path of ['/held/apply', '/held/discard'])
    for (const removals of ['all', [newId('rem')], ['nonsense']])
      assert.equal((await p.api('POST', path, { removals })).body['code'], 'provisioning/nothing-held');
});

test('a held disabling that is applied suspends the account, and the directory may end that; one that is discarded makes the entry active', async () => {
  h.advance(61 * 60_000);
  await p.set({ set: 'mode', mode: 'scim_permissive' });
  const crowd: Pushed[] = [];
  for (let i = 0; i < 12; i++) crowd.push(await p.push(`Crowd${i}`));
  for (const c of crowd) await p.disable(c.entry);
  const [first, second] = await held();
  assert.equal((await held()).length, 2);
  const [a, b] = [crowd.find((c) => c.user === first?.user), crowd.find((c) => c.user === second?.user)];
  assert.ok(a && b);
  await p.ok('POST', '/held/apply', { removals: [first?.id] });
  assert.deepEqual([await p.stateOf(a.user), await p.roleOf(a.user)], ['suspended', undefined]);
  await p.enable(a.entry);
  assert.deepEqual([await p.stateOf(a.user), await p.roleOf(a.user)], ['active', 'user']);
  assert.deepEqual(await p.ok('POST', '/held/discard', { removals: 'all' }), { count: 1, entries: 1, memberships: 0 });
  assert.equal((await p.scim('GET', `/Users/${b.entry}`))['active'], true);
  assert.equal(await p.stateOf(b.user), 'active');
});

test('sixteen that are disabled at the same moment cannot all be the tenth', async () => {
  h.advance(61 * 60_000);
  const crowd: Pushed[] = [];
  for (let i = 0; i < 16; i++) crowd.push(await p.push(`Rush${i}`));
  await Promise.all(crowd.map((c) => p.disable(c.entry)));
  assert.equal((await held()).length, 6);
});
