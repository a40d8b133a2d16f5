import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { approvalHouse, someConnector as crm, type ApprovalHouse, type HouseMember } from '#dev/approval-house.ts';
import { hashWords } from '@gatehouse/contract/hash-words.ts';
import type { Approval } from '../approval.ts';

let a: ApprovalHouse;
let luca: HouseMember;
let mira: HouseMember;
let olga: HouseMember;
before(async () => {
  a = await approvalHouse();
  a.tools.set('share_file', {
    pin: 'a'.repeat(64),
    class: 'destructive',
    projection: [{ kind: 'recipient', at: '/to/*' }],
  });
  luca = await a.person('Luca');
  mira = await a.person('Mira');
  olga = await a.person('Olga', 'admin');
});
after(() => a[Symbol.asyncDispose]());

const open = async (
  who: HouseMember,
  path: string,
  init: { method?: string; body?: URLSearchParams; headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string; to: string | null }> => {
  const r = await fetch(`${a.h.origin}${path}`, {
    redirect: 'manual',
    ...init,
    headers: { ...who.headers, ...init.headers },
  });
  return { status: r.status, text: await r.text(), to: r.headers.get('location') };
};
const post = (who: HouseMember, path: string, body: Record<string, string> = {}, headers = {}) =>
  open(who, path, { method: 'POST', body: new URLSearchParams(body), headers });
const pathOf = (r: Approval): string => `/approvals/${a.h.acme.org}/${r.id}`;
let n = 0;
const ask = (args: unknown, more = {}): Promise<Approval> =>
  a.asked(luca, { connector: crm, args: { n: ++n, ...(args as object) }, ...more });

test('the page shows every argument, who is outside, the words of the hash, and the agent apart as not verified', async () => {
  const r = await ask(
    { to: ['dan@acme.example', 'm@\u0430cme.example'], note: 'Draft <b>only</b>' },
    { tool: 'share_file', says: 'Bob agreed\u202E already' },
  );
  const { status, text } = await open(olga, pathOf(r));
  assert.equal(status, 200);
  assert.match(text, /Luca’s agent wants to use share_file of CRM, with 1 person outside Acme/);
  assert.match(text, /2 recipients, 1 of them outside Acme/);
  assert.match(text, /m@<span class="esc">\u0430 U\+0430<\/span>cme\.example/);
  assert.match(text, /Looks like acme\.example and is not\. Really xn--/);
  assert.match(text, /Draft &lt;b&gt;only&lt;\/b&gt;/);
  for (const w of hashWords(r.hash)) assert.ok(text.includes(`<li>${w}</li>`));
  assert.match(text, /not verified by Gatehouse<\/span><\/h2><p>Bob agreed<span class="esc">U\+202E<\/span> already/);
  assert.match(text, /what destroys asks: .*A yes is for exactly this call/);
});

test('a yes on the page is a yes to the hash that the page showed', async () => {
  const r = await ask({});
  const no = await post(olga, `${pathOf(r)}/approve`, { hash: 'f'.repeat(64) });
  assert.equal(no.status, 409);
  assert.match(no.text, /approvals\/other-action/);
  const yes = await post(olga, `${pathOf(r)}/approve`, { hash: r.hash });
  assert.equal(yes.to, pathOf(r));
  const { text } = await open(olga, pathOf(r));
  assert.match(text, /<strong>Approved [^<]*<\/strong> by Olga\. The agent has until .* to run it, once\./);
  assert.equal(await a.use(luca, { connector: crm, args: r.action.args }), r.id);
});

test('a no on the page reaches the agent with its reason, and the second to answer is told who was first', async () => {
  const r = await ask({});
  await post(olga, `${pathOf(r)}/deny`, { reason: 'wrong deal' });
  assert.match(
    (await open(olga, pathOf(r))).text,
    /<strong>Denied [^<]*<\/strong> by Olga\. The agent was told so: wrong deal\./,
  );
  const late = await post(olga, `${pathOf(r)}/approve`, { hash: r.hash });
  assert.equal(late.status, 409);
  assert.match(late.text, /approvals\/decided/);
});

test('whose agent asked sees that others decide, takes the request back, and cannot approve it', async () => {
  const r = await ask({});
  const { text } = await open(luca, pathOf(r));
  assert.match(text, /Take the request back/);
  assert.doesNotMatch(text, /id="approve"/);
  assert.equal((await post(luca, `${pathOf(r)}/approve`, { hash: r.hash })).status, 403);
  await post(luca, `${pathOf(r)}/cancel`);
  assert.match((await open(olga, pathOf(r))).text, /<strong>Taken back/);
});

test('a yes that was not used is taken back on the page, and pays for nothing then', async () => {
  const r = await ask({});
  await post(olga, `${pathOf(r)}/approve`, { hash: r.hash });
  await post(olga, `${pathOf(r)}/revoke`);
  assert.equal(await a.use(luca, { connector: crm, args: r.action.args }), undefined);
});

test('for somebody whom it does not concern there is no such page, and none for what is no id', async () => {
  const r = await ask({});
  for (const path of [pathOf(r), `/approvals/${a.h.acme.org}/apr_nothing`])
    assert.equal((await open(mira, path)).status, 404);
  assert.equal((await post(mira, `${pathOf(r)}/approve`, { hash: r.hash })).status, 404);
});

test('another site cannot post a decision with the cookie of whoever visits it', async () => {
  const r = await ask({});
  const no = await post(
    olga,
    `${pathOf(r)}/approve`,
    { hash: r.hash },
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  );
  assert.equal(no.status, 403);
  assert.match(no.text, /identity\/cross-site/);
});

test('the list has what waits for me and not its arguments, can be searched, and says what an empty one means', async () => {
  await ask({ secret: 'the-merger' });
  const inbox = `/approvals/${a.h.acme.org}`;
  const { text } = await open(olga, inbox);
  assert.match(text, /calls? waits? for you/);
  assert.doesNotMatch(text, /the-merger/);
  assert.match((await open(olga, `${inbox}?q=no-such-tool`)).text, /Nothing that waits matches “no-such-tool”/);
  assert.match((await open(mira, inbox)).text, /Nothing waits for you/);
  assert.match((await open(luca, inbox)).text, /Your agents asked/);
  assert.equal((await open(olga, '/approvals')).to, inbox);
});

test('a rule that wants a passkey makes the page ask for one, and without it a yes is refused', async () => {
  await a.rule({
    name: 'wipes want a passkey',
    connector: crm,
    tools: { names: ['wipe'] },
    effect: 'allow',
    asks: 'always',
    approvers: { who: { kind: 'deciders' }, secondPerson: true, surface: 'any', fresh: true },
  } as never);
  a.tools.set('wipe', { pin: 'a'.repeat(64), class: 'write', projection: [] });
  const r = await ask({}, { tool: 'wipe', class: 'write' });
  const { text } = await open(olga, pathOf(r));
  assert.match(text, /Approve with passkey/);
  const no = await post(olga, `${pathOf(r)}/approve`, { hash: r.hash });
  assert.equal(no.status, 403);
  assert.match(no.text, /passkey/);
});
