import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '#kernel/id.ts';
import { entraGroup, oktaCreate, patch } from '#dev/scim-shapes.ts';
import { testDirectory, type TestDirectory } from '#dev/test-directory.ts';
import { newScimToken, scimTokenHash } from './directory.ts';

let d: TestDirectory;
let user: string;
let group: string;
before(async () => {
  d = await testDirectory();
  user = (await d.send('POST', '/Users', oktaCreate('ada@corp.example'))).body['id'];
  for (let i = 0; i < 4; i++) await d.send('POST', '/Users', oktaCreate(`u${i}@corp.example`));
  group = (await d.send('POST', '/Groups', { ...entraGroup('Sales'), members: [{ value: user }] })).body['id'];
});
after(() => d.t.close());

const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error';

for (const [what, type] of [
  ['application/json', 'application/json'],
  ['application/scim+json', 'application/scim+json'],
  ['a charset', 'application/scim+json; charset=utf-8'],
  ['another case', 'Application/JSON'],
])
  test(`A21: a body as ${what} is accepted`, async () => {
    const a = await d.send('POST', '/Users', oktaCreate(`${newId('x' as 'usr')}@corp.example`), {
      'content-type': type!,
    });
    assert.equal(a.status, 201, a.text);
  });

test('A21: any other content type is refused as a SCIM error', async () => {
  const a = await d.send('POST', '/Users', 'userName=x', { 'content-type': 'application/x-www-form-urlencoded' });
  assert.equal(a.status, 415);
  assert.deepEqual(a.body['schemas'], [errorUrn]);
  assert.equal(a.body['status'], '415');
});

for (const accept of ['*/*', 'application/json', 'application/scim+json', undefined])
  test(`A22: Accept ${accept} gets application/scim+json`, async () => {
    const a = await d.send('GET', `/Users/${user}`, undefined, accept ? { accept } : {});
    assert.deepEqual([a.status, a.headers.get('content-type')], [200, 'application/scim+json']);
  });

for (const id of ['00919288221112222', 'scu_', '../Users', '%00', 'scu_zz'])
  test(`A23: the id ${id} is missing, in SCIM`, async () => {
    for (const path of [`/Users/${encodeURIComponent(id)}`, `/Groups/${encodeURIComponent(id)}`]) {
      const a = await d.send('GET', path);
      assert.deepEqual([a.status, a.body['status'], a.body['schemas']], [404, '404', [errorUrn]], a.text);
    }
  });

test('A24: count=0 gives the total and no resources', async () => {
  const { body } = await d.send('GET', '/Users?count=0');
  assert.ok(body['totalResults'] >= 5);
  assert.deepEqual([body['itemsPerPage'], body['Resources']], [0, []]);
});

test('A25: a negative count is 0 and a startIndex of 0 is 1', async () => {
  const { body } = await d.send('GET', '/Users?count=-1&startIndex=0');
  assert.deepEqual([body['startIndex'], body['Resources']], [1, []]);
});

for (const q of ['count=x', 'startIndex=1.5', 'count=1e3'])
  test(`A25: ${q} is no number and is refused`, async () => {
    const a = await d.send('GET', `/Users?${q}`);
    assert.deepEqual([a.status, a.body['scimType']], [400, 'invalidValue']);
  });

test('A26: itemsPerPage is the number returned, and pages walk over everybody once', async () => {
  assert.equal(
    (await d.send('GET', '/Users?count=100000')).body['itemsPerPage'],
    (await d.send('GET', '/Users?count=0')).body['totalResults'],
  );
  const seen: string[] = [];
  for (let start = 1; ;) {
    const { body } = await d.send('GET', `/Users?startIndex=${start}&count=2`);
    seen.push(...body['Resources'].map((r: { id: string }) => r.id));
    start += body['itemsPerPage'];
    if (start > body['totalResults']) break;
  }
  assert.equal(new Set(seen).size, seen.length);
  assert.equal(seen.length, (await d.send('GET', '/Users?count=0')).body['totalResults']);
});

test('A30: attributes and excludedAttributes together are refused', async () => {
  assert.equal((await d.send('GET', '/Users?attributes=userName&excludedAttributes=name')).status, 400);
});

test('A30: attributes selects parts and always leaves id and schemas', async () => {
  const a = await d.send('GET', `/Users/${user}?attributes=userName,name.givenName,EMAILS.value`);
  assert.deepEqual(a.body, {
    userName: 'ada@corp.example',
    name: { givenName: 'Some' },
    emails: [{ value: 'ada@corp.example' }],
    schemas: a.body['schemas'],
    id: user,
  });
  const b = await d.send('GET', `/Users/${user}?excludedAttributes=id,schemas,emails,name.givenName,meta`);
  assert.equal(b.body['id'], user);
  assert.ok(b.body['schemas']);
  assert.deepEqual(b.body['name'], { familyName: 'Person' });
  assert.equal(b.body['emails'] ?? b.body['meta'], undefined);
});

test('Entra looks a group up without its members', async () => {
  const a = await d.send(
    'GET',
    `/Groups?excludedAttributes=members&filter=${encodeURIComponent('displayName eq "SALES"')}`,
  );
  assert.deepEqual(
    [a.body['totalResults'], a.body['Resources'][0].id, a.body['Resources'][0].members],
    [1, group, undefined],
  );
});

test('Entra asks whether a person is a member', async () => {
  const ask = async (who: string): Promise<number> =>
    (await d.send('GET', `/Groups?filter=${encodeURIComponent(`id eq "${group}" and members eq "${who}"`)}`)).body[
      'totalResults'
    ];
  assert.equal(await ask(user), 1);
  assert.equal(await ask(newId('scu')), 0);
});

const auth: [string, Record<string, string>][] = [
  ['no header', { authorization: '' }],
  ['no scheme (Okta sends "non-token")', { authorization: 'non-token' }],
  ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
  ['a token of another form', { authorization: 'Bearer abc' }],
  ['a token that nobody has', { authorization: `Bearer ${newScimToken()}` }],
  ['two tokens', { authorization: 'Bearer a b' }],
];
for (const [what, headers] of auth)
  test(`A32: ${what} is 401 in SCIM with a challenge`, async () => {
    const a = await d.send('GET', '/Users', undefined, headers);
    assert.equal(a.status, 401);
    assert.equal(a.body['status'], '401');
    assert.deepEqual(a.body['schemas'], [errorUrn]);
    assert.match(a.headers.get('www-authenticate') ?? '', /^Bearer/);
    assert.equal(a.headers.get('content-type'), 'application/scim+json');
  });

for (const where of ['same parent', 'another parent'] as const)
  test(`A33: a directory of ${where} sees nothing of this one, by path or by id`, async () => {
    const other = await d.another(where);
    const theirToken = { authorization: `Bearer ${other.token}` };
    const wrongPath = await d.send('GET', '/Users', undefined, theirToken);
    const nobody = await d.send('GET', '/Users', undefined, { authorization: `Bearer ${newScimToken()}` });
    assert.equal(wrongPath.status, 401);
    assert.equal(wrongPath.body['detail'], nobody.body['detail']);
    assert.equal((await other.send('GET', '/Users')).body['totalResults'], 0);
    assert.equal((await other.send('GET', '/Groups')).body['totalResults'], 0);
    const never = newId('scu');
    for (const method of ['GET', 'DELETE', 'PUT', 'PATCH']) {
      const body =
        method === 'PATCH'
          ? patch({ op: 'replace', path: 'active', value: false })
          : method === 'PUT'
            ? { userName: 'x' }
            : undefined;
      const a = await other.send(method, `/Users/${user}`, body);
      const b = await other.send(method, `/Users/${never}`, body);
      assert.equal(a.status, 404);
      assert.equal(a.body['detail'].replace(user, '?'), b.body['detail'].replace(never, '?'));
      const g = await other.send(
        method,
        `/Groups/${group}`,
        method === 'PUT'
          ? { displayName: 'x' }
          : method === 'PATCH'
            ? patch({ op: 'remove', path: 'members' })
            : undefined,
      );
      assert.equal(g.status, 404);
    }
    assert.equal((await d.send('GET', `/Users/${user}`)).body['active'], true);
    assert.equal((await d.send('GET', `/Groups/${group}`)).body['members'].length, 1);
  });

test("a revoked, an expired and a paused directory's token say what is wrong", async () => {
  const other = await d.another('same parent');
  const set = (sql: string): Promise<unknown> => d.t.super(sql, other.id);
  await set(`update directory set state = 'paused' where id = $1`);
  const paused = await other.send('GET', '/Users');
  assert.deepEqual([paused.status, paused.body['detail'].includes('paused')], [403, true]);
  await set(`update scim_token set expires_at = '2026-07-31' where directory = $1`);
  const expired = await other.send('GET', '/Users');
  assert.deepEqual([expired.status, expired.body['detail'].includes('expired')], [401, true]);
  await set(`update scim_token set revoked_at = '2026-07-30' where directory = $1`);
  const revoked = await other.send('GET', '/Users');
  assert.deepEqual([revoked.status, revoked.body['detail'].includes('revoked')], [401, true]);
});

test('the last use of a token is noted at most once a minute', async () => {
  const other = await d.another('same parent');
  const lastUsed = async (): Promise<string | undefined> =>
    (await d.t.super('select last_used_at from scim_token where hash = $1', scimTokenHash(other.token)))[0]?.[
      'last_used_at'
    ]?.toISOString();
  await other.send('GET', '/Users');
  const first = await lastUsed();
  assert.equal(first, d.clock.now().toISOString());
  d.clock.advance(59_000);
  await other.send('GET', '/Users');
  assert.equal(await lastUsed(), first);
  d.clock.advance(1_000);
  await other.send('GET', '/Users');
  assert.equal(await lastUsed(), d.clock.now().toISOString());
});

test('A34: another method on discovery is 405 in SCIM and names what there is', async () => {
  const a = await d.send('POST', '/ServiceProviderConfig', {});
  assert.deepEqual([a.status, a.body['status'], a.headers.get('allow')], [405, '405', 'GET']);
});

test('A35: a body of more than a megabyte is 413 in SCIM', async () => {
  const a = await d.send('POST', '/Users', JSON.stringify({ userName: 'x'.repeat(1_100_000) }));
  assert.deepEqual([a.status, a.body['status']], [413, '413']);
});

for (const [what, body] of [
  ['no JSON', '{"userName":'],
  ['an empty body', ''],
  ['a list', '[]'],
  ['a key twice', '{"userName":"a","userName":"b"}'],
])
  test(`${what} is 400 invalidSyntax`, async () => {
    const a = await d.send('POST', '/Users', body);
    assert.deepEqual([a.status, a.body['scimType']], [400, 'invalidSyntax'], a.text);
  });

test('a path that is not there is a SCIM error, and so is a method that is not', async () => {
  for (const [method, path, status] of [
    ['GET', '/Nothing', 404],
    ['GET', '/Bulk', 405],
    ['PUT', '/Users', 405],
    ['DELETE', '/Groups/.search', 404],
  ] as const) {
    const a = await d.send(method, path);
    assert.deepEqual([a.status, a.body['status'], a.body['schemas']], [status, String(status), [errorUrn]], path);
  }
});

test('Me is 501, because a token is nobody', async () => {
  const a = await d.send('GET', '/Me');
  assert.deepEqual([a.status, a.body['status'], a.body['schemas']], [501, '501', [errorUrn]]);
});

test('discovery announces what is true, from the schema that parses', async () => {
  const schemas = await d.send('GET', '/Schemas');
  assert.equal(schemas.body['totalResults'], 3);
  assert.ok(!schemas.text.includes('null'), 'Entra refuses null in /Schemas');
  assert.ok(!schemas.text.includes('password'));
  const one = await d.send('GET', '/Schemas/urn:ietf:params:scim:schemas:core:2.0:User');
  assert.equal(one.body['attributes'].find((a: { name: string }) => a.name === 'userName').required, true);
  const types = await d.send('GET', '/ResourceTypes');
  assert.deepEqual(
    types.body['Resources'].map((r: { endpoint: string }) => r.endpoint),
    ['/Users', '/Groups'],
  );
  assert.equal((await d.send('GET', '/ResourceTypes/User')).body['schemaExtensions'][0].required, false);
  assert.equal((await d.send('GET', '/ResourceTypes/Robot')).status, 404);
  assert.equal((await d.send('GET', '/Schemas/urn:x')).status, 404);
  assert.equal((await d.send('GET', '/Schemas?filter=x')).status, 403);
});

test('sorting is by any single attribute, in both directions', async () => {
  const names = async (q: string): Promise<string[]> =>
    (await d.send('GET', `/Users?count=200&${q}`)).body['Resources'].map((r: { userName: string }) =>
      r.userName.toLowerCase(),
    );
  const up = await names('sortBy=userName');
  assert.deepEqual(up, up.toSorted());
  assert.deepEqual(await names('sortBy=USERNAME&sortOrder=descending'), up.toReversed());
  assert.equal((await d.send('GET', '/Users?sortBy=emails')).status, 400);
  assert.equal((await d.send('GET', '/Users?sortBy=shoeSize')).status, 400);
  assert.equal((await d.send('GET', '/Users?sortBy=name.familyName')).status, 200);
});
