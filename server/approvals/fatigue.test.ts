import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { approvalHouse, PIN, type ApprovalHouse, type HouseMember } from '#dev/approval-house.ts';
import { change } from '#audit/change.ts';
import type { Id } from '#kernel/id.ts';
import type { Approval } from './approval.ts';
import { FEWEST } from './deciders.ts';
import { noticeOf, type Notice } from './notices/notice.ts';
import { planNotices } from './notices/plan-notices.ts';
import { approvalEvents } from './approvals.events.ts';
import { event } from '#audit/events.ts';

/** What keeps people from being worn down, and shows who may be. */
let a: ApprovalHouse;
let luca: HouseMember;
before(async () => {
  a = await approvalHouse();
  luca = await a.person('Luca');
  a.tools.set('change', { pin: PIN, class: 'write', projection: [] });
});
after(() => a[Symbol.asyncDispose]());

for (const [about, told, most, how] of [
  ['destructive', 0, 6, 'now'],
  ['destructive', 5, 6, 'now'],
  ['destructive', 6, 6, 'digest'],
  ['destructive', 0, 0, 'digest'],
  ['write', 0, 6, 'digest'],
  ['read', 0, 6, 'digest'],
] as const)
  test(`somebody who was told ${told} times this hour, of at most ${most}, hears of a ${about} call ${how === 'now' ? 'at once' : 'in the summary'}`, () => {
    assert.equal(noticeOf(about, told, most), how);
  });

let n = 0;
/** The plan for one more request, as whoever sends would make it; beside an event, as every change. */
async function planned(people: readonly Id<'usr'>[], more: object = {}): Promise<{ person: Id<'usr'>; how: Notice }[]> {
  const approval: Approval = await a.asked(luca, { args: { n: ++n }, ...more });
  return plan(approval, people);
}
const plan = (approval: Approval, people: readonly Id<'usr'>[]) =>
  change(a.ctx(), async (tx) => ({
    value: await planNotices(tx, approval, people, a.ctx().now),
    events: [event(approvalEvents, 'approval.read', { approval: approval.id, connector: 'x', tool: 'x' })],
  }));

test('six notices an hour reach a person at once, the next wait for the summary, and an hour later it begins anew', async () => {
  const [olga, oskar] = [await a.person('Olga', 'admin'), await a.person('Oskar', 'admin')];
  for (let i = 0; i < 6; i++) assert.deepEqual(await planned([olga.user]), [{ person: olga.user, how: 'now' }]);
  assert.deepEqual(await planned([olga.user, oskar.user]), [
    { person: olga.user, how: 'digest' },
    { person: oskar.user, how: 'now' },
  ]);
  assert.deepEqual(await planned([oskar.user], { class: 'write', tool: 'change' }), [
    { person: oskar.user, how: 'digest' },
  ]);
  a.h.advance(61 * 60_000);
  assert.deepEqual(await planned([olga.user]), [{ person: olga.user, how: 'now' }]);
});

test('a person is told of one request once', async () => {
  const { user } = await a.person('Once', 'admin');
  const approval = await a.asked(luca, { args: { n: ++n } });
  assert.equal((await plan(approval, [user, user])).length, 1);
  assert.deepEqual(await plan(approval, [user]), []);
});

type Figures = {
  user: string;
  decisions: number;
  approved: number;
  unseen: number;
  quick: number;
  medianMs: number | null;
  rubberStamps: boolean;
};
const figures = async (query = ''): Promise<Figures[]> =>
  (await a.h.api('GET', `/orgs/${a.h.acme.org}/approval-deciders${query}`)).body['items'] as Figures[];

test('an administrator sees how long people look before they decide, how often they say yes, and who seems not to look', async () => {
  const [hasty, careful, blind] = [
    await a.person('Hasty', 'admin'),
    await a.person('Careful', 'admin'),
    await a.person('Blind', 'admin'),
  ];
  for (let i = 0; i < FEWEST; i++) {
    const [one, two, three] = [
      await a.asked(luca, { args: { n: ++n } }),
      await a.asked(luca, { args: { n: ++n } }),
      await a.asked(luca, { args: { n: ++n } }),
    ];
    await a.get(one.id, hasty);
    await a.get(two.id, careful);
    assert.equal((await a.decide(one.id, 'approved', hasty)).status, 200);
    assert.equal((await a.decide(three.id, 'approved', blind)).status, 200);
    a.h.advance(30_000);
    assert.equal((await a.decide(two.id, i % 4 === 0 ? 'denied' : 'approved', careful)).status, 200);
  }
  const all = await figures();
  const of = (p: HouseMember): Figures | undefined => all.find((f) => f.user === p.user);
  const [h, c, b] = [of(hasty), of(careful), of(blind)];
  assert.deepEqual(
    [h?.decisions, h?.approved, h?.unseen, h?.quick, h?.rubberStamps],
    [FEWEST, FEWEST, 0, FEWEST, true],
  );
  assert.deepEqual([c?.decisions, c?.approved, c?.unseen, c?.quick, c?.rubberStamps], [FEWEST, 15, 0, 0, false]);
  assert.deepEqual([b?.unseen, b?.quick, b?.medianMs, b?.rubberStamps], [FEWEST, FEWEST, null, true]);
  assert.ok((c?.medianMs ?? 0) >= 30_000 && (h?.medianMs ?? 9e9) < 30_000);
  // The period and the search are the caller's; a page has the rest behind it.
  assert.deepEqual(await figures('?to=2020-01-01T00:00:00Z'), []);
  assert.deepEqual(
    (await figures(`?q=${careful.user}`)).map((f) => f.user),
    [careful.user],
  );
  const first = await a.h.api('GET', `/orgs/${a.h.acme.org}/approval-deciders?limit=2`);
  const rest = await figures(`?cursor=${String(first.body['next'])}`);
  assert.deepEqual(
    [...(first.body['items'] as Figures[]), ...rest].map((f) => f.user),
    all.map((f) => f.user),
  );
  const r = await a.h.api('GET', `/orgs/${a.h.acme.org}/approval-deciders`, undefined, luca.headers);
  assert.deepEqual([r.status, r.body['code']], [403, 'org/not-permitted']);
});

test('a cursor that the list of deciders did not make is refused as that: http/invalid', async () => {
  const cursor = Buffer.from(JSON.stringify(['many', 'x'])).toString('base64url');
  const r = await a.h.api('GET', `/orgs/${a.h.acme.org}/approval-deciders?cursor=${cursor}`);
  assert.deepEqual([r.status, r.body['code']], [400, 'http/invalid'], r.text);
});
