import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { admitSoql } from './admit-soql.ts';
import type { Description, Field } from './describe.ts';
import { printSoql } from './print-soql.ts';
import { SalesforceSettings } from './settings.ts';
import { parseSoql, type Condition, type Query } from './soql.ts';
import { quotedText } from './soql-tokens.ts';

const settings = SalesforceSettings.parse({
  my_domain: 'acme.my.salesforce.com',
  organization_id: '00D000000000001',
  objects: ['Account', 'Contact', 'Opportunity', 'Order'],
});

const field = (name: string, relationshipName?: string, ...referenceTo: string[]): Field => ({
  name,
  label: name,
  type: relationshipName ? 'reference' : 'string',
  nillable: true,
  createable: true,
  updateable: true,
  ...(relationshipName ? { relationshipName, referenceTo } : {}),
});
const described: Record<string, Partial<Description>> = {
  account: {
    name: 'Account',
    fields: [field('Name'), field('ParentId', 'Parent', 'Account'), field('OwnerId', 'Owner', 'User')],
    childRelationships: [
      { relationshipName: 'Contacts', childSObject: 'Contact', field: 'AccountId' },
      { relationshipName: 'Cases', childSObject: 'Case', field: 'AccountId' },
    ],
  },
  contact: {
    name: 'Contact',
    fields: [field('Email'), field('AccountId', 'Account', 'Account'), field('WhoId', 'Who', 'Contact', 'Lead')],
  },
  opportunity: {
    name: 'Opportunity',
    fields: [field('Amount'), field('AccountId', 'Account', 'Account'), field('AnyId', 'Any', 'Account', 'Contact')],
  },
  order: { name: 'Order', fields: [field('Status'), field('AccountId', 'Account', 'Account')] },
};
const describe = (object: string): Promise<Description> => {
  const d = described[object.toLowerCase()];
  return d
    ? Promise.resolve({ label: object, ...d } as Description)
    : Promise.reject(new Error(`${object} was described`));
};
const admitted = async (text: string, declared: readonly string[] = settings.objects!): Promise<string> =>
  printSoql(await admitSoql(parseSoql(text), settings, declared, describe));

for (const [text, expected] of [
  ['select id, name from ACCOUNT', 'SELECT id, name FROM Account LIMIT 500'],
  [
    "SELECT Id FROM Account WHERE Name LIKE 'A\\%\\'%' AND (CreatedDate > LAST_N_DAYS:30 OR IsDeleted = false)",
    "SELECT Id FROM Account WHERE (Name LIKE 'A\\%\\'%') AND ((CreatedDate > LAST_N_DAYS:30) OR (IsDeleted = FALSE)) LIMIT 500",
  ],
  [
    'SELECT Account.Parent.Name, Email FROM Contact ORDER BY Account.Name DESC NULLS LAST LIMIT 5 OFFSET 10',
    'SELECT Account.Parent.Name, Email FROM Contact ORDER BY Account.Name DESC NULLS LAST LIMIT 5 OFFSET 10',
  ],
  [
    'SELECT Id, (SELECT Email FROM Contacts WHERE Email != null) FROM Account LIMIT 9999',
    'SELECT Id, (SELECT Email FROM Contacts WHERE Email != NULL LIMIT 50) FROM Account LIMIT 500',
  ],
  [
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Email = 'a@b.example') AND Name NOT IN ('x', 'y')",
    "SELECT Id FROM Account WHERE (Id IN (SELECT AccountId FROM Contact WHERE Email = 'a@b.example')) AND (Name NOT IN ('x', 'y')) LIMIT 500",
  ],
  ['SELECT COUNT() FROM Account', 'SELECT COUNT() FROM Account'],
  [
    'SELECT CALENDAR_YEAR(CreatedDate) y, SUM(Amount) FROM Opportunity GROUP BY CALENDAR_YEAR(CreatedDate) HAVING SUM(Amount) > 10.5',
    'SELECT CALENDAR_YEAR(CreatedDate) y, SUM(Amount) FROM Opportunity GROUP BY CALENDAR_YEAR(CreatedDate) HAVING SUM(Amount) > 10.5 LIMIT 500',
  ],
  [
    'SELECT Order.Status, Account.Name FROM Order WHERE EffectiveDate = 2026-01-31 AND CreatedDate < 2026-01-31T10:00:00Z',
    'SELECT Order.Status, Account.Name FROM Order WHERE (EffectiveDate = 2026-01-31) AND (CreatedDate < 2026-01-31T10:00:00Z) LIMIT 500',
  ],
  [
    "SELECT Id FROM Account WHERE Name = 'FOR UPDATE /* x */ -- \\u0041\\n'",
    "SELECT Id FROM Account WHERE Name = 'FOR UPDATE /* x */ -- A\\n' LIMIT 500",
  ],
  ['SELECT Any.Name FROM Opportunity', 'SELECT Any.Name FROM Opportunity LIMIT 500'],
] as const)
  test(`goes to Salesforce printed anew: ${text.slice(0, 70)}`, async () => {
    assert.equal(await admitted(text), expected);
  });

for (const [what, text, says] of [
  ['an object that is not on the list', 'SELECT Id FROM User', /User is not among the objects/],
  ['a parent that is not on the list', 'SELECT Owner.Email FROM Account', /User is not among/],
  ['a parent of a parent', 'SELECT Account.Owner.Email FROM Contact', /User is not among/],
  ['a parent in a condition', "SELECT Id FROM Account WHERE Owner.Email = 'x'", /User is not among/],
  ['a parent in an order', 'SELECT Id FROM Account ORDER BY Owner.Email', /User is not among/],
  ['a parent in a group', 'SELECT COUNT(Id) FROM Account GROUP BY Owner.Email', /User is not among/],
  [
    'a parent in HAVING',
    'SELECT COUNT(Id) FROM Account GROUP BY Name HAVING MAX(Owner.Email) > null',
    /User is not among/,
  ],
  [
    'an object in HAVING',
    'SELECT COUNT(Id) FROM Account GROUP BY Name HAVING Name IN (SELECT Name FROM User)',
    /User is not among/,
  ],
  ['a parent in a function', 'SELECT MAX(Owner.Email) FROM Account', /User is not among/],
  ['a parent of children', 'SELECT Id, (SELECT Account.Owner.Email FROM Contacts) FROM Account', /User is not among/],
  ["a parent behind a name that is the object's own", 'SELECT Account.Owner.Email FROM Account', /User is not among/],
  ['a parent that can be another object too', 'SELECT Who.Name FROM Contact', /Lead is not among/],
  ['a path on from a parent of several objects', 'SELECT Any.Parent.Name FROM Opportunity', /several objects/],
  ['children that are not on the list', 'SELECT Id, (SELECT Subject FROM Cases) FROM Account', /Case is not among/],
  ['children that do not exist', 'SELECT Id, (SELECT Id FROM Users) FROM Account', /no children by the name/],
  [
    'children of children',
    'SELECT Id, (SELECT Id, (SELECT Id FROM Cases) FROM Contacts) FROM Account',
    /no further query/,
  ],
  [
    'an object in a condition',
    "SELECT Id FROM Account WHERE OwnerId IN (SELECT Id FROM User WHERE Email LIKE 'a%')",
    /User is not among/,
  ],
  ['a second object', 'SELECT Id FROM Account, User', /one object/],
  ['a second object by alias', 'SELECT a.Id FROM Account a, a.Contacts c', /expected the end/],
  ['FOR UPDATE', 'SELECT Id FROM Account FOR UPDATE', /lock or mark/],
  ['FOR VIEW after a limit', 'SELECT Id FROM Account LIMIT 1 FOR VIEW', /lock or mark/],
  ['FOR REFERENCE', 'SELECT Id FROM Account FOR REFERENCE', /lock or mark/],
  ['UPDATE TRACKING', 'SELECT Id FROM Account UPDATE TRACKING', /change records/],
  ['ALL ROWS', 'SELECT Id FROM Account ALL ROWS', /ALL is not taken/],
  ['a scope', 'SELECT Id FROM Account USING SCOPE everything', /USING is not taken/],
  ['WITH', 'SELECT Id FROM Account WITH SYSTEM_MODE', /WITH is not taken/],
  ['TYPEOF', 'SELECT TYPEOF Any WHEN Account THEN Phone END FROM Opportunity', /TYPEOF/],
  ['FIELDS', 'SELECT FIELDS(ALL) FROM Account LIMIT 200', /FIELDS\(\) is not taken/],
  ['a comment', 'SELECT Id /* x */ FROM Account', /comments/],
  ['a comment to the end of the line', 'SELECT Id FROM Account -- x', /comments/],
  ['a semicolon', 'SELECT Id FROM Account; SELECT Id FROM User', /";" is not taken/],
  ['a bind variable', 'SELECT Id FROM Account WHERE Name = :x', /":" is not taken/],
  ['full-width letters', 'SELECT Id FROM Ａccount', /U\+FF21/],
  ['a blank that is none', 'SELECT Id\u00a0FROM Account', /U\+00A0/],
  ['a zero-width joiner in a name', 'SELECT I\u200dd FROM Account', /U\+200D/],
  ['a letter that folds to an ASCII one', 'ſELECT Id FROM Account', /U\+017F/],
  ['a typographic quote', 'SELECT Id FROM Account WHERE Name = ’x’', /U\+2019/],
  ['a string that is not ended', "SELECT Id FROM Account WHERE Name = 'x", /not ended/],
  ['an unknown escape', "SELECT Id FROM Account WHERE Name = '\\x'", /no escape/],
  ['half of a surrogate pair', "SELECT Id FROM Account WHERE Name = '\\ud800'", /half of a character/],
  ['a control character', "SELECT Id FROM Account WHERE Name = '\u0000'", /control character/],
  ['an unknown function', 'SELECT DISTANCE(Location, x) FROM Account', /DISTANCE is not taken/],
  ['mixed AND and OR', 'SELECT Id FROM Account WHERE a = 1 AND b = 2 OR c = 3', /mixed/],
  ['SOSL', 'FIND {x} IN ALL FIELDS', /"\{" is not taken/],
  ['a change', 'DELETE FROM Account', /expected SELECT/],
  ['a limit that is none', 'SELECT Id FROM Account LIMIT -1', /whole number/],
  ['an offset too far', 'SELECT Id FROM Account LIMIT 1 OFFSET 3000', /OFFSET goes to 2000/],
  ['too much nesting', `SELECT Id FROM Account WHERE ${'('.repeat(20)}a = 1${')'.repeat(20)}`, /too deeply/],
  ['nothing', '', /expected SELECT, found the end/],
  ['too much', `SELECT ${'Id, '.repeat(2000)}Id FROM Account`, /longer than 4000/],
] as const)
  test(`SOQL with ${what} is refused`, async () => {
    await assert.rejects(admitted(text), (e: { code: string; says: string; fix: string }) => {
      assert.match(e.says, says);
      assert.ok(e.code === 'connectors/soql' || e.code === 'connectors/salesforce-object');
      return e.fix !== '';
    });
  });

// Queries as a caller may write them: names in any case, strings of anything.
const name = fc.constantFrom('Id', 'Name', 'Email', 'Custom__c', 'a1');
const path = fc.oneof(name, fc.constantFrom('Account.Name', 'Parent.Parent.Name', 'Owner.Email', 'Account.Owner.Id'));
const string = fc
  .string({ unit: 'binary', maxLength: 8 })
  .filter((s) => !/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/.test(s))
  .map(quotedText);
const value = fc.oneof(
  string,
  fc.constantFrom(
    '1',
    '-2.50',
    'true',
    'NULL',
    'TODAY',
    'last_n_days:7',
    '2026-01-31',
    '2026-01-31T10:00:00.000+02:00',
  ),
);
const comparison = fc.oneof(
  fc.tuple(path, fc.constantFrom('=', '!=', '<>', '<=', '>'), value).map((t) => t.join(' ')),
  fc.tuple(path, string).map(([p, s]) => `${p} like ${s}`),
  fc
    .tuple(path, fc.constantFrom('IN', 'not in', 'includes'), fc.array(value, { minLength: 1, maxLength: 3 }))
    .map(([p, o, v]) => `${p} ${o} (${v.join(',')})`),
  fc.tuple(path, fc.constantFrom('Contact', 'User')).map(([p, o]) => `${p} IN (SELECT Id FROM ${o} WHERE Name = 'x')`),
);
const condition: fc.Arbitrary<string> = fc.letrec<{ c: string }>((tie) => ({
  c: fc.oneof(
    { maxDepth: 3 },
    comparison,
    fc.tuple(tie('c'), fc.constantFrom(' AND ', ' or '), tie('c')).map(([a, o, b]) => `(${a})${o}(${b})`),
    tie('c').map((c) => `NOT (${c})`),
  ),
})).c;
const query = fc
  .tuple(
    fc.array(path, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('Account', 'contact', 'User', 'Order'),
    fc.option(condition),
    fc.option(fc.tuple(path, fc.constantFrom('', ' ASC', ' desc nulls first'))),
    fc.option(fc.nat(5000)),
  )
  .map(
    ([fields, from, where, order, limit]) =>
      `SELECT ${fields.join(', ')} FROM ${from}${where === null ? '' : ` WHERE ${where}`}${order === null ? '' : ` ORDER BY ${order.join('')}`}${limit === null ? '' : ` LIMIT ${limit}`}`,
  );

test('what is printed reads as the same query again, and prints the same', () => {
  fc.assert(
    fc.property(query, (text) => {
      const read = parseSoql(text);
      const printed = printSoql(read);
      assert.deepEqual(parseSoql(printed), read);
      assert.equal(printSoql(parseSoql(printed)), printed);
    }),
    { numRuns: 1000 },
  );
});

/** The objects that a query reaches, by another way than the one under test: over the printed text. */
function reached(text: string): Set<string> {
  const bare = text.replace(/'(?:\\.|[^'\\])*'/g, "''");
  const found = new Set([...bare.matchAll(/\bFROM (\w+)/g)].map((m) => m[1]!.toLowerCase()));
  if (/\bOwner\./.test(bare)) found.add('user');
  return found;
}

test('whatever is asked for, no query is printed that reaches an object off the list or has no limit', async () => {
  await fc.assert(
    fc.asyncProperty(query, async (text) => {
      let printed: string;
      try {
        printed = await admitted(text);
      } catch (e) {
        assert.ok((e as { code?: string }).code?.startsWith('connectors/'), String(e));
        return;
      }
      for (const o of reached(printed))
        assert.ok(['account', 'contact', 'opportunity', 'order'].includes(o), `${o}: ${printed}`);
      assert.match(printed, / LIMIT (?:[0-9]|[1-9][0-9]|[1-4][0-9]{2}|500)$/);
    }),
    { numRuns: 1000 },
  );
});

test('however the characters of a query are mixed, it is refused or printed in plain ASCII outside of its strings', () => {
  const bit = fc.constantFrom(
    'SELECT ',
    'Id',
    ' FROM ',
    'Account',
    ' WHERE ',
    "'",
    '\\',
    '/*',
    '--',
    '\n',
    '(',
    ')',
    ' AND ',
    '=',
    '1',
    'é',
    '\u200b',
    'FOR UPDATE',
    ';',
    ',',
    '.',
    "\\'",
    '\\\\',
  );
  fc.assert(
    fc.property(fc.array(bit, { maxLength: 20 }), (bits) => {
      let read: Query;
      try {
        read = parseSoql(`SELECT Id FROM Account WHERE Name = ${bits.join('')}`);
      } catch {
        return;
      }
      const printed = printSoql(read).replace(/'(?:\\.|[^'\\])*'/g, "''");
      assert.match(printed, /^[A-Za-z0-9_ ,.()=<>!:'+-]+$/);
      assert.doesNotMatch(printed, /FOR|--|\/\*/);
    }),
    { numRuns: 2000 },
  );
});

test('plain text is one string, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
      let q: string;
      try {
        q = quotedText(text);
      } catch {
        assert.match(text, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/);
        return;
      }
      const { where } = parseSoql(`SELECT Id FROM User WHERE Email = ${q}`);
      const c = where as Extract<Condition, { kind: 'compare' }>;
      assert.equal(c.value.text.replaceAll('\\\\', '\\'), text);
    }),
    { numRuns: 1000 },
  );
});

test('an object that a query reaches and the call does not name is refused, wherever it stands', async () => {
  assert.equal(
    await admitted('SELECT Account.Name FROM contact', ['contact', 'ACCOUNT']),
    'SELECT Account.Name FROM Contact LIMIT 500',
  );
  for (const text of [
    'SELECT Id FROM Account',
    'SELECT Account.Name FROM Contact',
    "SELECT Id FROM Contact WHERE Account.Name = 'x'",
    "SELECT Id FROM Contact WHERE AccountId IN (SELECT Id FROM Account WHERE Name = 'x')",
  ])
    await assert.rejects(admitted(text, ['Contact', 'User']), { code: 'connectors/soql-undeclared' });
  await assert.rejects(admitted('SELECT Id, (SELECT Email FROM Contacts) FROM Account', ['Account']), {
    code: 'connectors/soql-undeclared',
  });
});
