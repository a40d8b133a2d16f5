import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { deactivate, pushPeople, reactivate, removeMember, testConnection } from './idp-push.ts';
import { groupNames, people } from './people.ts';

// The far end writes down what it was sent; that the shapes are understood is proved by the directory's own tests and by the demo.
type Sent = { method: string; path: string; type: string | undefined; body: { [k: string]: unknown } | undefined };
let sent: Sent[];
let base: string;
let close: () => Promise<unknown>;
let refuse = false;
beforeEach(async () => {
  sent = [];
  refuse = false;
  const server = createServer((q, r) => {
    let text = '';
    q.on('data', (c: Buffer) => (text += c.toString()));
    q.on('end', () => {
      assert.equal(q.headers.authorization, 'Bearer scim-token');
      const method = q.method ?? '';
      sent.push({
        method,
        path: decodeURIComponent(q.url ?? ''),
        type: q.headers['content-type'],
        body: text ? JSON.parse(text) : undefined,
      });
      if (refuse) return void r.writeHead(409).end('{"scimType":"uniqueness"}');
      if (method === 'PATCH') return void r.writeHead(204).end();
      return void r.end(
        JSON.stringify(method === 'POST' ? { id: `id-${sent.length}` } : { totalResults: 0, Resources: [] }),
      );
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/scim/v2`;
  close = () => new Promise((r) => server.close(r));
});
afterEach(() => close());

const operations = (s: Sent): unknown => s.body?.['Operations'];

test('a push as Okta looks for each user first, creates them, and adds members in one operation', async () => {
  const pushed = await pushPeople(base, 'scim-token', [people.seller, people.lead], [groupNames.sales], 'okta');
  assert.deepEqual(
    sent.map((s) => `${s.method} ${s.path}`),
    [
      `GET /scim/v2/Users?filter=userName eq "${people.seller.email}"`,
      'POST /scim/v2/Users',
      `GET /scim/v2/Users?filter=userName eq "${people.lead.email}"`,
      'POST /scim/v2/Users',
      'GET /scim/v2/Groups?filter=displayName eq "Sales"',
      'POST /scim/v2/Groups',
      'PATCH /scim/v2/Groups/id-6',
    ],
  );
  assert.equal(sent[1]?.body?.['externalId'], people.seller.sub);
  assert.deepEqual(sent[1]?.body?.['groups'], []);
  assert.ok(sent.every((s) => s.type === 'application/scim+json; charset=utf-8'));
  const value = [
    { value: 'id-2', display: 'Luca Lumen' },
    { value: 'id-4', display: 'Bianca Beacon' },
  ];
  assert.deepEqual(operations(sent[6]!), [{ op: 'add', path: 'members', value }]);
  assert.equal(pushed.users.get(people.lead.sub), 'id-4');
  assert.equal(pushed.groups.get('Sales'), 'id-6');
});

test('a push as Entra leaves members out when it looks for a group, and adds them one by one with a null $ref', async () => {
  await pushPeople(base, 'scim-token', [people.seller, people.lead], [groupNames.sales], 'entra');
  assert.equal(sent[4]?.path, '/scim/v2/Groups?excludedAttributes=members&filter=displayName eq "Sales"');
  assert.deepEqual(sent.slice(6).map(operations), [
    [{ op: 'Add', path: 'members', value: [{ $ref: null, value: 'id-2' }] }],
    [{ op: 'Add', path: 'members', value: [{ $ref: null, value: 'id-4' }] }],
  ]);
  assert.equal(sent[0]?.type, undefined);
});

test('a group without members among the people pushed gets no request about members', async () => {
  await pushPeople(base, 'scim-token', [people.seller], [groupNames.workshop]);
  assert.equal(sent.at(-1)?.method, 'POST');
});

test('leaving is one PATCH: a boolean from Okta, the text "False" from Entra', async () => {
  await deactivate(base, 'scim-token', 'u1', 'okta');
  await deactivate(base, 'scim-token', 'u1', 'entra');
  await reactivate(base, 'scim-token', 'u1', 'entra');
  await removeMember(base, 'scim-token', 'g1', 'u1', 'okta');
  assert.deepEqual(sent.map(operations), [
    [{ op: 'replace', value: { active: false } }],
    [{ op: 'Replace', path: 'active', value: 'False' }],
    [{ op: 'Replace', path: 'active', value: 'True' }],
    [{ op: 'remove', path: 'members[value eq "u1"]' }],
  ]);
});

test('a refusal of the directory is thrown in its own words', async () => {
  refuse = true;
  await assert.rejects(testConnection(base, 'scim-token'), /GET .* was answered 409: .*uniqueness/);
});
