import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { DnsLab, type DnsZone } from '#dev/dns.ts';
import { doorHouse, type Answer, type DoorHouse } from '#dev/door-house.ts';
import { listLastSignIns } from '#identity/last-sign-in.sql.ts';
import { makeDns } from '#kernel/dns.ts';
import { newId, type Id } from '#kernel/id.ts';
import { captureOperations } from './captures.http.ts';
import { domainOperations } from './domains.http.ts';
import { logOnly } from './herald.ts';

let h: DoorHouse;
let lab: DnsLab;
let zone: DnsZone;
let at: string;
let branch: Id<'org'>;
before(async () => {
  lab = await DnsLab.start();
  ({ zone } = await lab.zone('acme.example'));
  const operations = [
    ...domainOperations({
      herald: logOnly,
      lastSignIns: async (ctx, users) =>
        new Map(
          (await ctx.db.read({ parent: ctx.parent }, (db) => listLastSignIns(db, users))).map(({ user, ...rest }) => [
            user,
            rest,
          ]),
        ),
    }),
    ...captureOperations(logOnly),
  ];
  h = await doorHouse({ operations, dns: makeDns(lab.options) });
  at = `/orgs/${h.acme.org}`;
  branch = newId('org');
  await h.t.super(
    `insert into org (parent, id, name, surface, created_at) values ($1, $2, 'Branch', 'console', now())`,
    h.acme.parent,
    branch,
  );
});
after(async () => {
  await h[Symbol.asyncDispose]();
  await lab.close();
});
beforeEach(async () => {
  await h.t.super(`delete from domain`);
  await h.t.super(`delete from audit_inbox`);
  zone.remove('_gatehouse-challenge.acme.example');
});

type Record = { type: string; host: string; orHost: string; value: string };
const add = async (domain = 'acme.example', includeSubdomains = false): Promise<Answer> =>
  h.api('POST', `${at}/domains`, { domain, includeSubdomains });
const recordOf = (a: Answer): Record => a.body['record'] as Record;
async function verified(includeSubdomains = false): Promise<string> {
  const made = await add('acme.example', includeSubdomains);
  zone.txt(recordOf(made).host, recordOf(made).value);
  const checked = await h.api('POST', `${at}/domains/${idOf(made)}/check`);
  assert.equal(checked.body['state'], 'verified', checked.text);
  return idOf(made);
}
const nextOf = (a: Answer): string => (typeof a.body['next'] === 'string' ? a.body['next'] : '');
const idOf = (a: Answer): string => (typeof a.body['id'] === 'string' ? a.body['id'] : '');
const items = (a: Answer): { [k: string]: unknown }[] => a.body['items'] as { [k: string]: unknown }[];

test('a domain is added with the record that proves it, checked on demand, and shown with the reason in words', async () => {
  const made = await add(' ACME.example. ');
  assert.equal(made.status, 201, made.text);
  const id = idOf(made);
  assert.equal(made.headers.get('location'), `/api${at}/domains/${id}`);
  assert.equal(made.body['state'], 'pending');
  assert.deepEqual([recordOf(made).host, recordOf(made).orHost], ['_gatehouse-challenge.acme.example', 'acme.example']);
  assert.match(recordOf(made).value, new RegExp(`^gatehouse-domain-verification=${h.acme.parent}\\.[0-9a-f]{32}$`));

  const missing = await h.api('POST', `${at}/domains/${id}/check`);
  assert.equal(missing.status, 200, missing.text);
  const fault = missing.body['fault'] as { [k: string]: string };
  assert.equal(fault['code'], 'no_txt');
  assert.match(
    fault['says'] ?? '',
    /^acme\.example: no TXT record at _gatehouse-challenge\.acme\.example\. ns1\.acme\.example/,
  );
  assert.equal(fault['expected'], recordOf(made).value);
  assert.match(fault['fix'] ?? '', /^add a TXT record at/);

  const again = await h.api('POST', `${at}/domains/${id}/check`);
  assert.deepEqual(
    [again.status, again.body['code'], again.headers.get('retry-after')],
    [429, 'domains/checked-just-now', '1'],
  );

  h.advance(5000);
  zone.txt(recordOf(made).host, recordOf(made).value);
  assert.equal((await h.api('POST', `${at}/domains/${id}/check`)).body['state'], 'verified');
  const shown = await h.api('GET', `${at}/domains/${id}`);
  assert.deepEqual(
    [shown.body['state'], shown.body['says'], shown.body['fault']],
    ['verified', 'Sign-in works.', null],
  );

  const checks = items(await h.api('GET', `${at}/domains/${id}/checks?limit=4`));
  assert.deepEqual(
    checks.map((c) => [c['number'], c['verdict']]),
    [
      [2, 'proved'],
      [2, 'proved'],
      [2, 'proved'],
      [2, 'proved'],
    ],
  );
});

test('evidence pages through without losing or repeating a row', async () => {
  const id = await verified();
  for (let i = 0; i < 2; i++) {
    h.advance(5000);
    await h.api('POST', `${at}/domains/${id}/check`);
  }
  const seen: string[] = [];
  for (let cursor = ''; ;) {
    const page = await h.api('GET', `${at}/domains/${id}/checks?limit=4${cursor}`);
    seen.push(...items(page).map((c) => JSON.stringify([c['number'], c['resolver'], c['record']])));
    if (page.body['next'] === null) break;
    cursor = `&cursor=${nextOf(page)}`;
  }
  assert.equal(seen.length, 18);
  assert.equal(new Set(seen).size, 18);
  const forged = Buffer.from(JSON.stringify(['1; drop', 'x'])).toString('base64url');
  assert.equal((await h.api('GET', `${at}/domains/${id}/checks?cursor=${forged}`)).status, 200);
});

test('what is no domain, everybody’s, or there already is refused by its code', async () => {
  const code = async (domain: string): Promise<unknown> => (await add(domain)).body['code'];
  assert.equal(await code('https://acme.example'), 'domains/not-a-domain');
  assert.equal(await code('co.uk'), 'domains/public-suffix');
  assert.equal(await code('gmail.com'), 'domains/consumer-domain');
  assert.equal((await add()).status, 201);
  assert.equal(await code('Acme.Example'), 'domains/already-added');
});

test('there are at most 500 domains', async () => {
  await h.t.super(
    `insert into domain (parent, id, name, shown, token, include_subdomains, added_at, state, since, next_check_at)
     select $1, 'dom_' || md5(i::text), 'd' || i || '.example', 'd', md5(i::text), false, now(), 'pending', now(), now() from generate_series(1, 500) i`,
    h.acme.parent,
  );
  const r = await add();
  assert.deepEqual([r.status, r.body['code']], [409, 'domains/too-many']);
});

test('the list is searched by name and state, and pages', async () => {
  await verified();
  await add('bücher.example');
  await add('zebra.example');
  const names = async (query: string): Promise<unknown[]> =>
    items(await h.api('GET', `${at}/domains${query}`)).map((d) => d['shown']);
  assert.deepEqual(await names(''), ['acme.example', 'bücher.example', 'zebra.example']);
  assert.deepEqual(await names('?q=BÜCHER'), ['bücher.example']);
  assert.deepEqual(await names('?q=xn--bcher'), ['bücher.example']);
  assert.deepEqual(await names('?state=verified'), ['acme.example']);
  const first = await h.api('GET', `${at}/domains?limit=2`);
  assert.deepEqual(await names(`?limit=2&cursor=${nextOf(first)}`), ['zebra.example']);
});

test('a domain can be let speak for its subdomains, and given up', async () => {
  const id = await verified();
  const r = await h.api('PATCH', `${at}/domains/${id}`, { includeSubdomains: true });
  assert.equal(r.body['includeSubdomains'], true);
  assert.equal((await h.events('domain.subdomains_set')).length, 1);
  assert.equal((await h.api('DELETE', `${at}/domains/${id}`)).status, 204);
  for (const [method, path] of [
    ['GET', ''],
    ['POST', '/check'],
    ['GET', '/checks'],
    ['DELETE', ''],
    ['POST', '/capture'],
  ] as const) {
    const gone = await h.api(
      method,
      `${at}/domains/${id}${path}`,
      method === 'POST' && path === '/capture' ? {} : undefined,
    );
    assert.deepEqual([gone.status, gone.body['code']], [404, 'domains/no-such-domain'], `${method} ${path}`);
  }
});

test('every account under the verified domains is listed across organizations, with role, last sign-in and method, and nobody else', async () => {
  await verified(true);
  const { user: eve } = await h.addPerson('Eve', 'admin');
  await h.t.super(
    `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, 'user', now())`,
    branch,
    newId('mem'),
    eve,
  );
  const { user: zoe } = await h.addPerson('Zoe', 'user');
  await h.t.super(`update app_user set email = 'zoe@else.example' where id = $1`, zoe);
  const { user: max } = await h.addPerson('Max', 'user');
  await h.t.super(`update app_user set email = 'max@mail.acme.example' where id = $1`, max);
  await h.browserOf(eve);

  const page = await h.api('GET', `${at}/domain-memberships`);
  assert.equal(page.status, 200, page.text);
  const rows = items(page);
  assert.deepEqual(
    rows.map((r) => r['email']),
    ['ada@acme.example', 'eve@acme.example', 'max@mail.acme.example'],
  );
  const found = rows[1]!;
  assert.deepEqual(found['orgs'], [
    { org: h.acme.org, name: 'Acme Workspace', role: 'admin' },
    { org: branch, name: 'Branch', role: 'user' },
  ]);
  assert.equal((found['lastSignIn'] as { method: string }).method, 'setup_link');
  assert.equal(rows[2]!['lastSignIn'], null);
  assert.deepEqual(items(await h.api('GET', `${at}/domain-memberships?q=EVE`)).length, 1);
  const first = await h.api('GET', `${at}/domain-memberships?limit=2`);
  assert.deepEqual(
    items(await h.api('GET', `${at}/domain-memberships?limit=2&cursor=${nextOf(first)}`)).map((r) => r['email']),
    ['max@mail.acme.example'],
  );
});

test('the export has one line per account and organization, starts no formula, and is in the log before it leaves', async () => {
  await verified();
  const { user } = await h.addPerson('Mallory', 'user');
  await h.t.super(`update app_user set display_name = '=HYPERLINK("http://evil")' where id = $1`, user);
  const csv = await h.api('GET', `${at}/domain-memberships/export`);
  assert.equal(csv.headers.get('content-type'), 'text/csv; charset=utf-8');
  const lines = csv.text.split('\r\n');
  assert.equal(lines[0], 'email,name,domain,state,origin,organization,organization_name,role,last_sign_in,method');
  assert.ok(
    lines.some((l) =>
      l.startsWith(
        `mallory@acme.example,"'=HYPERLINK(""http://evil"")",acme.example,active,local,${h.acme.org},Acme Workspace,user,,`,
      ),
    ),
    csv.text,
  );
  const json = await h.api('GET', `${at}/domain-memberships/export?format=json`);
  const all = JSON.parse(json.text) as { email: string }[];
  assert.equal(all.length, new Set(all.map((a) => a.email)).size);
  assert.deepEqual(
    (await h.events('domain.memberships_exported')).map((e) => e.data),
    [
      { format: 'csv', accounts: all.length },
      { format: 'json', accounts: all.length },
    ],
  );
});

test('a person sees and answers in person what they are asked, and a key cannot', async () => {
  const id = await verified();
  const { user } = await h.addPerson('Kim', 'user', branch);
  const short = await h.api('POST', `${at}/domains/${id}/capture`, { noticeDays: 29 });
  assert.deepEqual([short.status, short.body['code']], [400, 'domains/short-notice']);
  const made = await h.api('POST', `${at}/domains/${id}/capture`, {});
  assert.equal(made.status, 201, made.text);
  assert.equal(made.body['state'], 'announced');
  const capture = idOf(made);
  assert.equal(
    (await h.api('POST', `/me/captures/${capture}`, { choice: 'merge' })).body['code'],
    'domains/no-such-capture',
  );

  const browser = await h.browserOf(user);
  const headers = { cookie: browser.cookies(new URL(h.origin)), origin: h.origin, 'sec-fetch-site': 'same-origin' };
  const asked = items(await h.api('GET', '/me/captures', undefined, headers));
  assert.deepEqual(
    asked.map((a) => [a['name'], a['orgName'], a['choice']]),
    [['acme.example', 'Acme Workspace', null]],
  );
  assert.equal((await h.api('POST', `/me/captures/${capture}`, { choice: 'merge' }, headers)).status, 204);
  const state = await h.api('GET', `${at}/domains/${id}/capture`);
  assert.deepEqual([state.body['merge'], state.body['fresh']], [1, 0]);
  const listed = async () => items(await h.api('GET', `${at}/captures`)).filter((c) => c['domain'] === id);
  assert.deepEqual(
    (await listed()).map((c) => [c['id'], c['state'], c['merge']]),
    [[capture, 'announced', 1]],
  );
  assert.equal((await h.api('DELETE', `${at}/domains/${id}/capture`)).status, 204);
  assert.equal((await h.api('GET', `${at}/domains/${id}/capture`)).body['code'], 'domains/no-such-capture');
  assert.deepEqual(await listed(), [], 'one that was called off is not listed');
});
