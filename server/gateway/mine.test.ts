import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { newId } from '#kernel/id.ts';
import { myCallOperations } from './mine.http.ts';

let h: DoorHouse;
let path: string;
let mine: string;
let others: string;
before(async () => {
  h = await doorHouse({ operations: myCallOperations });
  path = `/orgs/${h.acme.org}/my/calls`;
  const una = await h.addPerson('Una', 'user');
  const ben = await h.addPerson('Ben', 'user');
  const cookieOf = async (user: typeof una.user) => (await h.browserOf(user)).cookies(new URL(h.origin));
  [mine, others] = [await cookieOf(una.user), await cookieOf(ben.user)];
  const con = newId('con');
  await h.t.super(
    `insert into connector (org, id, slug, name, url, state, created_at, type, mode, act_as, access) values ($1, $2, 'crm', 'CRM', 'https://crm.example', 'on', now(), 'mcp', 'remote', 'none', 'read_write')`,
    h.acme.org,
    con,
  );
  const call = (tool: string, minute: number, outcome: string | null, why: string | null) =>
    h.t.super(
      `insert into tool_call (org, id, connector, tool, member, user_id, client, args_hash, node, opened_at, outcome, why, closed_at)
       values ($1, $2, $3, $4, $5, $6, 'agent', '\\x00', 'n', $7, $8, $9, $10)`,
      h.acme.org,
      newId('tcl'),
      con,
      tool,
      una.member,
      una.user,
      new Date(Date.UTC(2026, 0, 1, 10, minute)),
      outcome,
      why,
      outcome === null ? null : new Date(Date.UTC(2026, 0, 1, 10, minute, 1)),
    );
  await call('list_deals', 1, 'answered', null);
  await call('update_deal', 2, 'denied', 'policy');
  await call('delete_deal', 3, 'held', null);
  await call('list_deals', 4, 'failed', 'reconnect');
  await call('read_deal', 4, null, null);
});
after(() => h[Symbol.asyncDispose]());

type Line = { tool: string; outcome: string | null; why: string | null; connector: { name: string } };
const list = async (query: string, cookie = mine) => {
  const r = await h.api('GET', path + query, undefined, { cookie });
  assert.equal(r.status, 200, r.text);
  return { items: r.body['items'] as Line[], next: r.body['next'] as string | null };
};
const named = async (query: string, cookie?: string) => (await list(query, cookie)).items.map((c) => c.tool).sort();

test('each person sees the calls of their own agents, and nobody else’s', async () => {
  const { items } = await list('');
  assert.deepEqual(new Set(items.slice(0, 2).map((c) => c.tool)), new Set(['list_deals', 'read_deal']));
  assert.deepEqual(
    items.slice(2).map((c) => [c.tool, c.outcome, c.why, c.connector.name]),
    [
      ['delete_deal', 'held', null, 'CRM'],
      ['update_deal', 'denied', 'policy', 'CRM'],
      ['list_deals', 'answered', null, 'CRM'],
    ],
  );
  assert.deepEqual((await list('', others)).items, []);
});

test('what was refused is found, and what is searched by tool or connector', async () => {
  assert.deepEqual(await named('?refused=true'), ['list_deals', 'update_deal']);
  assert.deepEqual(await named('?outcome=held'), ['delete_deal']);
  assert.deepEqual(await named('?q=update'), ['update_deal']);
  assert.equal((await named('?q=crm')).length, 5);
});

test('pages of one call each bring every call once, those of one moment too', async () => {
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = await list(`?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
    seen.push(...page.items.map((c) => c.tool));
    cursor = page.next;
  }
  assert.deepEqual(seen.sort(), ['delete_deal', 'list_deals', 'list_deals', 'read_deal', 'update_deal']);
});

test('a key has no calls of its own, and a cursor of another list is refused', async () => {
  const r = await h.api('GET', path);
  assert.deepEqual([r.status, r.body['code']], [403, 'gateway/persons-only']);
  const other = Buffer.from('["x"]').toString('base64url');
  assert.equal((await h.api('GET', `${path}?cursor=${other}`, undefined, { cookie: mine })).status, 400);
});
