import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '#kernel/id.ts';
import { insertUser } from '#org/user.sql.ts';
import { entraCreate, entraGroup, oktaCreate, patch } from '#dev/scim-shapes.ts';
import { testDirectory, type TestDirectory } from '#dev/test-directory.ts';
import { explainKey } from './scim-error.ts';
import { rateLimit } from './scim-limit.ts';

let d: TestDirectory;
before(async () => {
  d = await testDirectory();
});
after(() => d.t.close());

const set = async (on: TestDirectory, to: object): Promise<void> => {
  const a = await on.api('PATCH', `/directories/${on.id}`, to);
  assert.equal(a.status, 200, a.text);
};
const events = async (type: string): Promise<Record<string, unknown>[]> =>
  (await d.t.super('select data from audit_inbox where header->>$1 = $2 order by arrived', 'type', type)).map(
    (r) => r['data'],
  );

const hr = 'urn:acme:params:scim:schemas:hr:1.0:User';
const extension = {
  schema: hr,
  name: 'HR',
  attributes: [
    { name: 'badge', type: 'integer' },
    { name: 'startDate', type: 'dateTime' },
    { name: 'contractor', type: 'boolean' },
    { name: 'floors', type: 'string', multi: true },
    { name: 'code', type: 'string', caseExact: true },
  ],
};

test('attributes that an administrator declared are parsed by their type, shown, patched, searched and announced', async () => {
  const own = await d.another('same parent');
  await set(own, { extensions: [extension] });
  const sent = { ...entraCreate('hr@corp.example'), schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', hr] };
  const made = await own.send('POST', '/Users', {
    ...sent,
    [hr]: {
      Badge: '77',
      startDate: '2026-01-31T09:00:00Z',
      contractor: 'False',
      floors: ['3', '4'],
      code: 'Ab',
      unknown: 1,
    },
  });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.body[hr], {
    badge: 77,
    startDate: '2026-01-31T09:00:00Z',
    contractor: false,
    floors: ['3', '4'],
    code: 'Ab',
  });
  assert.ok(made.body['schemas'].includes(hr));
  const id = made.body['id'];
  const changed = await own.send(
    'PATCH',
    `/Users/${id}`,
    patch(
      { op: 'add', path: `${hr.toUpperCase()}:badge`, value: 78 },
      { op: 'replace', value: { [`${hr}:contractor`]: 'True' } },
    ),
  );
  assert.deepEqual([changed.body[hr].badge, changed.body[hr].contractor], [78, true]);
  const total = async (filter: string): Promise<number> =>
    (await own.send('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body['totalResults'];
  assert.equal(await total(`${hr}:badge gt 77`), 1);
  assert.equal(await total(`${hr}:code eq "ab"`), 0);
  assert.equal(await total(`${hr}:floors eq "4"`), 1);
  assert.equal(await total(`${hr}:startDate ge "2026-01-31T09:00:00+00:00"`), 1);
  assert.equal(
    (await own.send('PATCH', `/Users/${id}`, patch({ op: 'add', path: `${hr}:badge`, value: 'many' }))).body[
      'scimType'
    ],
    'invalidValue',
  );
  const schemas = await own.send('GET', '/Schemas');
  assert.deepEqual(
    schemas.body['Resources'].find((s: { id: string }) => s.id === hr).attributes.map((a: { type: string }) => a.type),
    ['integer', 'dateTime', 'boolean', 'string', 'string'],
  );
  const types = await own.send('GET', '/ResourceTypes/User');
  assert.deepEqual(types.body['schemaExtensions'].at(-1), { schema: hr, required: false });
});

test('a directory without them ignores the same attributes, and an extension that is withdrawn is shown to nobody', async () => {
  const own = await d.another('same parent');
  const plain = await own.send('POST', '/Users', { userName: 'p@corp.example', [hr]: { badge: 1 } });
  assert.deepEqual([plain.status, plain.body[hr]], [201, undefined]);
  await set(own, { extensions: [extension] });
  await own.send('PATCH', `/Users/${plain.body['id']}`, patch({ op: 'add', path: `${hr}:badge`, value: 1 }));
  await set(own, { extensions: [] });
  const now = await own.send('GET', `/Users/${plain.body['id']}`);
  assert.deepEqual([now.body[hr], now.body['schemas'].length], [undefined, 1]);
  assert.equal((await own.send('GET', `/Users?filter=${encodeURIComponent(`${hr}:badge eq 1`)}`)).status, 400);
});

for (const [what, extensions] of [
  ['a URN of the IETF', [{ ...extension, schema: 'urn:ietf:params:scim:schemas:core:2.0:User' }]],
  ['no URN', [{ ...extension, schema: 'hr' }]],
  [
    'an attribute twice',
    [
      {
        ...extension,
        attributes: [
          { name: 'a', type: 'string' },
          { name: 'A', type: 'string' },
        ],
      },
    ],
  ],
  ['a reserved name', [{ ...extension, attributes: [{ name: 'constructor', type: 'string' }] }]],
  ['an unknown type', [{ ...extension, attributes: [{ name: 'a', type: 'complex' }] }]],
  ['a URN that begins with another', [extension, { ...extension, schema: `${hr}:more` }]],
] as const)
  test(`an extension with ${what} is refused`, async () => {
    assert.equal((await d.api('PATCH', `/directories/${d.id}`, { extensions })).status, 400);
  });

test('A19, A12: a strict directory refuses unknown attributes, unquoted words and removals of nothing; a lenient one takes them', async () => {
  const own = await d.another('same parent');
  const id = (await own.send('POST', '/Users', oktaCreate('strict@corp.example'))).body['id'];
  const cases = [
    ['POST', '/Users', { userName: 's2@corp.example', shoeSize: 4 }, 'directory/unknown-attribute'],
    ['POST', '/Groups', entraGroup('S'), 'directory/unknown-attribute'],
    ['PUT', `/Users/${id}`, { userName: 'strict@corp.example', name: { nick: 'x' } }, 'directory/unknown-attribute'],
    ['PATCH', `/Users/${id}`, patch({ op: 'add', path: 'shoeSize', value: 4 }), 'directory/unknown-attribute'],
    ['PATCH', `/Users/${id}`, patch({ op: 'remove', path: 'emails[type eq "fax"]' }), 'directory/no-target'],
    ['GET', '/Users?filter=userName eq strict', undefined, 'directory/invalid-filter'],
    [
      'POST',
      '/Bulk',
      { Operations: [{ method: 'POST', path: '/Users', data: { userName: 'b1@corp.example' } }] },
      'directory/invalid-bulk',
    ],
  ] as const;
  await set(own, { profile: 'strict' });
  for (const [method, path, body, code] of cases) {
    const a = await own.send(method, path, body);
    const error = path === '/Bulk' ? a.body['Operations'][0].response : a.body;
    assert.deepEqual([error.status, error[explainKey]?.code], ['400', code], a.text);
  }
  assert.equal((await own.send('GET', '/Users?count=0')).body['totalResults'], 1);
  await set(own, { profile: 'compat' });
  for (const [method, path, body] of cases) assert.ok((await own.send(method, path, body)).status < 300, path);
});

test('A41: a directory that refuses other domains says which, and never holds up a leaver over it', async () => {
  const own = await d.another('another parent');
  const before = (await own.send('POST', '/Users', oktaCreate('old@other.example'))).body['id'];
  await set(own, { domainPolicy: 'refuse', domains: ['Corp.Example'] });
  assert.equal((await own.send('POST', '/Users', oktaCreate('in@corp.example'))).status, 201);
  const a = await own.send('POST', '/Users', oktaCreate('out@other.example'));
  assert.deepEqual(
    [a.status, a.body['scimType'], a.body[explainKey].code],
    [400, 'invalidValue', 'directory/foreign-domain'],
  );
  assert.match(a.body['detail'], /^other\.example is none of the domains/);
  assert.equal((await own.send('POST', '/Users', oktaCreate('sub@mail.corp.example'))).status, 400);
  const moved = await own.send(
    'PATCH',
    `/Users/${before}`,
    patch({ op: 'replace', path: 'emails[type eq "work"].value', value: 'x@third.example' }),
  );
  assert.equal(moved.status, 400);
  const left = await own.send(
    'PATCH',
    `/Users/${before}`,
    patch({ op: 'replace', value: { active: false, 'emails[type eq "work"].value': 'x@third.example' } }),
  );
  assert.deepEqual([left.status, left.body['active']], [200, false]);
});

test('A41: a directory that holds other domains keeps their people without an account until the domain is its own', async () => {
  const own = await d.another('another parent');
  await set(own, { domainPolicy: 'hold', domains: ['corp.example'] });
  const a = await own.send('POST', '/Users', oktaCreate('held@new.example'));
  assert.equal(a.status, 201);
  const held = (): Promise<Record<string, unknown>[]> =>
    own.t.super('select user_id, unlinked_because as because from scim_user where id = $1', a.body['id']);
  assert.deepEqual(await held(), [{ user_id: null, because: 'domain_held' }]);
  assert.equal((await own.t.super(`select from app_user where email = 'held@new.example'`)).length, 0);
  assert.deepEqual((await own.api('POST', `/directories/${own.id}/held`, {})).body, { settled: 0, left: false });
  await set(own, { domains: ['corp.example', 'new.example'] });
  assert.deepEqual((await own.api('POST', `/directories/${own.id}/held`, {})).body, { settled: 1, left: false });
  assert.equal((await held())[0]?.['because'], null);
  assert.equal(
    (await own.t.super(`select from app_user where email = 'held@new.example' and state = 'active'`)).length,
    1,
  );
});

test('A41: an account of a directory that holds other domains keeps its address when it is given one of them', async () => {
  const own = await d.another('another parent');
  await set(own, { domainPolicy: 'hold', domains: ['corp.example'] });
  const id = (await own.send('POST', '/Users', oktaCreate('keeps@corp.example'))).body['id'];
  const a = await own.send(
    'PATCH',
    `/Users/${id}`,
    patch({ op: 'replace', value: { 'emails[type eq "work"].value': 'keeps@else.example', displayName: 'New Name' } }),
  );
  assert.equal(a.body['emails'][0].value, 'keeps@else.example');
  const [user] = await own.t.super(
    'select email, display_name as name from app_user u join scim_user s on s.user_id = u.id where s.id = $1',
    id,
  );
  assert.deepEqual(user, { email: 'keeps@corp.example', name: 'New Name' });
  assert.deepEqual((await events('directory.address_kept')).at(-1)?.['because'], 'domain_held');
});

test('a paused directory is told so, and goes on as it was when it is resumed', async () => {
  const own = await d.another('same parent');
  await own.send('POST', '/Users', { userName: 'stays' });
  await set(own, { state: 'paused' });
  const a = await own.send('GET', '/Users');
  assert.deepEqual([a.status, a.body[explainKey].code], [403, 'directory/paused']);
  await set(own, { state: 'active', name: 'Renamed' });
  assert.equal((await own.send('GET', '/Users')).body['totalResults'], 1);
  assert.equal((await own.api('GET', `/directories/${own.id}`)).body['name'], 'Renamed');
  assert.deepEqual(
    [(await events('directory.paused')).at(-1), (await events('directory.resumed')).at(-1)],
    [{ directory: own.id }, { directory: own.id }],
  );
  const n = (await events('directory.changed')).length;
  await set(own, { state: 'active', name: 'Renamed', rate: 100_000 });
  assert.equal((await events('directory.changed')).length, n, 'nothing was different');
});

test('a directory that sends more than its rate waits whole seconds, in SCIM, and is served again then', async () => {
  const own = await d.another('same parent');
  await set(own, { rate: 2 });
  const answers = [];
  for (let i = 0; i < 5; i++) answers.push(await own.send('GET', '/Users?count=0'));
  assert.deepEqual(
    answers.map((a) => a.status),
    [200, 200, 200, 200, 429],
  );
  const refused = answers[4]!;
  assert.deepEqual([refused.body['status'], refused.body[explainKey].code], ['429', 'directory/too-many-requests']);
  assert.match(refused.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  assert.equal((await d.send('GET', '/Users?count=0')).status, 200, 'another directory has a limit of its own');
  d.clock.advance(1000);
  assert.equal((await own.send('GET', '/Users?count=0')).status, 200);
});

test('a burst of twice the rate passes, and afterwards exactly the rate', () => {
  const limit = rateLimit();
  const served = (second: number): number => {
    let n = 0;
    for (; n < 1000; n++)
      try {
        limit('dir', 200, new Date(second * 1000));
      } catch {
        break;
      }
    return n;
  };
  assert.deepEqual([0, 1, 2, 3, 60].map(served), [400, 200, 200, 200, 400]);
});

test('an OAuth client trades its secret for a token of an hour, which ends with the client', async () => {
  const own = await d.another('same parent');
  const made = await own.api('POST', `/directories/${own.id}/clients`, { days: 30 });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.body['tokenUrl'], `https://gatehouse.test/scim/v2/${own.id}/token`);
  const form = (more: Record<string, string>): string =>
    new URLSearchParams({ grant_type: 'client_credentials', ...more }).toString();
  const ask = (body: string, headers: Record<string, string> = {}) =>
    own.send('POST', '/token', body, {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: '',
      ...headers,
    });
  const basic = {
    authorization: `Basic ${Buffer.from(`${made.body['id']}:${made.body['secret']}`).toString('base64')}`,
  };
  for (const a of [
    await ask(form({ client_id: made.body['id'], client_secret: made.body['secret'] })),
    await ask(form({}), basic),
  ]) {
    assert.deepEqual(
      [a.status, a.body['token_type'], a.body['expires_in'], a.headers.get('cache-control')],
      [200, 'Bearer', 3600, 'no-store'],
      a.text,
    );
    const as = { authorization: `Bearer ${a.body['access_token']}` };
    assert.equal((await own.send('GET', '/Users', undefined, as)).status, 200);
    assert.equal((await d.send('GET', '/Users', undefined, as)).status, 401, 'of its own directory only');
  }
  const bearer = { authorization: `Bearer ${(await ask(form({}), basic)).body['access_token']}` };
  d.clock.advance(3600_000);
  assert.equal((await own.send('GET', '/Users', undefined, bearer)).status, 401);
  const fresh = { authorization: `Bearer ${(await ask(form({}), basic)).body['access_token']}` };
  assert.equal((await own.send('GET', '/Users', undefined, fresh)).status, 200);
  const listed = (await own.api('GET', `/directories/${own.id}/clients`)).body['items'][0];
  assert.deepEqual(
    [listed.id, listed.lastUsed, listed.secret],
    [made.body['id'], d.clock.now().toISOString(), undefined],
  );
  assert.deepEqual(
    (await own.api('GET', `/directories/${own.id}/tokens`)).body['items'].length,
    1,
    'an administrator lists the tokens of administrators',
  );
  assert.equal((await own.api('DELETE', `/directories/${own.id}/clients/${made.body['id']}`)).status, 204);
  assert.equal((await own.send('GET', '/Users', undefined, fresh)).status, 401);
  const gone = await ask(form({}), basic);
  assert.deepEqual([gone.status, gone.body['error']], [401, 'invalid_client']);
  assert.equal(
    (await own.api('DELETE', `/directories/${own.id}/clients/${newId('scc')}`)).body['code'],
    'directory/no-client',
  );
  assert.equal(
    (await d.t.super(`select from audit_inbox i where i::text like '%' || $1 || '%'`, made.body['secret'])).length,
    0,
  );
});

test('a client that is unknown, has another secret, is of another directory or says nothing gets the same answer', async () => {
  const own = await d.another('same parent');
  const { body } = await own.api('POST', `/directories/${own.id}/clients`, { days: 1 });
  const ask = async (on: TestDirectory, more: Record<string, string>) => {
    const a = await on.send(
      'POST',
      '/token',
      { grant_type: 'client_credentials', ...more },
      { 'content-type': 'application/json', authorization: '' },
    );
    return [a.status, a.body['error'], a.body['error_description'], a.body['code']];
  };
  const unknown = await ask(own, { client_id: newId('scc'), client_secret: body['secret'] });
  assert.deepEqual([unknown[0], unknown[1], unknown[3]], [401, 'invalid_client', 'directory/client']);
  assert.deepEqual(await ask(own, { client_id: body['id'], client_secret: 'ghx_wrong' }), unknown);
  assert.deepEqual(await ask(d, { client_id: body['id'], client_secret: body['secret'] }), unknown);
  assert.equal((await ask(own, {}))[1], 'invalid_client');
  assert.equal(
    (await own.send('POST', '/token', { grant_type: 'password' }, { 'content-type': 'application/json' })).body[
      'error'
    ],
    'unsupported_grant_type',
  );
  d.clock.advance(86_400_001);
  assert.deepEqual(await ask(own, { client_id: body['id'], client_secret: body['secret'] }), unknown, 'expired');
});

test('a client that asks for a token with every request is told to keep one', async () => {
  const own = await d.another('same parent');
  const { body } = await own.api('POST', `/directories/${own.id}/clients`, { days: 1 });
  await d.t.super(
    `insert into scim_token (parent, id, directory, hash, created_by, created_at, expires_at, client)
     select $1, 'sct_' || lpad(to_hex(i), 32, '0'), $2, sha256(i::text::bytea), $3, now(), '2030-01-01', $3 from generate_series(1, 100) i`,
    own.parent,
    own.id,
    body['id'],
  );
  const a = await own.send(
    'POST',
    '/token',
    { grant_type: 'client_credentials', client_id: body['id'], client_secret: body['secret'] },
    { 'content-type': 'application/json', authorization: '' },
  );
  assert.deepEqual([a.status, a.body['error'], a.headers.get('retry-after')], [429, 'temporarily_unavailable', '60']);
  assert.match(a.body['error_description'], /100 live tokens/);
  assert.equal(a.body['code'], 'directory/too-many-tokens');
});

test('an account that is made by hand in the same moment does not fail the push: the entry waits for its owner', async () => {
  const own = await d.another('another parent');
  const ctx = { parent: own.parent, org: own.org };
  let pushed: ReturnType<TestDirectory['send']> | undefined;
  await own.t.db.transact(ctx, async (tx) => {
    await insertUser(
      tx,
      { id: newId('usr'), email: 'race@corp.example', displayName: 'R', state: 'active', origin: 'local' },
      new Date(),
    );
    pushed = own.send('POST', '/Users', oktaCreate('Race@corp.example'));
    // Until it waits for this transaction.
    for (let waits = 0; waits === 0;)
      waits = (
        await own.t.super(`select from pg_stat_activity where wait_event_type = 'Lock' and query like '%app_user%'`)
      ).length;
  });
  const a = await pushed!;
  assert.equal(a.status, 201, a.text);
  const [row] = await own.t.super('select unlinked_because as because from scim_user where id = $1', a.body['id']);
  assert.deepEqual(row, { because: 'local_user' });
});

test('two that give one address at the same moment: the second is told, and not with a fault of ours', async () => {
  const ctx = { parent: d.parent, org: d.org };
  const user = { email: 'twice@corp.example', displayName: 'T', state: 'active', origin: 'local' } as const;
  await d.t.db.transact(ctx, (tx) => insertUser(tx, { id: newId('usr'), ...user }, new Date()));
  await assert.rejects(
    d.t.db.transact(ctx, (tx) =>
      insertUser(tx, { id: newId('usr'), ...user, email: 'TWICE@corp.example' }, new Date()),
    ),
    { code: 'org/address-taken', kind: 'conflict' },
  );
});
