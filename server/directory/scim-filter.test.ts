// Longer than 300 lines: the list of what is searched and what is refused is one list.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '#kernel/problem.ts';
import { testDirectory, type TestDirectory } from '#dev/test-directory.ts';
import { MAX_FILTER_DEPTH, MAX_FILTER_TERMS, matches, parseFilter, type Filter } from './scim-filter.ts';
import { findResourcePath, userResource } from './scim-schema.ts';
import { countScimUsers, listScimUsers } from './scim-user.sql.ts';
import type { ScimUser } from './scim-user.ts';
import { complex } from './scim-value.ts';

let d: TestDirectory;
let all: ScimUser[];
const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
before(async () => {
  d = await testDirectory();
  const words = ['Ann', 'ann', 'Bo"b', 'b%b', 'a_n', 'back\\slash', 'żółw', 'x', 'True', '日本'];
  for (let i = 0; i < 30; i++) {
    const w = (k: number): string => words[(i * 7 + k * 3) % words.length]!;
    const a = await d.send('POST', '/Users', {
      userName: `${w(0)}-${i}`,
      ...(i % 3 ? { displayName: w(1) } : {}),
      ...(i % 4 ? { externalId: `E-${w(2)}-${i}` } : {}),
      ...(i % 5 ? { name: { givenName: w(3), ...(i % 2 ? { familyName: w(4) } : {}) } } : {}),
      active: i % 3 !== 1,
      ...(i % 4 === 3
        ? {}
        : {
            emails: [
              { value: `${i}@Corp.example`, type: i % 2 ? 'work' : 'Home', primary: i % 3 === 0 },
              ...(i % 2 ? [{ value: `second${i}@x.example`, display: w(5) }] : []),
            ],
          }),
      ...(i % 6 ? {} : { roles: [{ value: w(6), primary: i % 4 === 0 }, { display: w(7) }] }),
      ...(i % 2 ? { [urn]: { department: w(8), ...(i % 3 ? { manager: { value: w(9) } } : {}) } } : {}),
    });
    assert.equal(a.status, 201, a.text);
  }
  all = await d.t.db.read({ parent: d.parent }, (db) =>
    listScimUsers(db, d.id, { filter: undefined, sort: undefined, offset: 0, limit: 100, after: undefined }),
  );
  assert.equal(all.length, 30);
});
after(() => d.t.close());

const parsed = (text: string): Filter => parseFilter(text, (name) => findResourcePath(userResource, name));
const bySql = (f: Filter): Promise<string[]> =>
  d.t.db.read({ parent: d.parent }, async (db) => {
    const users = await listScimUsers(db, d.id, {
      filter: f,
      sort: undefined,
      offset: 0,
      limit: 100,
      after: undefined,
    });
    assert.equal(await countScimUsers(db, d.id, f), users.length);
    return users.map((u) => u.id);
  });
/** The reference: every user in memory, one by one. */
const byHand = (f: Filter): string[] =>
  all
    .filter((u) =>
      matches(
        f,
        complex({
          ...u.attributes,
          id: u.id,
          meta: complex({
            created: u.created.toISOString(),
            lastModified: u.changed.toISOString(),
            resourceType: 'User',
          }),
        }),
      ),
    )
    .map((u) => u.id);
const agree = async (text: string): Promise<number> => {
  const f = parsed(text);
  const found = await bySql(f);
  assert.deepEqual(found, byHand(f), text);
  return found.length;
};

const shown: [string, string][] = [
  ['eq, case aside', 'displayName eq "ANN"'],
  ['ne', 'displayName ne "Ann"'],
  ['co with a wildcard taken literally', 'userName co "%"'],
  ['sw with an underscore taken literally', 'userName sw "a_"'],
  ['ew', 'userName ew "-7"'],
  ['gt', 'userName gt "b"'],
  ['ge', 'externalId ge "E-a"'],
  ['lt', 'name.givenName lt "b"'],
  ['le', 'userName le "ann-0"'],
  ['pr', 'emails pr'],
  ['not', 'not (name.familyName eq "x")'],
  ['grouping', '(active eq true or displayName pr) and not (externalId pr)'],
  ['precedence: and before or', 'active eq true or displayName eq "x" and externalId pr'],
  ['a valuePath on one and the same element', 'emails[type eq "work" and primary eq true]'],
  ['the same words on different elements', 'emails.type eq "work" and emails.primary eq true'],
  ['a URN of the extension', `${urn}:department eq "ann"`],
  ['a part of a part by URN', `${urn}:manager.value pr`],
  ['the manager by its value', `${urn}:manager eq "x"`],
  ['brackets after a single object', 'name[givenName eq "ann" and familyName pr]'],
  ['a URN of the core', 'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "x"'],
  ['an escaped quote', 'userName co "Bo\\"b"'],
  ['an escaped backslash', 'userName co "back\\\\slash"'],
  ['unicode', 'userName co "日本"'],
  ['unicode by escape', 'userName co "\\u65e5"'],
  ['a boolean', 'active eq false'],
  ["Entra's boolean string", 'active eq "True"'],
  ["Entra's bare word", 'displayName eq ann'],
  ['an attribute in any case', 'USERNAME SW "X"'],
  ['e-mails without .value', 'emails eq "7@corp.EXAMPLE"'],
  ['roles in the tail', 'roles[value eq "ann" or display eq "x"]'],
  ['a part of the element that fits (Entra)', 'emails[type eq "work"].value eq "7@corp.example"'],
  ['a part of the element that fits, ne', 'emails[type eq "work"].value ne "7@corp.example"'],
  ['a part of the element that fits, pr', 'emails[type eq "home"].value pr and active eq true'],
  ['a part of the element that fits, in the tail', 'roles[type eq "ann"].value sw "x"'],
  ['null', 'displayName eq null'],
  ['a date', 'meta.created lt "2030-01-01T00:00:00Z"'],
  ['a date that is later', 'meta.created gt "2030-01-01T00:00:00+02:00"'],
  ['a resource type', 'meta.resourceType eq "User"'],
];
for (const [what, text] of shown)
  test(`A27: ${what}: ${text}`, async () => {
    await agree(text);
  });

test('A27: externalId counts the case, userName does not', async () => {
  const { externalId, userName } = all.find((u) => u.attributes['externalId'] !== undefined)!.attributes as Record<
    string,
    string
  >;
  assert.equal(await agree(`externalId eq ${JSON.stringify(externalId)}`), 1);
  assert.equal(await agree(`externalId eq ${JSON.stringify(externalId!.toLowerCase())}`), 0);
  assert.equal(await agree(`userName eq ${JSON.stringify(userName!.toUpperCase())}`), 1);
});

test('A27: an id is found by itself, by any of a few, and not by a part of it', async () => {
  assert.equal(await agree(`id eq "${all[0]!.id}"`), 1);
  assert.equal(await agree(`id eq "${all[0]!.id}" or id eq "${all[1]!.id}"`), 2);
  assert.equal(await agree(`id eq "${all[0]!.id.toUpperCase()}"`), 0);
});

const refused: [string, string, string][] = [
  ['an unknown attribute', 'shoeSize eq "9"', 'invalidFilter'],
  ['an unknown part', 'name.petName eq "x"', 'invalidFilter'],
  ['an attribute of another schema', 'urn:x:y:userName eq "x"', 'invalidFilter'],
  ['the password', 'password eq "x"', 'invalidFilter'],
  ['what cannot be searched', 'meta.location eq "x"', 'invalidFilter'],
  ['an unknown operator', 'userName like "x"', 'invalidFilter'],
  ['no operator', 'userName', 'invalidFilter'],
  ['no value', 'userName eq', 'invalidFilter'],
  ['no attribute', '"x" eq userName', 'invalidFilter'],
  ['nothing', '', 'invalidFilter'],
  ['spaces', '   ', 'invalidFilter'],
  ['an end after and', 'userName eq "a" and', 'invalidFilter'],
  ['an open string', 'userName eq "a', 'invalidFilter'],
  ['an open bracket', 'emails[type eq "work"', 'invalidFilter'],
  ['an open parenthesis', '(userName eq "a"', 'invalidFilter'],
  ['a closing one too many', 'userName eq "a")', 'invalidFilter'],
  ['two filters', 'userName eq "a" userName eq "b"', 'invalidFilter'],
  ['an object without a part', 'name eq "x"', 'invalidFilter'],
  ['an order of booleans', 'active gt true', 'invalidFilter'],
  ['a part of a boolean', 'active co "t"', 'invalidFilter'],
  ['no boolean', 'active eq "yes"', 'invalidFilter'],
  ['no date', 'meta.created gt "yesterday"', 'invalidFilter'],
  ['a bare word after co', 'userName co x', 'invalidFilter'],
  ['a broken escape', 'userName eq "\\x"', 'invalidFilter'],
  ['a character that no text has', 'userName eq "\\u0000"', 'invalidFilter'],
  ['brackets after a simple value', 'userName[value eq "x"]', 'invalidFilter'],
  ['a prototype', '__proto__ eq "x"', 'invalidPath'],
  ['SQL as a name', 'userName;drop table scim_user eq "x"', 'invalidFilter'],
];
for (const [what, text, scimType] of refused)
  test(`A29: ${what} is refused, never "everyone": ${text}`, async () => {
    const a = await d.send('GET', `/Users?filter=${encodeURIComponent(text)}`);
    assert.deepEqual([a.status, a.body['scimType']], [400, scimType], a.text);
    assert.equal(a.body['Resources'], undefined);
  });

test('A28: depth, terms and length are bounded, and at the bound they work', async () => {
  const nested = (n: number): string => '('.repeat(n) + 'active eq true' + ')'.repeat(n);
  const many = (n: number): string => Array.from({ length: n }, () => 'active eq true').join(' or ');
  await agree(nested(MAX_FILTER_DEPTH - 1));
  await agree(many(MAX_FILTER_TERMS));
  for (const text of [
    nested(MAX_FILTER_DEPTH),
    nested(100_000),
    'not ('.repeat(40) + 'active eq true' + ')'.repeat(40),
    many(MAX_FILTER_TERMS + 1),
    `userName eq "${'x'.repeat(4096)}"`,
  ])
    assert.throws(
      () => parsed(text),
      (e) => e instanceof Problem && /invalid-filter|filter-too-large/.test(e.code),
    );
});

for (const evil of [
  "'; drop table scim_user; --",
  "' or '1'='1",
  '$1',
  '$$',
  '\\',
  "\\'; select pg_sleep(9); --",
  '%',
  '_',
  '{}',
  '"}]',
  'x\' collate "C',
  ':name',
  '\u202e',
  '🦊',
])
  test(`a value is only ever a value: ${evil}`, async () => {
    for (const at of ['userName', 'name.givenName', 'emails.value', 'roles.display', `${urn}:department`])
      for (const op of ['eq', 'co', 'sw', 'ew', 'gt']) {
        const n = await agree(`${at} ${op} ${JSON.stringify(evil)}`);
        if (op === 'eq') assert.equal(n, 0);
      }
    assert.equal(all.length, 30);
  });

test('any filter finds by SQL exactly whom it finds one by one in memory', { timeout: 60_000 }, async () => {
  const word = fc.constantFrom(
    'ann',
    'x',
    'a',
    '-1',
    'B',
    'b%',
    '_',
    'work',
    'home',
    '@corp',
    'żółw',
    'true',
    '',
    '\\',
    '"',
  );
  const op = fc.constantFrom('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le');
  const simple = fc.constantFrom(
    'userName',
    'displayName',
    'externalId',
    'name.givenName',
    'name.familyName',
    'emails',
    'emails.value',
    'emails.type',
    'emails.display',
    'roles',
    'roles.display',
    `${urn}:department`,
    `${urn}:manager`,
  );
  const pr = fc
    .constantFrom(
      'name',
      'emails',
      'emails.display',
      'roles',
      'roles.primary',
      urn,
      `${urn}:manager`,
      'active',
      'title',
    )
    .map((a) => `${a} pr`);
  const bool = fc
    .tuple(fc.constantFrom('active', 'emails.primary', 'roles.primary'), fc.constantFrom('eq', 'ne'), fc.boolean())
    .map((t) => t.join(' '));
  const text = fc.tuple(simple, op, word).map(([a, o, w]) => `${a} ${o} ${JSON.stringify(w)}`);
  const inside = fc
    .tuple(fc.constantFrom('value', 'type', 'display'), op, word)
    .map(([a, o, w]) => `${a} ${o} ${JSON.stringify(w)}`);
  const path = fc
    .tuple(
      fc.constantFrom('emails', 'roles'),
      inside,
      fc.constantFrom('and', 'or'),
      fc.oneof(inside, fc.constant('primary eq true'), fc.constant('not (primary pr)')),
    )
    .map(([a, x, j, y]) => `${a}[${x} ${j} ${y}]`);
  const single = inside.map((x) => `name[${x.replace(/^(value|type|display)/, 'givenName')}]`);
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.oneof(text, bool, pr, path, single),
      fc.tuple(tie('tree'), fc.constantFrom('and', 'or'), tie('tree')).map(([a, j, b]) => `(${a}) ${j} (${b})`),
      tie('tree').map((a) => `not (${a})`),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(tree, async (t) => void (await agree(t))),
    { numRuns: 300 },
  );
});

test('any text at all is a filter or a refusal, never a crash', () => {
  const junk = fc
    .array(
      fc.oneof(
        fc.string(),
        fc.constantFrom(
          'userName',
          ' eq ',
          '"',
          '(',
          ')',
          '[',
          ']',
          ' and ',
          ' not ',
          'emails',
          '.',
          '\\',
          'pr',
          ' ',
          '\u0000',
          'null',
          '1',
        ),
      ),
      { maxLength: 30 },
    )
    .map((a) => a.join(''));
  fc.assert(
    fc.property(junk, (t) => {
      try {
        parsed(t);
      } catch (e) {
        assert.ok(e instanceof Problem && e.kind === 'invalid', String(e));
      }
    }),
    { numRuns: 3000 },
  );
});
