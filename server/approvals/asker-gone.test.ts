import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import type { Approval } from './approval.ts';
import { approvalOperations } from './approvals.http.ts';
import { ask } from './ask.ts';
import { expireApprovalsJob } from './expire-approvals.job.ts';
import { useGrant } from './use-grant.ts';

let h: DoorHouse;
let boss: Record<string, string>;
before(async () => {
  h = await doorHouse({ operations: approvalOperations });
  const { user } = await h.addPerson('Boss', 'admin');
  boss = { cookie: (await h.browserOf(user)).cookies(new URL(h.origin)), origin: h.origin };
});
after(() => h[Symbol.asyncDispose]());

type Person = { user: Id<'usr'>; member: Id<'mem'> };
const ctx = (): OrgCtx => ({ ...h.ctx, now: h.world.now() });
const call = (deal: number) => ({ connector: newIdOnce, tool: 'delete_deal', args: { deal } });
const newIdOnce = newId('con');
const asked = (p: Person, deal: number): Promise<Approval> =>
  ask(ctx(), { ...p, client: 'test' }, call(deal), newId('tcl'));
const decide = (id: string) =>
  h.api('POST', `/orgs/${h.acme.org}/approvals/${id}/decision`, { decision: 'allow' }, boss);
const stateOf = async (id: string) => (await h.api('GET', `/orgs/${h.acme.org}/approvals/${id}`)).body['state'];

for (const [what, leave] of [
  [
    'is suspended',
    (p: Person) =>
      h.t.super(
        `update app_user set state = 'suspended', suspended_at = now(), suspended_by = 'test' where id = $1`,
        p.user,
      ),
  ],
  ['is removed', (p: Person) => h.t.super(`delete from member where id = $1`, p.member)],
] as const)
  test(`what the agent of a person who ${what} asked for and was granted is over at once, before any job has run; the job tells each once`, async () => {
    const p = await h.addPerson(`Rita ${what}`.replace(/ /g, '-'), 'user');
    const [waits, granted] = [await asked(p, 1), await asked(p, 2)];
    assert.equal((await decide(granted.id)).status, 200);
    assert.equal(await stateOf(waits.id), 'pending');
    await leave(p);
    assert.deepEqual([await stateOf(waits.id), await stateOf(granted.id)], ['expired', 'expired']);
    const r = await decide(waits.id);
    assert.deepEqual([r.status, r.body['code']], [409, 'approvals/asker-gone']);
    assert.equal(await useGrant(ctx(), { ...p, client: 'test' }, call(2), newId('tcl')), undefined);
    const listed = await h.api('GET', `/orgs/${h.acme.org}/approvals?state=pending`);
    assert.ok(!listed.text.includes(waits.id));
    const job = expireApprovalsJob(h.world);
    for (let i = 0; i < 2; i++) await job.run({});
    const told = (await h.events('approval.ended')).filter((e) =>
      [waits.id, granted.id].includes(String(e.data['approval']) as Id<'apr'>),
    );
    assert.deepEqual(new Set(told.map((e) => e.data['was'])), new Set(['granted', 'pending']));
    assert.equal(told.length, 2);
  });

test('what waits for another person goes on', async () => {
  const p = await h.addPerson('Stays', 'user');
  const waits = await asked(p, 3);
  await expireApprovalsJob(h.world).run({});
  assert.equal(await stateOf(waits.id), 'pending');
});
