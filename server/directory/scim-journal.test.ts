import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { entraCreate, entraGroup, oktaCreate, patch } from '#dev/scim-shapes.ts';
import { testDirectory, type TestDirectory } from '#dev/test-directory.ts';
import { redacted, redactedPath } from './scim-journal.ts';
import { pruneJournal } from './scim-journal.sql.ts';

let d: TestDirectory;
let ada: string;
before(async () => {
  d = await testDirectory();
  const { send } = d;
  // Entries are in the order of their time, so each request has its own.
  d.send = (...asked) => {
    d.clock.advance(1);
    return send(...asked);
  };
  ada = (await d.send('POST', '/Users', oktaCreate('ada@corp.example'))).body['id'];
});
after(() => d.t.close());

const prunedJournal = async (at: Date): Promise<number | undefined> =>
  (await d.world.db.lookup(pruneJournal(at, 1000)))?.gone;
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into JSON
const journal = async (query = ''): Promise<any[]> => {
  const a = await d.api('GET', `/directories/${d.id}/journal${query}`);
  assert.equal(a.status, 200, a.text);
  return a.body['items'];
};
const entry = async (id: string) => (await d.api('GET', `/directories/${d.id}/journal/${id}`)).body;

test('a change leaves what came, what it meant and what it changed, under the id of its request', async () => {
  const a = await d.send('PATCH', `/Users/${ada}`, patch({ op: 'Replace', path: 'NAME.givenname', value: 'Augusta' }));
  const [line] = await journal(`?resource=${ada}&method=PATCH`);
  assert.equal(line.request, a.headers.get('request-id'));
  assert.deepEqual([line.status, line.path, line.problem], [200, `/Users/${ada}`, null]);
  assert.deepEqual(line.meant, { edits: [{ op: 'replace', path: 'name.givenName', value: 'Augusta' }] });
  assert.equal(line.changed[0].type, 'directory.user_changed');
  assert.deepEqual(line.changed.at(-1).data.name.after, { givenName: 'Augusta', familyName: 'Person' });
  const whole = await entry(line.id);
  assert.deepEqual(JSON.parse(whole['body']).Operations[0].path, 'NAME.givenname');
  const events = await d.t.super(
    `select header->>'request' as r from audit_inbox where header->>'type' = 'directory.user_changed'`,
  );
  assert.ok(events.some((e) => e['r'] === line.request));
});

test('a refusal leaves its code and what to do, a repetition leaves no change, a read leaves nothing', async () => {
  const before = (await journal()).length;
  await d.send('GET', '/Users');
  await d.send('POST', '/Users', oktaCreate('ada@corp.example'));
  await d.send('PATCH', `/Users/${ada}`, patch({ op: 'replace', path: 'active', value: true }));
  await d.send('POST', '/Users', '{"userName":');
  await d.send('GET', '/Users?filter=shoeSize eq 1');
  const lines = (await journal()).slice(0, -before);
  const found = lines.map((l) => [l.method, l.status, l.problem?.code ?? null, l.changed.length]);
  assert.deepEqual(found.toReversed(), [
    ['POST', 409, 'directory/user-exists', 0],
    ['PATCH', 200, null, 0],
    ['POST', 400, 'http/not-json', 0],
    ['GET', 400, 'directory/invalid-filter', 0],
  ]);
  assert.match(lines.find((l) => l.status === 409).problem.fix, /find it by userName/);
});

test('a directory that asks for it has its reads noted too', async () => {
  await d.api('PATCH', `/directories/${d.id}`, { journal: 'all' });
  await d.send('GET', '/Users?filter=userName eq "nobody"');
  const [line] = await journal('?method=GET');
  assert.deepEqual([line.status, line.meant], [200, { found: 0, total: 0 }]);
  await d.api('PATCH', `/directories/${d.id}`, { journal: 'changes' });
});

for (const [what, body, gone] of [
  ['a password', { userName: 'x', password: 'hunter2' }, 'hunter2'],
  ['a password in a PATCH', patch({ op: 'replace', path: 'password', value: 'hunter2' }), 'hunter2'],
  [
    'a password by its URN',
    patch({ op: 'add', value: { 'urn:ietf:params:scim:schemas:core:2.0:User:password': 'hunter2' } }),
    'hunter2',
  ],
  ['a token of ours in a text', { title: `ghs_${'a'.repeat(43)}` }, 'ghs_aaaa'],
  ['a secret inside of a list', { x: [{ clientSecret: { y: 'hunter2' } }] }, 'hunter2'],
] as const)
  test(`${what} is taken out of the journal`, () => assert.ok(!JSON.stringify(redacted(body)).includes(gone)));

test('a query that speaks of a password keeps no value', () =>
  assert.equal(redactedPath('/Users?filter=password eq "hunter2"'), '/Users?[redacted]'));

test('no password reaches the table, by whichever way it came', async () => {
  await d.send('POST', '/Users', { ...oktaCreate('pw@corp.example'), password: 'hunter2-zebra' });
  await d.send('PUT', `/Users/${ada}`, { userName: 'ada@corp.example', Password: 'hunter2-zebra', active: true });
  await d.send('PATCH', `/Users/${ada}`, patch({ op: 'add', path: 'password', value: 'hunter2-zebra' }));
  await d.send('POST', '/Users', { userName: 7, password: 'hunter2-zebra' });
  await journal();
  assert.equal((await d.t.super(`select from scim_journal j where j::text like '%zebra%'`)).length, 0);
});

test('an entry that cannot be written takes its change with it', async () => {
  await d.t.super(
    `alter table scim_journal add constraint no_more check (path <> '/Groups' or body not like '%poison%')`,
  );
  const a = await d.send('POST', '/Groups', entraGroup('poison'));
  assert.equal(a.status, 500);
  await d.t.super('alter table scim_journal drop constraint no_more');
  assert.equal((await d.t.super(`select from scim_group where display_name = 'poison'`)).length, 0);
  assert.equal((await d.t.super(`select from audit_inbox where header->>'type' = 'directory.group_added'`)).length, 0);
});

test('it is searched by text, status, method, resource and person, and paged', async () => {
  const eve = (await d.send('POST', '/Users', entraCreate('eve@corp.example'))).body['id'];
  const group = (await d.send('POST', '/Groups', entraGroup('Lamps'))).body['id'];
  await d.send('PATCH', `/Groups/${group}`, patch({ op: 'Add', path: 'members', value: [{ value: eve }] }));
  await d.send('DELETE', `/Users/${ada.slice(0, -4)}0000`);
  assert.equal((await journal('?q=EVE%40corp')).length, 1);
  assert.equal((await journal('?status=404')).at(0).method, 'DELETE');
  assert.ok((await journal('?status=4xx')).every((l) => l.status >= 400 && l.status < 500));
  assert.deepEqual(new Set((await journal('?method=DELETE')).map((l) => l.method)), new Set(['DELETE']));
  assert.equal((await journal(`?resource=${group}`)).length, 2);
  assert.deepEqual(
    (await journal(`?person=${eve}`)).map((l) => l.method),
    ['PATCH', 'POST'],
  );
  const account = (await d.t.super('select user_id from scim_user where id = $1', eve))[0]?.['user_id'];
  assert.equal((await journal(`?person=${account}`)).length, 2);
  const first = await d.api('GET', `/directories/${d.id}/journal?limit=2`);
  const second = await d.api('GET', `/directories/${d.id}/journal?limit=2&cursor=${first.body['next']}`);
  const ids = [...first.body['items'], ...second.body['items']].map((l: { id: string }) => l.id);
  assert.equal(new Set(ids).size, 4);
  assert.deepEqual(ids, ids.toSorted().toReversed());
});

test('whoever reads the journal leaves an event, and another directory or organization has none to read', async () => {
  const n = async (): Promise<number> =>
    (await d.t.super(`select from audit_inbox where header->>'type' = 'directory.journal_read'`)).length;
  const before = await n();
  await journal('?q=ada');
  assert.equal(await n(), before + 1);
  const other = await d.another('another parent');
  const [line] = await journal();
  assert.equal((await other.api('GET', `/directories/${d.id}/journal`)).body['code'], 'directory/no-directory');
  assert.equal(
    (await other.api('GET', `/directories/${other.id}/journal/${line.id}`)).body['code'],
    'directory/no-entry',
  );
  assert.equal((await d.api('GET', `/directories/${d.id}/journal/jrn_nonsense`)).body['code'], 'directory/no-entry');
});

test('an entry is replayed dry: it says what would happen now, and nothing does', async () => {
  const leo = (await d.send('POST', '/Users', entraCreate('leo@corp.example'))).body['id'];
  await d.send('PATCH', `/Users/${leo}`, patch({ op: 'Replace', path: 'active', value: 'False' }));
  const [off] = await journal(`?resource=${leo}&method=PATCH`);
  await d.send('PATCH', `/Users/${leo}`, patch({ op: 'Replace', path: 'active', value: 'True' }));
  const before = await d.t.super('select version, active from scim_user where id = $1', leo);
  const a = await d.api('POST', `/directories/${d.id}/journal/${off.id}/replay`, {});
  assert.deepEqual([a.status, a.body['status'], a.body['problem']], [200, 200, null]);
  const said = a.body['events'].map((e: { type: string }) => e.type);
  assert.ok(said.includes('directory.user_changed') && said.includes('directory.user_deactivated'), String(said));
  assert.deepEqual(a.body['diff'].active, { before: true, after: false });
  assert.deepEqual(await d.t.super('select version, active from scim_user where id = $1', leo), before);
  assert.equal(
    (await d.t.super(`select from app_user where email = 'leo@corp.example' and state = 'active'`)).length,
    1,
  );
  const [made] = await journal(`?resource=${leo}&method=POST`);
  const again = await d.api('POST', `/directories/${d.id}/journal/${made.id}/replay`, {});
  assert.deepEqual([again.body['status'], again.body['problem'].code], [409, 'directory/user-exists']);
});

test('a membership that was pushed is replayed dry as well', async () => {
  const group = (await d.send('POST', '/Groups', entraGroup('Replays'))).body['id'];
  await d.send('PATCH', `/Groups/${group}`, patch({ op: 'add', path: 'members', value: [{ value: ada }] }));
  const [line] = await journal(`?resource=${group}&method=PATCH`);
  assert.deepEqual((await d.api('POST', `/directories/${d.id}/journal/${line.id}/replay`, {})).body['events'], []);
  await d.send('PATCH', `/Groups/${group}`, patch({ op: 'remove', path: 'members' }));
  const a = await d.api('POST', `/directories/${d.id}/journal/${line.id}/replay`, {});
  assert.deepEqual(a.body['events'][0].data.added, { count: 1, entries: [ada] });
  assert.equal((await d.t.super('select from scim_membership where group_id = $1', group)).length, 0);
});

test('what changes nothing, and what is longer than the journal keeps, is not replayed', async () => {
  await d.send('GET', '/Users?filter=nothing');
  const [read] = await journal('?method=GET');
  const a = await d.api('POST', `/directories/${d.id}/journal/${read.id}/replay`, {});
  assert.deepEqual([a.status, a.body['code']], [409, 'directory/not-replayable']);
  await d.send('POST', '/Users', {
    userName: 'long',
    title: 'x'.repeat(30_000),
    nickName: 'y'.repeat(30_000),
    displayName: 'z'.repeat(30_000),
  });
  const [long] = await journal('?method=POST');
  assert.equal((await entry(long.id))['truncated'], true);
  assert.equal(
    (await d.api('POST', `/directories/${d.id}/journal/${long.id}/replay`, {})).body['code'],
    'directory/not-replayable',
  );
});

test('what a lenient directory swallowed stands in the journal', async () => {
  await d.send(
    'PATCH',
    `/Users/${ada}`,
    patch({ op: 'remove', path: 'emails[type eq "fax"]' }, { op: 'add', path: 'shoeSize', value: 4 }),
  );
  const [line] = await journal(`?resource=${ada}&method=PATCH`);
  assert.deepEqual(line.meant.ignored, ['shoeSize']);
  assert.match(line.meant.notes[0], /no element of emails fits the filter/);
  const group = (await d.send('POST', '/Groups', { ...entraGroup('Lost'), members: [{ value: ada }] })).body['id'];
  await d.send('PATCH', `/Groups/${group}`, patch({ op: 'replace', path: 'members', value: null }));
  assert.match(
    (await journal(`?resource=${group}&method=PATCH`))[0].meant.notes[0],
    /full replacement removed 1 members/,
  );
});

test('the journal forgets what is older than its directory keeps it', async () => {
  const other = await d.another('same parent');
  await other.api('PATCH', `/directories/${other.id}`, { journalDays: 7 });
  await other.send('POST', '/Users', entraCreate('old@corp.example'));
  assert.equal(await prunedJournal(new Date(d.clock.now().getTime() + 6.9 * 86_400_000)), 0);
  assert.equal(await prunedJournal(new Date(d.clock.now().getTime() + 7.1 * 86_400_000)), 1);
  const [own] = await journal();
  assert.ok(own, 'the other directory keeps for 30 days');
});
