// Longer than 300 lines: the rows of one acceptance matrix, each with the shape of the vendor that sends it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDirectory, type Answer, type TestDirectory } from '#dev/test-directory.ts';
import { oktaCreate, patch } from '#dev/scim-shapes.ts';
import { userResource } from './scim-schema.ts';
import { typedElement } from './scim-value.ts';
import { Problem } from '#kernel/problem.ts';

let d: TestDirectory;
before(async () => {
  d = await testDirectory();
});
after(() => d.t.close());

let n = 0;
const name = (): string => `person${++n}@corp.example`;
const add = async (over: Record<string, unknown> = {}): Promise<Answer> => {
  const a = await d.send('POST', '/Users', { ...oktaCreate(name()), ...over });
  assert.equal(a.status, 201, a.text);
  return a;
};
const accountOf = async (
  scu: string,
): Promise<{ id: string; state: string; email: string; display_name: string; origin: string } | undefined> =>
  (
    await d.t.super<{ id: string; state: string; email: string; display_name: string; origin: string }>(
      'select a.* from app_user a join scim_user u on u.user_id = a.id where u.id = $1',
      scu,
    )
  )[0];
const patched = async (id: string, ...ops: unknown[]): Promise<Answer> =>
  d.send('PATCH', `/Users/${id}`, patch(...ops));

test('A1: an operation is understood in any case', async () => {
  const { body } = await add();
  const a = await patched(
    body.id,
    { op: 'Add', path: 'title', value: 'A' },
    { OP: 'REPLACE', path: 'nickName', value: 'B' },
    { op: 'remove', path: 'locale' },
  );
  assert.equal(a.status, 200, a.text);
  assert.equal(a.body.title, 'A');
  assert.equal(a.body.nickName, 'B');
  assert.equal(a.body.locale, undefined);
});

for (const [what, op] of [
  ['unknown', { op: 'move', path: 'title', value: 'x' }],
  ['missing', { path: 'title', value: 'x' }],
  ['no object', 'remove'],
] as const)
  test(`A2: an operation whose op is ${what} is refused, with its index, and nothing of the request is applied`, async () => {
    const { body } = await add({ title: 'before' });
    const a = await patched(body.id, { op: 'replace', path: 'title', value: 'after' }, op);
    assert.equal(a.status, 400);
    assert.equal(a.body.scimType, 'invalidSyntax');
    assert.match(a.body.detail, /operation 1/);
    assert.equal((await d.send('GET', `/Users/${body.id}`)).body.title, 'before');
  });

for (const path of [
  'DISPLAYNAME',
  'urn:ietf:params:scim:schemas:core:2.0:User:displayName',
  'URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER:displayname',
])
  test(`A3: the path ${path} is displayName`, async () => {
    const { body } = await add();
    assert.equal((await patched(body.id, { op: 'replace', path, value: 'Renamed' })).body.displayName, 'Renamed');
  });

test('A3: an attribute of the enterprise extension is reached by its URN', async () => {
  const { body } = await add();
  const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
  const a = await patched(body.id, { op: 'add', path: `${urn}:department`, value: 'Sales' });
  assert.deepEqual(a.body[urn], { department: 'Sales' });
  assert.ok(a.body.schemas.includes(urn));
});

test("A4: Entra's keys of a path-less replace are paths", async () => {
  const { body } = await add();
  const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
  const a = await patched(body.id, {
    op: 'replace',
    value: {
      displayName: 'D',
      'name.givenName': 'G',
      [`${urn}:employeeNumber`]: '7',
      'emails[type eq "work"].value': 'new@corp.example',
      title: 'T',
    },
  });
  assert.equal(a.status, 200, a.text);
  assert.equal(a.body.name.givenName, 'G');
  assert.equal(a.body.name.familyName, 'Person');
  assert.equal(a.body[urn].employeeNumber, '7');
  assert.equal(a.body.emails[0].value, 'new@corp.example');
  assert.equal(a.body['name.givenName'], undefined);
});

test('A5: a remove without a path is refused', async () => {
  const { body } = await add();
  const a = await patched(body.id, { op: 'remove', value: { title: 'x' } });
  assert.deepEqual([a.status, a.body.scimType], [400, 'noTarget']);
});

for (const [value, active] of [
  ['True', true],
  ['true', true],
  ['False', false],
  ['false', false],
  [false, false],
] as const)
  test(`A6: active ${JSON.stringify(value)} means ${active}`, async () => {
    const { body } = await add();
    const a = await patched(body.id, { op: 'Replace', path: 'active', value });
    assert.equal(a.body.active, active);
  });

for (const value of ['yes', 1, '1', {}])
  test(`A6: active ${JSON.stringify(value)} is refused`, async () => {
    const { body } = await add();
    const a = await patched(body.id, { op: 'replace', path: 'active', value });
    assert.deepEqual([a.status, a.body.scimType], [400, 'invalidValue']);
  });

test('A6: a string attribute keeps "True" as it is', async () => {
  const { body } = await add();
  assert.equal((await patched(body.id, { op: 'replace', path: 'title', value: 'True' })).body.title, 'True');
});

test('A7: a whole number may come as its digits, and as nothing else', () => {
  const [any] = userResource.top;
  const integer = { ...any!, type: 'integer' as const };
  const read = (raw: unknown): unknown => typedElement(integer, raw, 'n', new Set());
  assert.deepEqual([read(7), read('7'), read('-12'), read('0')], [7, 7, -12, 0]);
  for (const raw of ['07', '1.0', '1e3', ' 1', 'x', 1.5, '99999999999999999999', true])
    assert.throws(
      () => read(raw),
      (e) => e instanceof Problem && e.code === 'directory/invalid-value',
    );
});

test('A8: Entra\'s bare manager id becomes an object, and "" takes it away', async () => {
  const { body } = await add();
  const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
  const set = await patched(body.id, { op: 'Add', path: `${urn}:manager`, value: 'boss-1' });
  assert.deepEqual(set.body[urn].manager, { value: 'boss-1' });
  const gone = await patched(body.id, { op: 'Replace', path: `${urn}:manager`, value: '' });
  assert.equal(gone.body[urn], undefined);
});

for (const value of ['', null, [], [{ value: '' }]])
  test(`A9: replacing roles by ${JSON.stringify(value)} takes them away`, async () => {
    const { body } = await add({ roles: [{ value: 'r', primary: true }] });
    const a = await patched(body.id, { op: 'replace', path: 'roles', value });
    assert.equal(a.status, 200, a.text);
    assert.equal(a.body.roles, undefined);
  });

test('A9: ConductorOne removes roles with an empty list', async () => {
  const { body } = await add({ roles: [{ value: 'r' }] });
  assert.equal((await patched(body.id, { op: 'remove', path: 'roles', value: [] })).body.roles, undefined);
});

test('A10: an element that fits no filter yet is made from it', async () => {
  const { body } = await add();
  const a = await patched(body.id, { op: 'Replace', path: 'phoneNumbers[type eq "mobile"].value', value: '+49 1' });
  assert.deepEqual(a.body.phoneNumbers, [{ type: 'mobile', value: '+49 1' }]);
});

test('A11: a filter of equalities joined by "and" makes the whole element', async () => {
  const { body } = await add();
  const a = await patched(body.id, {
    op: 'add',
    path: 'roles[primary eq "True" and type eq "x"].display',
    value: 'Boss',
  });
  assert.deepEqual(a.body.roles, [{ primary: true, type: 'x', display: 'Boss' }]);
});

test('A10: a filter that is no equality cannot make an element and is refused', async () => {
  const { body } = await add();
  const a = await patched(body.id, { op: 'add', path: 'roles[value co "x"].display', value: 'Boss' });
  assert.deepEqual([a.status, a.body.scimType], [400, 'noTarget']);
});

test('A12: removing an element that is not there succeeds and changes nothing', async () => {
  const { body } = await add();
  const a = await patched(body.id, { op: 'remove', path: 'emails[type eq "home"]' });
  assert.equal(a.status, 200);
  assert.equal(a.body.meta.version, 'W/"1"');
});

test('a filtered replace keeps what the filter says, and a filtered remove takes one element', async () => {
  const { body } = await add({
    emails: [
      { value: 'a@corp.example', type: 'work', primary: true },
      { value: 'b@corp.example', type: 'home' },
    ],
  });
  const a = await patched(
    body.id,
    { op: 'replace', path: 'emails[type eq "home"]', value: { value: 'c@corp.example' } },
    { op: 'remove', path: 'emails[type eq "work"]' },
  );
  assert.deepEqual(a.body.emails, [{ type: 'home', value: 'c@corp.example' }]);
});

test('naming another primary e-mail takes the mark from the old one', async () => {
  const { body } = await add({ emails: [{ value: 'a@corp.example', type: 'work', primary: true }] });
  const a = await patched(body.id, { op: 'add', path: 'emails', value: [{ value: 'b2@corp.example', primary: true }] });
  assert.deepEqual(
    a.body.emails.map((e: { primary: boolean }) => e.primary),
    [false, true],
  );
  assert.equal((await accountOf(body.id))?.email, 'b2@corp.example');
});

test('the operations of one request are applied in their order', async () => {
  const { body } = await add();
  const a = await patched(
    body.id,
    { op: 'remove', path: 'externalId' },
    { op: 'add', path: 'externalId', value: 'x1' },
    { op: 'replace', path: 'externalId', value: `x-${body.id}` },
  );
  assert.equal(a.body.externalId, `x-${body.id}`);
});

test("Entra's validator changes 36 parts of roles, e-mails and addresses in one request", async () => {
  const { body } = await add();
  const ops = ['display', 'value', 'type'].flatMap((part) =>
    Array.from({ length: 12 }, (_, i) => ({
      op: 'add',
      path: `roles[primary eq "True"].${part}`,
      value: `Random ${i}`,
    })),
  );
  const a = await patched(body.id, ...ops);
  assert.equal(a.status, 200, a.text);
  assert.deepEqual(a.body.roles, [{ primary: true, display: 'Random 11', value: 'Random 11', type: 'Random 11' }]);
});

test('A18: id, meta and groups in a PUT are ignored; another id is refused', async () => {
  const { body } = await add();
  const put = { ...body, groups: [{ value: 'grp_x' }], meta: { version: 'W/"99"' }, title: 'New' };
  const a = await d.send('PUT', `/Users/${body.id}`, put);
  assert.equal(a.status, 200, a.text);
  assert.equal(a.body.meta.version, 'W/"2"');
  assert.equal(a.body.groups, undefined);
  const other = await d.send('PUT', `/Users/${body.id}`, { ...put, id: 'scu_other' });
  assert.deepEqual([other.status, other.body.scimType], [400, 'mutability']);
  const patchOther = await patched(body.id, { op: 'replace', value: { id: 'other' } });
  assert.deepEqual([patchOther.status, patchOther.body.scimType], [400, 'mutability']);
});

test('A19: attributes and schemas that we do not know are ignored and never stored', async () => {
  const a = await add({
    favouriteColour: 'mauve',
    'urn:example:custom:1.0': { x: 'mauve' },
    name: { givenName: 'A', familyName: 'B', petName: 'mauve' },
  });
  assert.ok(!a.text.includes('mauve'));
  const p = await patched(a.body.id, { op: 'add', path: 'favouriteColour', value: 'mauve' });
  assert.deepEqual([p.status, p.body.meta.version], [200, 'W/"1"']);
  assert.equal((await d.t.super(`select from scim_user where attributes::text like '%mauve%'`)).length, 0);
});

for (const [what, op] of [
  ['a path', { op: 'add', path: '__proto__.polluted', value: 'x' }],
  ['a constructor path', { op: 'add', path: 'constructor.prototype.polluted', value: 'x' }],
  ['a key', '{"op":"add","value":{"__proto__.polluted":"x"}}'],
  ['a bare key', '{"op":"add","value":{"__proto__":{"polluted":"x"}}}'],
  ['a key of a value', '{"op":"add","path":"name","value":{"__proto__":{"polluted":"x"}}}'],
  ['a filter', { op: 'add', path: 'emails[__proto__ eq "x"].value', value: 'x' }],
] as const)
  test(`A20: a prototype name as ${what} is refused and no object changes`, async () => {
    const { body } = await add();
    const text = typeof op === 'string' ? op : JSON.stringify(op);
    const a = await d.send('PATCH', `/Users/${body.id}`, `{"Operations":[${text}]}`);
    assert.deepEqual([a.status, a.body.scimType], [400, 'invalidPath'], a.text);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

test('A20: a prototype name in a POST is refused', async () => {
  const a = await d.send('POST', '/Users', '{"userName":"x","__proto__":{"active":false}}');
  assert.deepEqual([a.status, a.body.scimType], [400, 'invalidPath']);
});

for (const [what, value] of [
  ['a number for a string', 7],
  ['a character that no text can have', 'a\u0000b'],
  ['33,000 characters', 'x'.repeat(33_000)],
  ['a list for a single value', ['a']],
] as const)
  test(`${what} is refused as invalidValue`, async () => {
    const { body } = await add();
    const a = await patched(body.id, { op: 'replace', path: 'title', value });
    assert.deepEqual([a.status, a.body.scimType], [400, 'invalidValue'], a.text);
  });

test('an attribute in two spellings is refused', async () => {
  const a = await d.send('POST', '/Users', { userName: name(), username: name() });
  assert.deepEqual([a.status, a.body.scimType], [400, 'invalidSyntax']);
});

for (const path of [
  'emails[type eq "work"',
  'emails[type eq "work"]x',
  'emails[].value',
  '1abc',
  'name..givenName!',
  'title[x eq "y"]',
  'emails[type xx "y"]',
])
  test(`the path ${path} is refused`, async () => {
    const { body } = await add();
    const a = await patched(body.id, { op: 'add', path, value: 'x' });
    assert.equal(a.status, 400, a.text);
    assert.match(a.body.scimType, /^invalid(Path|Filter)$/);
  });

for (const body of [
  {},
  { Operations: [] },
  { Operations: 'x' },
  [],
  { Operations: Array.from({ length: 1001 }, () => ({ op: 'remove', path: 'title' })) },
])
  test(`a PATCH without 1 to 1,000 operations is refused: ${JSON.stringify(body).slice(0, 40)}`, async () => {
    const u = await add();
    const a = await d.send('PATCH', `/Users/${u.body.id}`, body);
    assert.deepEqual([a.status, a.body.scimType], [400, 'invalidSyntax']);
  });
