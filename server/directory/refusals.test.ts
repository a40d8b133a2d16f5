// Longer than 300 lines: one table of everything that the SCIM door refuses, read best as one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDirectory, type Answer, type TestDirectory } from '#dev/test-directory.ts';
import { explainKey } from './scim-error.ts';
import { MAX_FILTER_CHARS, MAX_FILTER_TERMS } from './scim-filter.ts';

let d: TestDirectory;
let ada: string;
let lamps: string;
before(async () => {
  d = await testDirectory();
  const user = await d.send('POST', '/Users', { userName: 'ada', externalId: 'x-ada' });
  const group = await d.send('POST', '/Groups', { displayName: 'Lamps', externalId: 'x-lamps' });
  await d.send('POST', '/Users', { userName: 'luca' });
  await d.send('POST', '/Groups', { displayName: 'Shades' });
  ada = `/Users/${user.body['id']}`;
  lamps = `/Groups/${group.body['id']}`;
});
after(() => d.t.close());

const patch = (...Operations: unknown[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
});
const list = (path: string, query: Record<string, string>): string =>
  `${path}?${new URLSearchParams(query).toString()}`;
const count = async (table: string): Promise<number> =>
  Number((await d.t.super<{ n: number }>(`select count(*)::int as n from ${table}`))[0]?.n);

/** What an identity provider's administrator reads in its log: a SCIM error with our code, and the words. */
function assertRefused(a: Answer, status: number, code: string, says: RegExp, scimType?: string): void {
  assert.equal(a.body[explainKey]?.code, code, a.text);
  assert.deepEqual(
    [a.status, a.body['status'], a.body['scimType'], a.body['schemas']],
    [status, String(status), scimType, ['urn:ietf:params:scim:api:messages:2.0:Error']],
    a.text,
  );
  assert.match(a.body['detail'], says);
}

type Asked = {
  what: string;
  ask: () => Promise<Answer>;
  status?: number;
  code: string;
  scimType?: string;
  says: RegExp;
};
const asked: Asked[] = [
  {
    what: 'an attribute in two spellings',
    ask: () => d.send('POST', '/Users', { userName: 'two', username: 'three' }),
    code: 'directory/attribute-twice',
    scimType: 'invalidSyntax',
    says: /userName is there twice, in different spellings\. What to do: send every attribute once\./,
  },
  {
    what: 'both kinds of selection at once',
    ask: () => d.send('GET', list('/Users', { attributes: 'userName', excludedAttributes: 'groups' })),
    code: 'directory/both-selections',
    scimType: 'invalidValue',
    says: /attributes and excludedAttributes cannot be used together/,
  },
  {
    what: 'a filter over what the server can do',
    ask: () => d.send('GET', list('/ResourceTypes', { filter: 'name eq "User"' })),
    status: 403,
    code: 'directory/discovery-filter',
    says: /listed whole, without a filter/,
  },
  {
    what: 'a schema that there is not',
    ask: () => d.send('GET', '/Schemas/urn:lamps'),
    status: 404,
    code: 'directory/no-description',
    says: /there is no schema urn:lamps\. What to do: list them all\./i,
  },
  {
    what: 'a kind of resource that there is not',
    ask: () => d.send('GET', '/ResourceTypes/Lamp'),
    status: 404,
    code: 'directory/no-description',
    says: /there is no .*Lamp/,
  },
  {
    what: 'a filter as long as a book',
    ask: () => d.send('GET', list('/Users', { filter: `userName eq "${'x'.repeat(MAX_FILTER_CHARS)}"` })),
    code: 'directory/filter-too-large',
    scimType: 'tooMany',
    says: new RegExp(`longer than ${MAX_FILTER_CHARS} characters. What to do: ask in several requests`),
  },
  {
    what: 'a filter with more terms than anyone writes',
    ask: () =>
      d.send(
        'GET',
        list('/Users', {
          filter: Array(MAX_FILTER_TERMS + 1)
            .fill('active eq true')
            .join(' or '),
        }),
      ),
    code: 'directory/filter-too-large',
    scimType: 'tooMany',
    says: new RegExp(String(MAX_FILTER_TERMS)),
  },
  ...['__proto__', 'constructor'].map((name) => ({
    what: `an attribute called ${name}`,
    ask: () => d.send('POST', '/Users', `{"userName":"p","${name}":{"admin":true}}`),
    code: 'directory/forbidden-name',
    scimType: 'invalidPath',
    says: new RegExp(`"${name}" cannot be the name of an attribute`),
  })),
  {
    what: 'a patch of a path with a forbidden name in it',
    ask: () => d.send('PATCH', ada, patch({ op: 'add', path: 'name.__proto__', value: 'x' })),
    code: 'directory/forbidden-name',
    scimType: 'invalidPath',
    says: /"__proto__"/,
  },
  {
    what: 'a second group with an externalId',
    ask: () => d.send('POST', '/Groups', { displayName: 'Other', externalId: 'x-lamps' }),
    status: 409,
    code: 'directory/group-exists',
    scimType: 'uniqueness',
    says: /externalId "x-lamps" is in this directory already\. What to do: find it by externalId/,
  },
  {
    what: 'a group patched to another id',
    ask: () => d.send('PATCH', lamps, patch({ op: 'replace', path: 'id', value: 'grp_other' })),
    code: 'directory/id-fixed',
    scimType: 'mutability',
    says: /cannot be changed\. What to do: leave id out/,
  },
  {
    what: 'a user replaced under another id',
    ask: () => d.send('PUT', ada, { id: 'another', userName: 'ada' }),
    code: 'directory/id-fixed',
    scimType: 'mutability',
    says: /^the id is scu_\w+ and cannot be changed/,
  },
  {
    what: 'a filter that does not end',
    ask: () => d.send('GET', list('/Users', { filter: 'userName eq "ada' })),
    code: 'directory/invalid-filter',
    scimType: 'invalidFilter',
    says: /\w/,
  },
  {
    what: 'an empty filter, which is a mistake and not everybody',
    ask: () => d.send('GET', list('/Users', { filter: '' })),
    code: 'directory/invalid-filter',
    scimType: 'invalidFilter',
    says: /the end of the filter/,
  },
  {
    what: 'a filter by an attribute that nobody has',
    ask: () => d.send('GET', list('/Users', { filter: 'shoeSize eq "42"' })),
    code: 'directory/invalid-filter',
    scimType: 'invalidFilter',
    says: /shoeSize/,
  },
  {
    what: 'members chosen by something else than who they are',
    ask: () => d.send('PATCH', lamps, patch({ op: 'remove', path: 'members[display co "a"]' })),
    code: 'directory/invalid-filter',
    scimType: 'invalidFilter',
    says: /"value eq" only/,
  },
  {
    what: 'a member that no user is',
    ask: () => d.send('PATCH', lamps, patch({ op: 'add', path: 'members', value: [{ value: 'scu_nobody' }] })),
    code: 'directory/invalid-member',
    scimType: 'invalidValue',
    says: /there is no user scu_nobody in this directory; nothing was changed/,
  },
  {
    what: 'a member without an id',
    ask: () => d.send('POST', '/Groups', { displayName: 'New', members: [{ display: 'Ada' }] }),
    code: 'directory/invalid-member',
    scimType: 'invalidValue',
    says: /a member has no "value"\. What to do: send the id of a user/,
  },
  {
    what: 'a patch operation that is a word',
    ask: () => d.send('PATCH', ada, patch({ op: 'replace', path: 'active', value: true }, 'delete')),
    code: 'directory/invalid-operation',
    scimType: 'invalidSyntax',
    says: /operation 1: it is not an object/,
  },
  {
    what: 'a patch operation that SCIM does not have',
    ask: () => d.send('PATCH', ada, patch({ op: 'move', path: 'active' })),
    code: 'directory/invalid-operation',
    scimType: 'invalidSyntax',
    says: /operation 0: "move" is not an "op"\. What to do: use add, replace or remove/,
  },
  {
    what: 'a patch with neither path nor attributes',
    ask: () => d.send('PATCH', ada, patch({ op: 'replace', value: 'x' })),
    code: 'directory/invalid-operation',
    scimType: 'invalidValue',
    says: /without "path" must have an object as "value"/,
  },
  {
    what: 'a page that begins at a word',
    ask: () => d.send('GET', list('/Users', { startIndex: 'first' })),
    code: 'directory/invalid-page',
    scimType: 'invalidValue',
    says: /startIndex must be a whole number; it is "first"/,
  },
  {
    what: 'half a page',
    ask: () => d.send('GET', list('/Groups', { count: '1.5' })),
    code: 'directory/invalid-page',
    scimType: 'invalidValue',
    says: /count must be a whole number; it is "1\.5"/,
  },
  {
    what: 'a patch of a path that is no path',
    ask: () => d.send('PATCH', ada, patch({ op: 'replace', path: 'emails[type eq "work"', value: 'x' })),
    code: 'directory/invalid-path',
    scimType: 'invalidPath',
    says: /operation 0: the path /,
  },
  {
    what: 'a patch of a path that is a number',
    ask: () => d.send('PATCH', ada, patch({ op: 'replace', path: 7, value: 'x' })),
    code: 'directory/invalid-path',
    scimType: 'invalidPath',
    says: /its "path" is not a string/,
  },
  {
    what: 'schemas that are no list',
    ask: () => d.send('POST', '/Users', { schemas: 'urn:x', userName: 'x' }),
    code: 'directory/invalid-schemas',
    scimType: 'invalidSyntax',
    says: /schemas must be a list of URNs/,
  },
  ...[
    {},
    patch(),
    { Operations: 'all' },
    patch(...Array.from({ length: 2000 }, () => ({ op: 'add', path: 'title', value: 'x' }))),
  ].map((body, i) => ({
    what: `a patch with ${['no list of operations', 'no operations', 'operations that are a word', 'thousands of operations'][i]}`,
    ask: () => d.send('PATCH', ada, body),
    code: 'directory/no-operations',
    scimType: 'invalidSyntax',
    says: /must have a list "Operations" of 1 to \d+ operations\. What to do: send \{/,
  })),
  {
    what: 'a list sorted by what has several values',
    ask: () => d.send('GET', list('/Users', { sortBy: 'emails' })),
    code: 'directory/no-order',
    scimType: 'invalidValue',
    says: /cannot be sorted by emails\. What to do: sort by an attribute with one simple value/,
  },
  {
    what: 'an element chosen by a filter that does not say how to make it',
    ask: () =>
      d.send('PATCH', ada, patch({ op: 'replace', path: 'emails[value co "@old"].value', value: 'a@b.example' })),
    code: 'directory/no-target',
    scimType: 'noTarget',
    says: /operation 0: no element of emails fits the filter/,
  },
  {
    what: 'a user that there is not',
    ask: () => d.send('GET', '/Users/scu_00000000000000000000000000000000'),
    status: 404,
    code: 'directory/no-user',
    says: /there is no user scu_0+ in this directory\. What to do: look the user up by userName/,
  },
  {
    what: 'a user that is a list',
    ask: () => d.send('POST', '/Users', []),
    code: 'directory/not-an-object',
    scimType: 'invalidSyntax',
    says: /the body must be one User; it is a list/,
  },
  {
    what: 'a search by what is not kept for searching',
    ask: () => d.send('GET', list('/Groups', { filter: 'members.$ref pr' })),
    code: 'directory/not-searchable',
    scimType: 'invalidFilter',
    says: /cannot be searched\. What to do: search by another attribute/,
  },
  {
    what: 'a removal that does not say of what',
    ask: () => d.send('PATCH', ada, patch({ op: 'remove' })),
    code: 'directory/remove-without-path',
    scimType: 'noTarget',
    says: /a remove must have a "path"\. What to do: name what is to be removed/,
  },
  {
    what: 'a user without a userName',
    ask: () => d.send('POST', '/Users', { displayName: 'Nobody' }),
    code: 'directory/required',
    scimType: 'invalidValue',
    says: /userName is required\. What to do: map userName in the directory/,
  },
  {
    what: 'a list sorted by what nobody has',
    ask: () => d.send('GET', list('/Users', { sortBy: 'shoeSize' })),
    code: 'directory/unknown-sort',
    scimType: 'invalidValue',
    says: /no attribute "shoeSize" to sort by/,
  },
  {
    what: 'a second user with a userName, whatever its case',
    ask: () => d.send('POST', '/Users', { userName: 'ADA' }),
    status: 409,
    code: 'directory/user-exists',
    scimType: 'uniqueness',
    says: /userName "ADA" is in this directory already\. What to do: find it by userName and change that one/,
  },
  {
    what: 'a change made from an older version',
    ask: () => d.send('PUT', ada, { userName: 'ada' }, { 'if-match': 'W/"999"' }),
    status: 412,
    code: 'directory/version',
    says: /is at version W\/"\d+"; the request was made for another\. What to do: read the resource again/,
  },
];

for (const a of asked)
  test(`${a.what} is refused as ${a.code}, and nothing changes`, async () => {
    const before = [await count('scim_user'), await count('scim_group'), await count('audit_inbox')];
    assertRefused(await a.ask(), a.status ?? 400, a.code, a.says, a.scimType);
    assert.deepEqual([await count('scim_user'), await count('scim_group'), await count('audit_inbox')], before);
  });

for (const [what, headers, says] of [
  ['an empty credential', { authorization: '' }, /not "Bearer" and a token/],
  ['another kind of credential', { authorization: 'Basic YTpi' }, /not "Bearer" and a token/],
  ['a token of another form', { authorization: 'Bearer ghs_short' }, /not one of this directory/],
  ['a token that nobody has', { authorization: `Bearer ghs_${'A'.repeat(43)}` }, /not one of this directory/],
] as const)
  test(`${what} is let into no directory, and is told which credential would be`, async () => {
    const a = await d.send('GET', '/Users', undefined, headers);
    assertRefused(a, 401, 'directory/token', says);
    assert.match(a.body['detail'], /send "Authorization: Bearer ghs_…" with a token of this directory/);
    assert.match(a.headers.get('www-authenticate') ?? '', /^Bearer realm="scim"/);
  });

test('a request without any credential is told where to get one, and not that its token was wrong', async () => {
  const answer = await d.app.request(`${d.base}/Users`);
  assert.deepEqual([answer.status, answer.headers.get('www-authenticate')], [401, 'Bearer realm="scim"']);
  assert.match(await answer.text(), /there is no Authorization header/);
});

test('a token of another directory, a revoked and an expired one are refused; only who owned one learns why', async () => {
  const other = await d.another('same parent');
  const bearer = { authorization: `Bearer ${other.token}` };
  assertRefused(await d.send('GET', '/Users', undefined, bearer), 401, 'directory/token', /not one of this directory/);
  await d.t.super('update scim_token set revoked_at = $2 where directory = $1', other.id, d.clock.now());
  assertRefused(await other.send('GET', '/Users'), 401, 'directory/token', /this token was revoked at 2026-08-01T09/);
  const third = await d.another('same parent');
  await d.t.super('update scim_token set expires_at = $2 where directory = $1', third.id, d.clock.now());
  assertRefused(await third.send('GET', '/Users'), 401, 'directory/token', /this token expired at 2026-08-01T09/);
});

test('a paused directory changes nothing and shows nothing until it is resumed', async () => {
  const other = await d.another('same parent');
  await d.t.super(`update directory set state = 'paused' where id = $1`, other.id);
  const says = /this directory is paused; nothing was changed\. What to do: an administrator can resume it/;
  assertRefused(await other.send('POST', '/Users', { userName: 'late' }), 403, 'directory/paused', says);
  assertRefused(await other.send('GET', '/Users'), 403, 'directory/paused', says);
  await d.t.super(`update directory set state = 'active' where id = $1`, other.id);
  assert.equal((await other.send('POST', '/Users', { userName: 'late' })).status, 201);
});
