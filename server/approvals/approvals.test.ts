// Longer than 300 lines: every end that one request can come to, around one organization and its people.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  approvalHouse,
  someConnector as crm,
  type ApprovalHouse,
  type HouseMember,
  type Over,
} from '#dev/approval-house.ts';
import { asking } from '#dev/asking.ts';
import type { Answer, DoorHouse } from '#dev/door-house.ts';
import { scopeOf, systemCtx, type OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { createApiKey } from '#org/create-api-key.ts';
import { foundOrg } from '#org/found-org.ts';
import { keyPermissions } from '#org/api-key.ts';
import { loadPolicySet } from '#policy/load-policy-set.ts';
import { DENIAL_MS, GRANT_MS, REQUEST_MS, type Approval } from './approval.ts';
import { expireApprovalsJob } from './expire-approvals.job.ts';
import { useGrant } from './use-grant.ts';

let a: ApprovalHouse;
let h: DoorHouse;
/** Luca's agent asks; Olga and Oskar decide. */
let luca: HouseMember;
let other: HouseMember;
let olga: HouseMember;
let oskar: HouseMember;
before(async () => {
  a = await approvalHouse();
  h = a.h;
  luca = await a.person('Luca');
  other = await a.person('Mira');
  olga = await a.person('Olga', 'admin');
  oskar = await a.person('Oskar', 'admin');
});
after(() => a[Symbol.asyncDispose]());

let n = 0;
/** A call that no other test asks about. */
const call = (more: Over = {}): Over => ({ connector: crm, tool: 'delete_deal', args: { id: `deal-${++n}` }, ...more });
const asked = (c: Over, who: HouseMember = luca): Promise<Approval> => a.asked(who, c);
const use = (c: Over, who: HouseMember = luca): Promise<Id<'apr'> | undefined> => a.use(who, c);
const at = (path = ''): string => a.at(path);
const get = (id: string): Promise<Answer> => a.get(id);
const decide = (
  id: string,
  verdict: 'approved' | 'denied',
  who: HouseMember = olga,
  reason?: string,
): Promise<Answer> => a.decide(id, verdict, who, reason === undefined ? {} : { reason });
const told = (type: string, id: string) => a.told(type, id);

test('a request that is approved runs once: asked, approved, used, each in the log by ids and hash, without the arguments', async () => {
  const action = call({ args: { id: 'deal-of-a-secret-lamp' } });
  const request = await asked(action);
  assert.equal(request.state, 'pending');
  assert.equal(await use(action), undefined, 'nobody has decided');
  const r = await decide(request.id, 'approved', olga, 'the customer asked for it');
  assert.deepEqual([r.status, r.body['state']], [200, 'approved'], r.text);
  assert.equal(await use(action), request.id);
  assert.equal(await use(action), undefined, 'the grant was for one call');
  assert.equal(((await get(request.id)).body['grant'] as { state: string }).state, 'used');
  for (const type of ['approval.asked', 'approval.approved', 'approval.grant_used']) {
    const events = await told(type, request.id);
    assert.deepEqual(
      events.map((e) => e.data['hash']),
      [request.hash],
      type,
    );
  }
  const log = JSON.stringify(await h.t.super('select header, data from audit_inbox'));
  assert.ok(!log.includes('secret-lamp') && !log.includes('the customer asked'));
});

test('of two calls that try one grant at the same moment, one gets it', async () => {
  const action = call();
  const { id } = await asked(action);
  await decide(id, 'approved');
  const used = await Promise.all(Array.from({ length: 6 }, () => use(action)));
  assert.deepEqual(used.filter(Boolean), [id]);
  assert.equal((await told('approval.grant_used', id)).length, 1);
});

const elsewhere: [string, (c: Over) => Over, (() => HouseMember)?][] = [
  ['with other arguments', (c) => ({ ...c, args: { id: 'deal-0' } })],
  ['with one argument more', (c) => ({ ...c, args: { ...(c.args as Record<string, string>), force: true } })],
  ['with a number in the place of its text', (c) => ({ ...c, args: { ...(c.args as Record<string, string>), id: 7 } })],
  ['with no arguments', (c) => ({ ...c, args: {} })],
  ['of another tool', (c) => ({ ...c, tool: 'add_note' })],
  ['at another connector', (c) => ({ ...c, connector: newId('con') })],
  ['of another definition of the tool', (c) => ({ ...c, pin: 'b'.repeat(64) })],
  ['with an answer to what the system asked', (c) => ({ ...c, also: { inputResponses: {} } })],
  ['by another member', (c) => c, () => other],
  [
    'by another agent of the same person',
    (c) => c,
    () => ({ ...luca, asker: { ...luca.asker, client: 'another-client' } }),
  ],
];
for (const [what, changed, who] of elsewhere)
  test(`a grant does not pay for a call ${what}`, async () => {
    const action = call();
    const { id } = await asked(action);
    await decide(id, 'approved');
    assert.equal(await use(changed(action), who?.()), undefined);
    assert.equal(await use(action), id, 'and is still there for the call that it was given for');
  });

test('the same arguments in another order are the same call', async () => {
  const { id } = await asked(call({ args: { a: 1, b: [2, { c: 3, d: 4 }] } }));
  assert.equal((await asked(call({ args: { b: [2, { d: 4, c: 3 }], a: 1 } }))).id, id);
});

test('a grant of one organization is none in another', async () => {
  const action = call();
  const { id } = await asked(action);
  await decide(id, 'approved');
  const theirs = await otherOrg();
  const { action: same } = asking(luca.asker, h.acme.org, action);
  const set = await h.world.db.read(scopeOf(theirs.ctx), loadPolicySet);
  const using = { asker: luca.asker, action: same, call: newId('tcl'), projection: [], set };
  assert.equal(await useGrant(theirs.ctx, a.port, using), undefined);
  assert.equal(await use(action), id);
});

test('the same call asked again while it waits is the same request, also at the same moment', async () => {
  const action = call();
  const all = await Promise.all(Array.from({ length: 5 }, () => asked(action)));
  assert.equal(new Set(all.map((a) => a.id)).size, 1);
  assert.equal((await told('approval.asked', all[0]?.id ?? '')).length, 1);
  const rows = await h.t.super('select id from approval where action_hash = $1', all[0]?.hash);
  assert.equal(rows.length, 1);
});

test('a denial is repeated with its reason for ten minutes without asking anybody; then a call asks anew', async () => {
  const action = call();
  const { id } = await asked(action);
  const r = await decide(id, 'denied', olga, 'not before Monday');
  assert.deepEqual(
    [r.body['state'], (r.body['decided'] as { reason: string }).reason],
    ['denied', 'not before Monday'],
  );
  assert.equal(await use(action), undefined);
  const again = await asked(action);
  assert.ok(again.state === 'denied', again.state);
  assert.deepEqual([again.id, again.decided.reason], [id, 'not before Monday']);
  h.advance(DENIAL_MS - 60_000);
  assert.equal((await asked(action)).id, id);
  h.advance(61_000);
  const later = await asked(action);
  assert.deepEqual([later.state, later.id === id], ['pending', false]);
  assert.equal((await told('approval.denied', id)).length, 1);
});

test('nobody decides about the call of their own agent, whatever their role: approvals/own-request', async () => {
  const admin = await a.person('Amir', 'admin');
  const { id } = await asked(call(), admin);
  for (const verdict of ['approved', 'denied'] as const) {
    const r = await decide(id, verdict, admin);
    assert.deepEqual([r.status, r.body['code']], [403, 'approvals/own-request'], r.text);
    assert.equal(r.body['detail'], 'the call that waits is your own; another person decides');
    assert.equal(r.body['fix'], 'ask somebody who may decide; you can only take the request back');
  }
  assert.equal((await get(id)).body['state'], 'pending');
  assert.equal((await decide(id, 'approved', olga)).status, 200);
});

test('an API key decides nothing, even one of an owner: approvals/not-a-person', async () => {
  const { id } = await asked(call());
  const r = await a.decide(id, 'approved', { headers: { authorization: `Bearer ${h.key}` } });
  assert.deepEqual([r.status, r.body['code']], [403, 'approvals/not-a-person'], r.text);
  assert.match(String(r.body['detail']), /by people who are signed in, not by keys or agents/);
  assert.equal(r.body['fix'], 'sign in to the portal and decide there');
  assert.equal((await get(id)).body['state'], 'pending');
});

test('who may not decide approvals neither decides nor reads one', async () => {
  const uma = await a.person('Uma');
  const { id } = await asked(call());
  for (const r of [await decide(id, 'approved', uma), await a.get(id, uma)])
    assert.deepEqual([r.status, r.body['code']], [404, 'approvals/no-approval'], r.text);
  const all = await h.api('GET', at(), undefined, uma.headers);
  assert.deepEqual([all.status, all.body['code']], [403, 'org/not-permitted'], all.text);
  for (const whose of ['me', 'mine'])
    assert.deepEqual((await h.api('GET', at(`?for=${whose}`), undefined, uma.headers)).body['items'], []);
  assert.equal((await get(id)).body['state'], 'pending');
});

test('the first decision stands, and the second reads which it was and by whom: approvals/decided', async () => {
  for (const first of ['approved', 'denied'] as const) {
    const action = call();
    const { id } = await asked(action);
    const decided = await decide(id, first, olga);
    const r = await decide(id, first === 'approved' ? 'denied' : 'approved', oskar);
    assert.deepEqual([r.status, r.body['code']], [409, 'approvals/decided'], r.text);
    const { by, at: when } = decided.body['decided'] as { by: string; at: string };
    assert.equal(r.body['detail'], `this was decided already: ${first} by ${by} at ${when}`);
    assert.deepEqual([r.body['state'], r.body['by'], r.body['at']], [first, by, when], 'for machines, too');
    assert.equal(r.body['fix'], 'the first decision stands; a new call asks anew');
    assert.equal(await use(action), first === 'approved' ? id : undefined);
  }
});

test('of several people who decide differently at the same moment exactly one wins, and it is that one’s word that counts', async () => {
  for (let round = 0; round < 5; round++) {
    const action = call();
    const { id } = await asked(action);
    const answers = await Promise.all([
      decide(id, 'approved', olga),
      decide(id, 'denied', oskar),
      decide(id, 'approved', oskar),
      decide(id, 'denied', olga),
    ]);
    const won = answers.filter((r) => r.status === 200);
    assert.equal(won.length, 1, answers.map((r) => r.text).join('\n'));
    for (const r of answers) if (r.status !== 200) assert.equal(r.body['code'], 'approvals/decided');
    assert.equal((await get(id)).body['state'], won[0]?.body['state']);
    const events = [...(await told('approval.approved', id)), ...(await told('approval.denied', id))];
    assert.equal(events.length, 1);
    assert.equal(await use(action), won[0]?.body['state'] === 'approved' ? id : undefined);
  }
});

test('a request that nobody decided in an hour is over, before any job has run: approvals/expired', async () => {
  const action = call();
  const { id, expires } = await asked(action);
  h.advance(REQUEST_MS);
  const r = await decide(id, 'approved');
  assert.deepEqual([r.status, r.body['code']], [409, 'approvals/expired'], r.text);
  assert.equal(r.body['detail'], `nobody decided until ${expires.toISOString()}, so the request is over`);
  assert.equal(r.body['fix'], 'let the agent call again; that asks anew');
  assert.equal((await get(id)).body['state'], 'expired');
  const again = await asked(action);
  assert.deepEqual([again.state, again.id === id], ['pending', false]);
  assert.equal((await told('approval.expired', id)).length, 1, 'the old one is told as over');
});

test('a grant that was not used in ten minutes pays for nothing, and deciding again says who had approved it', async () => {
  const action = call();
  const { id } = await asked(action);
  await decide(id, 'approved');
  h.advance(GRANT_MS);
  assert.equal(await use(action), undefined);
  const shown = await get(id);
  assert.deepEqual([shown.body['state'], (shown.body['grant'] as { state: string }).state], ['approved', 'expired']);
  assert.ok(shown.body['decided'], 'who had said yes is still there');
  const r = await decide(id, 'denied', oskar);
  assert.deepEqual([r.status, r.body['code']], [409, 'approvals/decided'], r.text);
  const again = await asked(action);
  assert.deepEqual([again.state, again.id === id], ['pending', false]);
});

test('the job tells each end of time once, and leaves what still waits', async () => {
  const [waits, over] = [call(), call()];
  const old = await asked(over);
  const grant = await asked(call());
  h.advance(REQUEST_MS - 60_000);
  await decide(grant.id, 'approved');
  const young = await asked(waits);
  h.advance(GRANT_MS + 1);
  const job = expireApprovalsJob(h.world);
  await Promise.all([job.run({}), job.run({})]);
  await job.run({});
  assert.equal((await told('approval.expired', old.id)).length, 1);
  assert.equal((await told('approval.expired', grant.id)).length, 0, 'it was approved');
  assert.equal((await told('approval.grant_expired', grant.id)).length, 1);
  assert.equal((await told('approval.expired', young.id)).length, 0);
  assert.equal((await get(young.id)).body['state'], 'pending');
});

async function otherOrg(): Promise<{ ctx: OrgCtx; org: Id<'org'>; key: Record<string, string> }> {
  const owner = { email: 'o@other.example', displayName: 'O' };
  const f = await foundOrg(h.world, { parentName: 'Other', orgName: 'Other', owner });
  const theirs = { ...systemCtx(h.world, 'test', f), org: f.org };
  const expiresAt = new Date(h.world.now().getTime() + 86_400_000);
  const key = await createApiKey(theirs, { name: 'k', permissions: keyPermissions, expiresAt, creator: f.owner });
  return { ctx: theirs, org: f.org, key: { authorization: `Bearer ${key.value}` } };
}

test('an approval of another organization, one that nobody has, and no id at all are answered alike: approvals/no-approval', async () => {
  const { id } = await asked(call());
  const theirs = await otherOrg();
  for (const [org, it, headers] of [
    [theirs.org, id, theirs.key],
    [h.acme.org, newId('apr'), olga.headers],
    [h.acme.org, 'latest', olga.headers],
  ] as const)
    for (const r of [
      await h.api('GET', `/orgs/${org}/approvals/${it}`, undefined, headers),
      await h.api('POST', `/orgs/${org}/approvals/${it}/decision`, { verdict: 'approved' }, headers),
    ]) {
      assert.deepEqual([r.status, r.body['code']], [404, 'approvals/no-approval'], r.text);
      assert.equal(r.body['detail'], `there is no approval ${it} in this organization`);
    }
  assert.equal((await get(id)).body['state'], 'pending');
  const list = await h.api('GET', `/orgs/${theirs.org}/approvals`, undefined, theirs.key);
  assert.deepEqual(list.body['items'], []);
});

test('a list shows what waits without arguments; opening one shows the exact call, and leaves an event', async () => {
  const action = call({ args: { id: 'a-lamp', note: 'only for the one who decides' } });
  const { id } = await asked(action);
  const list = await h.api('GET', at('?state=pending&limit=200'), undefined, olga.headers);
  assert.ok(list.text.includes(id) && !list.text.includes('only for the one who decides'), list.text);
  assert.equal((await told('approval.read', id)).length, 0);
  const one = await h.api('GET', at(`/${id}`), undefined, olga.headers);
  assert.deepEqual(one.body['args'], action.args);
  const { member, user, client } = luca.asker;
  assert.deepEqual(one.body['asker'], { member, user, name: 'Luca', client });
  assert.equal((await told('approval.read', id)).length, 1);
});

test('a list goes page by page, newest first, and nothing is twice or missing', async () => {
  const tool = `paged_${Date.now()}`;
  const made: string[] = [];
  for (let i = 0; i < 5; i++) made.unshift((await asked(call({ tool }))).id);
  const found: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const r: Answer = await h.api(
      'GET',
      at(`?q=${tool}&limit=2${cursor ? `&cursor=${cursor}` : ''}`),
      undefined,
      olga.headers,
    );
    assert.equal(r.status, 200, r.text);
    found.push(...(r.body['items'] as { id: string }[]).map((a) => a.id));
    cursor = r.body['next'] as string | null;
  }
  assert.deepEqual(found, made);
});

for (const key of [['not a time', 'apr_x'], ['2026-01-01T00:00:00Z'], ['', ''], ['+275760-09-13T00:00:00.001Z', 'x']])
  test(`a cursor that no list made (${JSON.stringify(key)}) is refused as that: http/invalid`, async () => {
    const cursor = Buffer.from(JSON.stringify(key)).toString('base64url');
    const r = await h.api('GET', at(`?cursor=${cursor}`), undefined, olga.headers);
    assert.deepEqual([r.status, r.body['code']], [400, 'http/invalid'], r.text);
    assert.match(String(r.body['detail']), /leave it out to begin at the top/);
  });
