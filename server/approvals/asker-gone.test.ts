import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { approvalHouse, someConnector, type ApprovalHouse, type HouseMember } from '#dev/approval-house.ts';
import type { DoorHouse } from '#dev/door-house.ts';
import type { Approval } from './approval.ts';
import { expireApprovalsJob } from './expire-approvals.job.ts';

let a: ApprovalHouse;
let h: DoorHouse;
let boss: HouseMember;
before(async () => {
  a = await approvalHouse();
  h = a.h;
  boss = await a.person('Boss', 'admin');
});
after(() => a[Symbol.asyncDispose]());

type Person = HouseMember;
const call = (deal: number) => ({ connector: someConnector, args: { deal } });
const asked = (p: Person, deal: number): Promise<Approval> => a.asked(p, call(deal));
const decide = (id: string) => a.decide(id, 'approved', boss);
const stateOf = async (id: string) => (await a.get(id)).body['state'];

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
    const p = await a.person(`Rita ${what}`.replace(/ /g, '-'));
    const [waits, granted] = [await asked(p, 1), await asked(p, 2)];
    assert.equal((await decide(granted.id)).status, 200);
    assert.equal(await stateOf(waits.id), 'pending');
    await leave(p);
    assert.deepEqual([await stateOf(waits.id), await stateOf(granted.id)], ['cancelled', 'approved']);
    assert.equal(((await a.get(granted.id)).body['grant'] as { state: string }).state, 'revoked');
    const r = await decide(waits.id);
    assert.deepEqual([r.status, r.body['code']], [409, 'approvals/asker-gone']);
    assert.equal(await a.use(p, call(2)), undefined);
    const listed = await h.api('GET', `/orgs/${h.acme.org}/approvals?state=pending`);
    assert.ok(!listed.text.includes(waits.id));
    const job = expireApprovalsJob(h.world);
    for (let i = 0; i < 2; i++) await job.run({});
    assert.deepEqual(
      (await a.told('approval.cancelled', waits.id)).map((e) => e.data['why']),
      ['asker_gone'],
    );
    assert.deepEqual(
      (await a.told('approval.grant_revoked', granted.id)).map((e) => e.data['why']),
      ['asker_gone'],
    );
  });

test('what waits for another person goes on', async () => {
  const p = await a.person('Stays');
  const waits = await asked(p, 3);
  await expireApprovalsJob(h.world).run({});
  assert.equal(await stateOf(waits.id), 'pending');
});
