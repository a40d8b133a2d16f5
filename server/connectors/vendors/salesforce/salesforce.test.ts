import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { inHand, REDIRECT, type HandOptions } from '#dev/vendors/in-hand.ts';
import { startSalesforce } from '#dev/vendors/salesforce.ts';
import { project } from '#policy/argument.ts';
import { salesforceManifest as manifest } from './manifest.ts';
import { soslSearch } from './sosl.ts';

async function salesforce(t: TestContext, o: HandOptions & { as?: string; rotation?: true } = {}) {
  const vendor = await startSalesforce();
  t.after(() => vendor.close());
  if (o.as !== undefined) vendor.visitor.account = o.as;
  if (o.rotation) vendor.rotation = true;
  return { vendor, ...(await inHand(t, manifest, vendor, o)) };
}
/** Objects that calls of these tests name. */
const objects = ['Account', 'Contact', 'Opportunity'];
type Said = { says: string; code?: string };

test('a query is answered with parents and children, and goes out as it was printed', async (t) => {
  const { say, vendor } = await salesforce(t);
  const text = await say('soql_query', {
    objects,
    query:
      "select Name, Parent.Name, (select Email from Contacts) from account where Name like 'A%' or Name = 'O\\'Neil & Sons' order by Name",
  });
  assert.match(
    text,
    /^2 rows\nAccount Name: Acme\n {2}Contacts:\n {4}Contact Email: grace@customer\.example\nAccount Name: O'Neil & Sons \| Parent\.Name: Acme$/,
  );
  const sent = vendor.seen.findLast((r) => r.path.endsWith('/query'))!.query.get('q');
  assert.equal(
    sent,
    "SELECT Name, Parent.Name, (SELECT Email FROM Contacts LIMIT 50) FROM Account WHERE (Name LIKE 'A%') OR (Name = 'O\\'Neil & Sons') ORDER BY Name ASC LIMIT 500",
  );
});

for (const query of [
  'SELECT Id FROM User',
  'SELECT Owner.Name FROM Account',
  'SELECT Id, (SELECT Subject FROM Cases) FROM Account',
  'SELECT Id FROM Account FOR UPDATE',
])
  test(`nothing is asked of the data for ${query}`, async (t) => {
    const { say, vendor } = await salesforce(t);
    await assert.rejects(say('soql_query', { objects, query }));
    assert.ok(!vendor.seen.some((r) => r.path.includes('/query')));
  });

test('rows come page by page from the same My Domain, and an address that is another is not followed', async (t) => {
  const { say, vendor } = await salesforce(t);
  vendor.world.batch = 7;
  for (let i = 0; i < 30; i++)
    vendor.world.records.push({ object: 'Account', Id: `00100000000${1000 + i}AAA`, Name: `Many ${i}` });
  assert.match(await say('soql_query', { objects, query: 'SELECT Id FROM Account' }), /^32 rows\n/);
  assert.match(await say('soql_query', { objects, query: 'SELECT COUNT() FROM Account' }), /^32 rows/);
  for (const nextRecordsUrl of [
    'https://evil.example/services/data/v65.0/query/01g000000000000-7',
    '//evil.example/x',
    '/services/data/v65.0/query/../../oauth2/token',
    '/services/data/v65.0/query/01g%2e%2e-7',
  ]) {
    vendor.fault = (r) =>
      r.path.endsWith('/query')
        ? { status: 200, body: { totalSize: 9, done: false, nextRecordsUrl, records: [] } }
        : undefined;
    await assert.rejects(say('soql_query', { objects, query: 'SELECT Id FROM Account' }), { code: 'foreign_address' });
  }
});

test('a search takes signs and operators for words', async (t) => {
  const { say, vendor } = await salesforce(t);
  assert.match(
    await say('sosl_search', { text: "O'Neil & Sons", objects: [{ object: 'account' }] }),
    /Account Id: 001000000000002AAA \| Name: O'Neil & Sons/,
  );
  assert.equal(
    vendor.seen.findLast((r) => r.path.endsWith('/search'))!.query.get('q'),
    'FIND {"O\\\'Neil" "Sons"} IN ALL FIELDS RETURNING Account(Id, Name LIMIT 20)',
  );
  assert.equal(
    soslSearch('a} IN ALL FIELDS RETURNING User(Id) OR "x" b\\', [{ object: 'Account' }], 'NAME', 5),
    'FIND {"a\\}" "IN" "ALL" "FIELDS" "RETURNING" "User\\(Id\\)" "OR" "\\"x\\"" "b\\\\"} IN NAME FIELDS RETURNING Account(Id, Name LIMIT 5)',
  );
  for (const text of ['** --', 'a\u0000b', '\ud800x'])
    assert.throws(() => soslSearch(text, [{ object: 'Account' }], 'ALL', 5), { code: 'connectors/soql' });
  await assert.rejects(say('sosl_search', { text: 'secret', objects: [{ object: 'Case' }] }), {
    code: 'connectors/salesforce-object',
  });
});

test('what a search finds beside the objects that were asked for is not passed on', async (t) => {
  const { say, vendor } = await salesforce(t);
  vendor.fault = (r) =>
    r.path.endsWith('/search')
      ? { status: 200, body: { searchRecords: [{ attributes: { type: 'Case' }, Id: '500' }] } }
      : undefined;
  assert.equal(await say('sosl_search', { text: 'secret', objects: [{ object: 'Account' }] }), '0 records found');
});

test('an object is described by what a writer needs, and only children that are open are named', async (t) => {
  const { say } = await salesforce(t);
  assert.match(
    await say('describe'),
    /Account, may be created and changed, may be deleted\nContact\nOpportunity, may be created and changed/,
  );
  const text = await say('describe', { object: 'Account' });
  assert.match(text, /Name \(Name\): string 255, required/);
  assert.match(text, /Id \(Id\): id, not changeable/);
  assert.match(text, /ParentId \(ParentId\): reference, refers to Account as Parent/);
  assert.match(text, /Industry \(Industry\): picklist, one of Energy, Retail/);
  assert.match(text, /children: Contacts \(Contact\)$/);
  assert.match(await say('describe', { object: 'Opportunity', fields_containing: 'amou' }), /1 of 5 fields\nAmount/);
});

test('a record is shown, created, changed and deleted, each only where its object is open for that', async (t) => {
  const { say, run, vendor } = await salesforce(t);
  assert.match(
    await say('get_record', { object: 'Contact', id: '003000000000001', fields: ['Email'] }),
    /Email: grace@customer\.example/,
  );
  const made = await run('create_record', { object: 'account', fields: { Name: 'New' } });
  const id = String(made.structuredContent?.['id']);
  assert.match(
    await say('update_record', { object: 'Account', id, fields: { Industry: 'Energy' } }),
    /changed Industry of Account/,
  );
  assert.equal(vendor.world.records.find((r) => r.Id === id)?.['Industry'], 'Energy');
  assert.match(await say('delete_record', { object: 'Account', id }), /deleted Account/);
  assert.ok(!vendor.world.records.some((r) => r.Id === id));
  for (const [tool, args] of [
    ['get_record', { object: 'User', id: '005000000000001AAA' }],
    ['create_record', { object: 'Contact', fields: { Name: 'x' } }],
    ['update_record', { object: 'Contact', id: '003000000000001AAA', fields: { Name: 'x' } }],
    ['delete_record', { object: 'Opportunity', id: '006000000000001AAA' }],
  ] as const)
    await assert.rejects(say(tool, args), { code: 'connectors/salesforce-object' });
});

test('a field in a spelling that a rule would not see, and an id of another object, are not written', async (t) => {
  const { say, vendor } = await salesforce(t);
  for (const fields of [{ amount: 9e9 }, { AMOUNT: 9e9 }, { Id: '006000000000001AAA' }, { Nothing: 1 }])
    await assert.rejects(say('update_record', { object: 'Opportunity', id: '006000000000001AAA', fields }), {
      code: 'connectors/salesforce-field',
    });
  await assert.rejects(
    say('create_record', { object: 'Opportunity', fields: { Name: 'x', StageName: 'Open', amount: 1 } }),
    { code: 'connectors/salesforce-field' },
  );
  await assert.rejects(say('update_record', { object: 'Account', id: '003000000000001AAA', fields: { Name: 'x' } }), {
    code: 'connectors/salesforce-id',
  });
  await assert.rejects(say('delete_record', { object: 'Account', id: '006000000000001AAA' }), {
    code: 'connectors/salesforce-id',
  });
  assert.ok(vendor.seen.every((r) => r.method === 'GET' || r.path.includes('oauth2')));
});

test('of several changes each is told for itself, and an answer that does not fit is no success', async (t) => {
  const { say, run, vendor } = await salesforce(t);
  const records = [
    { id: '006000000000001AAA', fields: { Amount: 5 } },
    { id: '006000000000009AAA', fields: { Amount: 5 } },
    { id: '006000000000001AAA', fields: { Amount: -5 } },
  ];
  const text = await say('update_records', { object: 'Opportunity', records });
  assert.match(
    text,
    /^changed 1 of 3 records of Opportunity\nnot 006000000000009AAA: The requested resource does not exist\nnot 006000000000001AAA: Amount must not be negative/,
  );
  const none = await run('update_records', { object: 'Opportunity', records: records.slice(1) });
  assert.equal(none.isError, true);
  vendor.fault = (r) => (r.path.includes('/composite/') ? { status: 200, body: [] } : undefined);
  await assert.rejects(run('update_records', { object: 'Opportunity', records }), { code: 'unexpected_answer' });
});

test("Salesforce's refusals come in its words, with the fields and what to do", async (t) => {
  const { say, vendor } = await salesforce(t);
  const rejects = (p: Promise<unknown>, says: RegExp) =>
    assert.rejects(p, (e: Said) => says.test(e.says) || assert.fail(e.says));
  await rejects(
    say('create_record', { object: 'Opportunity', fields: { Name: 'x' } }),
    /REQUIRED_FIELD_MISSING: Required fields are missing: \[StageName\] \(StageName\)/,
  );
  await rejects(
    say('update_record', { object: 'Opportunity', id: '006000000000001AAA', fields: { Amount: -1 } }),
    /a validation rule of the organization stopped it; Amount must not be negative/,
  );
  await rejects(
    say('soql_query', { objects, query: 'SELECT Nothing FROM Account' }),
    /INVALID_FIELD: a field does not exist.*No such column 'Nothing'/,
  );
  await rejects(say('get_record', { object: 'Account', id: '001000000000099AAA' }), /NOT_FOUND/);
  vendor.world.usage = { used: 14_500, of: 15_000 };
  assert.match(
    await say('soql_query', { objects, query: 'SELECT Id FROM Account' }),
    /has used 14501 of its 15000 Salesforce API requests/,
  );
  vendor.world.usage = { used: 15_000, of: 15_000 };
  await rejects(
    say('soql_query', { objects, query: 'SELECT Id FROM Account' }),
    /REQUEST_LIMIT_EXCEEDED: a limit of the organization's API requests is reached/,
  );
});

test('a report is run only by the ids that are open, with groups, rows and totals', async (t) => {
  const { say } = await salesforce(t);
  const text = await say('run_report', { id: '00O000000000001AAA' });
  assert.equal(
    text,
    'Pipeline\ncolumns: Opportunity Name | Amount\ntotals: Sum of Amount | Record Count\n[Open] USD 120,000.50 | 1\nTurbines | USD 120,000.50\n[all] USD 120,000.50 | 1',
  );
  await assert.rejects(say('run_report', { id: '00O000000000002AAA' }), { code: 'connectors/salesforce-report' });
});

for (const rotation of [false, true])
  test(`a session that ended is renewed once${rotation ? ', with refresh tokens that rotate' : ''}, and a grant that ended is not`, async (t) => {
    const { say, vendor, got } = await salesforce(t, rotation ? { rotation } : {});
    for (let i = 0; i < 3; i++) {
      vendor.advance(3 * 3600);
      assert.match(await say('describe', { object: 'Account' }), /Account/);
    }
    assert.equal(got(), 4);
    vendor.endGrants('ada');
    await assert.rejects(say('describe', { object: 'Account' }), /invalid_grant/);
  });

test('a change whose answer is lost is not sent again', async (t) => {
  const { say, vendor } = await salesforce(t);
  vendor.fault = (r) => (r.method === 'POST' && r.path.includes('/sobjects/') ? { drop: true } : undefined);
  await assert.rejects(say('create_record', { object: 'Account', fields: { Name: 'x' } }), { code: 'outcome_unknown' });
  assert.equal(vendor.seen.filter((r) => r.method === 'POST' && r.path.includes('/sobjects/')).length, 1);
});

test('an account of another organization is foreign', async (t) => {
  const mine = await salesforce(t);
  const me = await manifest.whoami(mine.client);
  assert.deepEqual(me, {
    subject: '005000000000001AAA',
    label: 'ada@acme.example.sf',
    email: 'ada@acme.example',
    tenant: '00D000000000001EAA',
  });
  const settings = { ...mine.vendor.settings, organization_id: '00D000000000001' };
  assert.equal(manifest.foreign!(me, settings, undefined), undefined);
  for (const as of ['mallory', 'pat']) {
    const other = await salesforce(t, { as });
    assert.match(
      manifest.foreign!(await manifest.whoami(other.client), settings, undefined)!,
      /of the Salesforce organization 00D000000000[67]/,
    );
  }
});

test('the integration user signs in by an assertion, and with the secret of its app', async (t) => {
  for (const account of ['jwt_bearer', 'client_credentials']) {
    const { client, say, vendor, got } = await salesforce(t, { account });
    assert.equal((await manifest.whoami(client)).label, 'gatehouse@acme.example');
    vendor.advance(3 * 3600);
    assert.match(await say('soql_query', { objects, query: 'SELECT Name FROM Account LIMIT 1' }), /Acme/);
    assert.equal(got(), 2);
  }
});

test('the integration user speaks as a person, found by federation id or by e-mail address, never by guessing', async (t) => {
  const as = (email: string) =>
    salesforce(t, { account: 'jwt_bearer', actAs: 'organization_as_person', person: { email, name: 'x' } });
  for (const [email, username] of [
    ['ada@acme.example', 'ada@acme.example.sf'],
    ['grace@acme.example', 'grace@acme.example.sf'],
  ] as const)
    assert.equal((await manifest.whoami((await as(email)).client)).label, username);
  for (const [email, says] of [
    ['twin@acme.example', /several active Salesforce users have Email twin@/],
    ['leaver@acme.example', /no active Salesforce user/],
    ['mallory@evil.example', /no active Salesforce user/],
    ["x' OR IsActive = TRUE OR Username = '", /no active Salesforce user/],
  ] as const)
    await assert.rejects(as(email), (e: Said & { because: string }) => e.because === 'reconnect' && says.test(e.says));
  const graces = await as('grace@acme.example');
  await assert.rejects(graces.say('create_record', { object: 'Account', fields: { Name: 'x' } }), (e: Said) =>
    /may not change this record/.test(e.says),
  );
});

test('what is wrong with an account is said to the administrator, in words that have no key in them', async (t) => {
  const { vendor } = await salesforce(t);
  const jwt = manifest.organization[0]!;
  const good = vendor.accounts['jwt_bearer']!;
  const mint = async (change: object) => {
    const { clientId } = vendor.app;
    assert.ok(clientId);
    const standIn = { ...vendor, accounts: { jwt_bearer: { ...good, ...change } } };
    await inHand(t, manifest, standIn, { account: 'jwt_bearer' });
  };
  const refused = (change: object, because: string, says: RegExp) =>
    assert.rejects(mint(change), (e: Said & { because: string }) => {
      assert.doesNotMatch(e.says, /PRIVATE KEY|MII/);
      assert.match(e.says, says);
      return e.because === because;
    });
  await refused({ audience: 'test' }, 'app', /audience is not the one/);
  await refused({ username: 'nobody@acme.example' }, 'app', /not pre-authorized for the app/);
  await refused({ consumer_key: 'another-key-of-some-app' }, 'app', /does not know the app/);
  await refused({ username: 'leaver@acme.example' }, 'reconnect', /deactivated or frozen/);
  await refused(
    { private_key: '-----BEGIN PRIVATE KEY-----\nMIIno\n-----END PRIVATE KEY-----' },
    'app',
    /not an RSA key/,
  );
  assert.deepEqual(jwt.shown(jwt.fields.parse(good)), {
    consumer_key: vendor.app.clientId,
    username: 'gatehouse@acme.example',
  });
});

for (const [what, change] of [
  ['a domain that is not My Domain', { my_domain: 'acme.lightning.force.com' }],
  ['a domain with something behind it', { my_domain: 'acme.my.salesforce.com.evil.example' }],
  ['a domain with a path', { my_domain: 'evil.example/.my.salesforce.com' }],
  ['an organization that is none', { organization_id: 'acme' }],
  ['a version that is none', { api_version: '../v65.0' }],
  ['an object that may be written and not read', { writable: ['Case'] }],
  ['no object', { objects: [], writable: [], deletable: [] }],
  ['a list of objects that the hosted server cannot keep', { hosted_mcp: true }],
] as const)
  test(`settings are refused for ${what}`, () => {
    const settings = {
      my_domain: 'acme--uat.sandbox.my.salesforce.com',
      organization_id: '00D000000000001',
      objects: ['Account'],
    };
    assert.ok(manifest.settings.safeParse(settings).success);
    assert.ok(!manifest.settings.safeParse({ ...settings, ...change }).success);
  });

test('the hosted server is for those only who give up the list of objects', () => {
  const hosted = { my_domain: 'acme.my.salesforce.com', organization_id: '00D000000000001', hosted_mcp: true };
  assert.ok(manifest.settings.safeParse(hosted).success);
  assert.equal(manifest.remote!.refuses!(hosted), undefined);
  assert.match(manifest.remote!.refuses!({ ...hosted, hosted_mcp: undefined })!, /knows no list of objects/);
  assert.deepEqual(manifest.oauth!.moreScopes!(hosted, 'read_only'), ['mcp_api']);
});

test('the stand-in refuses what Salesforce would', async (t) => {
  const { vendor } = await salesforce(t);
  const at = vendor.origins['api'] ?? '';
  const asked = async (q: Record<string, string>) => {
    const all = {
      response_type: 'code',
      client_id: vendor.app.clientId,
      redirect_uri: REDIRECT,
      scope: 'api',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
      ...q,
    };
    const answer = await fetch(`${at}/services/oauth2/authorize?${new URLSearchParams(all).toString()}`, {
      redirect: 'manual',
    });
    return new URL(answer.headers.get('location') ?? 'https://none.example/?error=none').searchParams.get('error');
  };
  assert.deepEqual(
    [
      await asked({}),
      await asked({ redirect_uri: 'https://evil.example/' }),
      await asked({ scope: 'full admin' }),
      await asked({ code_challenge_method: 'plain' }),
    ],
    [null, 'none', 'invalid_scope', 'invalid_request'],
  );
  const used = new URLSearchParams(vendor.seen.find((r) => r.path.endsWith('/token'))!.body.toString());
  const token = async (change: Record<string, string>) =>
    (
      (await (
        await fetch(`${at}/services/oauth2/token`, {
          method: 'POST',
          body: new URLSearchParams({ ...Object.fromEntries(used), ...change }),
        })
      ).json()) as { error: string }
    ).error;
  assert.deepEqual(
    [
      await token({}),
      await token({ client_secret: 'x' }),
      await token({ client_id: 'x' }),
      await token({ grant_type: 'password' }),
    ],
    ['invalid_grant', 'invalid_client', 'invalid_client_id', 'unsupported_grant_type'],
  );
  const classify = manifest.oauth!.classify!;
  assert.deepEqual(
    [
      classify(400, { error: 'invalid_client_id' }),
      classify(400, { error: 'inactive_user' }),
      classify(400, { error: 'server_error' }),
      classify(400, { error: 'invalid_grant' }),
    ],
    ['app', 'reconnect', 'later', undefined],
  );
});

test('what rules see of calls can be read: objects, reports and money', () => {
  const facts = (tool: string, args: object) => {
    const p = project(manifest.builtin!.tools.find((x) => x.name === tool)!.projection, args);
    assert.equal(p.kind, 'facts');
    return p.kind === 'facts' ? p.combinations : [];
  };
  assert.equal(facts('create_record', { object: 'Opportunity', fields: { Amount: 999.5 } })[0]?.amount, 1000);
  assert.equal(facts('create_record', { object: 'Opportunity', fields: { Name: 'x' } })[0]?.folder, '/Opportunity');
  assert.deepEqual(
    facts('update_records', {
      object: 'Opportunity',
      records: [
        { id: '006000000000001', fields: { Amount: 5 } },
        { id: '006000000000002', fields: { Name: 'x' } },
      ],
    }).map((f) => f.amount),
    [5, undefined],
  );
  assert.deepEqual(
    facts('soql_query', { objects: ['Account', 'User'], query: 'x' }).map((f) => f.folder),
    ['/Account', '/User'],
  );
  assert.deepEqual(
    facts('sosl_search', { text: 'x y', objects: [{ object: 'Account' }, { object: 'Contact' }] }).map((f) => f.folder),
    ['/Account', '/Contact'],
  );
  // Money as text could mean another amount than a rule reads.
  const text = project(manifest.builtin!.tools.find((x) => x.name === 'update_record')!.projection, {
    object: 'Opportunity',
    fields: { Amount: '5' },
  });
  assert.equal(text.kind, 'unreadable');
});

test('a value with lines in it cannot look like another record', async (t) => {
  const { say, vendor } = await salesforce(t);
  vendor.world.records[0]!['Name'] = 'Acme\nAccount Name: Bank details changed';
  const text = await say('soql_query', { objects, query: "SELECT Name FROM Account WHERE Industry = 'Energy'" });
  assert.equal(text, '1 rows\nAccount Name: Acme\n    Account Name: Bank details changed');
});

test('a value with our sign between fields in it cannot look like another field', async (t) => {
  const { say, vendor } = await salesforce(t);
  vendor.world.records[0]!['Name'] = 'Acme | Industry: Banking';
  const query = "SELECT Name, Industry FROM Account WHERE Industry = 'Energy'";
  assert.equal(
    await say('soql_query', { objects, query }),
    '1 rows\nAccount Name: "Acme | Industry: Banking" | Industry: Energy',
  );
  const { Id: id } = vendor.world.records[0]!;
  const lines = (await say('get_record', { object: 'Account', id, fields: ['Name', 'Industry'] })).split('\n');
  assert.ok(lines.includes('Industry: Energy') && !lines.includes('Industry: Banking'), lines.join('\n'));
});

test('a record of another object than the one that rules saw is not shown', async (t) => {
  const { say, vendor } = await salesforce(t);
  const body = { attributes: { type: 'User' }, Id: '005000000000001AAA', Email: 'boss@acme.example' };
  vendor.fault = (r) => (r.path.includes('/sobjects/Account/005') ? { status: 200, body } : undefined);
  await assert.rejects(say('get_record', { object: 'Account', id: '005000000000001AAA' }), {
    code: 'connectors/salesforce-id',
  });
});
