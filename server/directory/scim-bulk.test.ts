import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { entraCreate, entraGroup, patch } from '#dev/scim-shapes.ts';
import { testDirectory, type Answer, type TestDirectory } from '#dev/test-directory.ts';
import { explainKey } from './scim-error.ts';
import { bulkOrder, MAX_BULK_OPERATIONS, parseBulk } from './scim-bulk.ts';

let d: TestDirectory;
before(async () => {
  d = await testDirectory();
});
after(() => d.t.close());

const bulk = (Operations: unknown[], more: object = {}): Promise<Answer> =>
  d.send('POST', '/Bulk', { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'], Operations, ...more });
const idOf = (o: { location: string }): string => o.location.split('/').at(-1) ?? '';
const statuses = (a: Answer): string[] => a.body['Operations'].map((o: { status: string }) => o.status);

test('people and the group that they are in come in one request, the group first and referring ahead', async () => {
  const a = await bulk([
    {
      method: 'POST',
      path: '/Groups',
      bulkId: 'g',
      data: { ...entraGroup('Tour'), members: [{ value: 'bulkId:a' }, { value: 'bulkId:b' }] },
    },
    { method: 'POST', path: '/Users', bulkId: 'a', data: entraCreate('a@bulk.example') },
    { method: 'post', path: '/Users', bulkId: 'b', data: entraCreate('b@bulk.example') },
  ]);
  assert.equal(a.status, 200, a.text);
  assert.deepEqual(a.body['schemas'], ['urn:ietf:params:scim:api:messages:2.0:BulkResponse']);
  assert.deepEqual(statuses(a), ['201', '201', '201']);
  assert.deepEqual(
    a.body['Operations'].map((o: { bulkId: string; method: string; version: string }) => [o.bulkId, o.method]),
    [
      ['g', 'POST'],
      ['a', 'POST'],
      ['b', 'POST'],
    ],
  );
  assert.match(a.body['Operations'][1].version, /^W\/"1"$/);
  const group = await d.send('GET', `/Groups/${idOf(a.body['Operations'][0])}`);
  assert.deepEqual(
    group.body['members'].map((m: { value: string }) => m.value).sort(),
    a.body['Operations'].slice(1).map(idOf).sort(),
  );
});

test('two people who are each other’s managers come in one request', async () => {
  const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
  const a = await bulk([
    {
      method: 'POST',
      path: '/Users',
      bulkId: 'x',
      data: { userName: 'x@bulk.example', [urn]: { manager: { value: 'bulkId:y' } } },
    },
    {
      method: 'POST',
      path: '/Users',
      bulkId: 'y',
      data: { userName: 'y@bulk.example', [urn]: { manager: { value: 'bulkId:x' } } },
    },
  ]);
  assert.deepEqual(statuses(a), ['201', '201']);
  const [x, y] = a.body['Operations'].map(idOf);
  assert.equal((await d.send('GET', `/Users/${x}`)).body[urn].manager.value, y);
  assert.equal((await d.send('GET', `/Users/${y}`)).body[urn].manager.value, x);
});

test('what was just made can be changed and deleted by its bulkId, in a path, a value and a filter', async () => {
  const a = await bulk([
    { method: 'POST', path: '/Users', bulkId: 'z', data: entraCreate('z@bulk.example') },
    { method: 'POST', path: '/Groups', bulkId: 'zg', data: { ...entraGroup('Z'), members: [{ value: 'bulkId:z' }] } },
    { method: 'PATCH', path: '/Users/bulkId:z', data: patch({ op: 'replace', path: 'title', value: 'Chair' }) },
    { method: 'PATCH', path: '/Groups/bulkId:zg', data: patch({ op: 'remove', path: 'members[value eq "bulkId:z"]' }) },
    { method: 'DELETE', path: '/Groups/bulkId:zg' },
  ]);
  assert.deepEqual(statuses(a), ['201', '201', '200', '200', '204'], a.text);
  assert.equal((await d.send('GET', `/Users/${idOf(a.body['Operations'][0])}`)).body['title'], 'Chair');
  assert.equal((await d.send('GET', `/Groups/${idOf(a.body['Operations'][1])}`)).status, 404);
});

test('an operation that fails says why, at its place, and the others are done', async () => {
  const a = await bulk([
    { method: 'POST', path: '/Users', bulkId: '1', data: { userName: 'ok@bulk.example' } },
    { method: 'POST', path: '/Users', bulkId: '2', data: { userName: 'OK@bulk.example' } },
    { method: 'PATCH', path: '/Users/nobody', data: patch({ op: 'replace', path: 'title', value: 'x' }) },
    { method: 'GET', path: '/Users' },
    { method: 'POST', path: '/Robots', bulkId: '5', data: {} },
    { method: 'POST', path: '/Groups', bulkId: '6', data: { displayName: 'Broken', members: [{ value: 'bulkId:2' }] } },
    {
      method: 'POST',
      path: '/Groups',
      bulkId: '7',
      data: { displayName: 'Broken', members: [{ value: 'bulkId:never' }] },
    },
    { method: 'PUT', path: '/Users/x' },
  ]);
  assert.deepEqual(statuses(a), ['201', '409', '404', '400', '400', '400', '400', '400']);
  const told = a.body['Operations'].map((o: Record<string, Record<string, unknown>>) => {
    const { scimType, [explainKey]: explain } = o['response'] ?? {};
    return [
      scimType,
      (explain as { code?: string } | undefined)?.code,
      (explain as { operation?: number } | undefined)?.operation,
    ];
  });
  assert.deepEqual(told.slice(1), [
    ['uniqueness', 'directory/user-exists', 1],
    [undefined, 'directory/no-user', 2],
    ['invalidSyntax', 'directory/invalid-bulk', 3],
    ['invalidPath', 'directory/invalid-bulk', 4],
    ['invalidValue', 'directory/bulk-reference', 5],
    ['invalidValue', 'directory/invalid-bulk', 6],
    ['invalidSyntax', 'directory/invalid-bulk', 7],
  ]);
  assert.equal((await d.send('GET', '/Groups?filter=displayName eq "Broken"')).body['totalResults'], 0);
});

test('after as many failures as the client allows nothing more is done, and nothing is said of it', async () => {
  const a = await bulk(
    [
      { method: 'DELETE', path: '/Users/one' },
      { method: 'POST', path: '/Users', bulkId: 'f', data: { userName: 'after@bulk.example' } },
      { method: 'DELETE', path: '/Users/two' },
      { method: 'POST', path: '/Users', bulkId: 'n', data: { userName: 'never@bulk.example' } },
    ],
    { failOnErrors: 2 },
  );
  assert.deepEqual(statuses(a), ['404', '201', '404']);
  assert.equal((await d.send('GET', '/Users?filter=userName eq "never@bulk.example"')).body['totalResults'], 0);
});

test('a version in an operation is its If-Match', async () => {
  const { body } = await d.send('POST', '/Users', entraCreate('v@bulk.example'));
  const op = {
    method: 'PATCH',
    path: `/Users/${body['id']}`,
    data: patch({ op: 'replace', path: 'title', value: 'x' }),
  };
  assert.deepEqual(statuses(await bulk([{ ...op, version: 'W/"7"' }])), ['412']);
  assert.deepEqual(statuses(await bulk([{ ...op, version: 'W/"1"' }])), ['200']);
});

for (const [what, body, status, code] of [
  ['no operations', {}, 400, 'directory/invalid-bulk'],
  ['an empty list', { Operations: [] }, 400, 'directory/invalid-bulk'],
  ['an operation that is no object', { Operations: ['x'] }, 400, 'directory/invalid-bulk'],
  [
    'a bulkId twice',
    { Operations: [1, 2].map(() => ({ method: 'POST', path: '/Users', bulkId: 'q', data: {} })) },
    400,
    'directory/invalid-bulk',
  ],
  ['failOnErrors that is no number', { Operations: [{}], failOnErrors: 'all' }, 400, 'directory/invalid-bulk'],
  [
    'too many operations',
    { Operations: Array.from({ length: MAX_BULK_OPERATIONS + 1 }, () => ({ method: 'DELETE', path: '/Users/x' })) },
    413,
    'directory/bulk-too-large',
  ],
] as const)
  test(`a Bulk request with ${what} is refused whole`, async () => {
    const a = await d.send('POST', '/Bulk', body);
    assert.deepEqual([a.status, a.body['status'], a.body[explainKey]?.code], [status, String(status), code], a.text);
  });

test('A35: a Bulk request may have 2 MB and no more', async () => {
  const big = {
    Operations: [{ method: 'POST', path: '/Users', bulkId: 'b', data: { userName: 'big', x: 'y'.repeat(1_500_000) } }],
  };
  assert.equal((await d.send('POST', '/Bulk', big)).status, 200);
  const a = await d.send('POST', '/Bulk', { Operations: [{ x: 'y'.repeat(2_100_000) }] });
  assert.deepEqual([a.status, a.body['status']], [413, '413']);
});

test('each operation has its entry in the journal, with its references filled in', async () => {
  const a = await bulk([
    { method: 'POST', path: '/Groups', bulkId: 'jg', data: { displayName: 'J', members: [{ value: 'bulkId:ju' }] } },
    { method: 'POST', path: '/Users', bulkId: 'ju', data: { userName: 'j@bulk.example' } },
    { method: 'DELETE', path: '/Users/nobody' },
  ]);
  const request = a.headers.get('request-id');
  const { body } = await d.api('GET', `/directories/${d.id}/journal?limit=200`);
  const own = body['items'].filter((l: { request: string }) => l.request === request);
  assert.deepEqual(own.map((l: { operation: number; status: number }) => [l.operation, l.status]).sort(), [
    [0, 201],
    [1, 201],
    [2, 404],
  ]);
  const line = own.find((l: { operation: number }) => l.operation === 0);
  assert.deepEqual(line.meant.set.members, [idOf(a.body['Operations'][1])]);
});

test('a chain of a thousand references is put in order without a deep stack', () => {
  const ops = Array.from({ length: 1000 }, (_, i) => ({
    method: 'POST',
    path: '/Users',
    bulkId: String(i),
    data: { userName: `u${i}`, manager: i < 999 ? `bulkId:${i + 1}` : 'none' },
  }));
  const order = bulkOrder(parseBulk({ Operations: ops }, false).ops).map((o) => o.index);
  assert.deepEqual(
    order,
    Array.from({ length: 1000 }, (_, i) => 999 - i),
  );
});

test('ServiceProviderConfig announces what Bulk takes', async () => {
  assert.deepEqual((await d.send('GET', '/ServiceProviderConfig')).body['bulk'], {
    supported: true,
    maxOperations: 1000,
    maxPayloadSize: 2_097_152,
  });
});
