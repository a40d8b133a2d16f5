import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { domainHouse, type DomainHouse } from '#dev/domain-house.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { addDomain } from './add-domain.ts';
import { advanceCapture } from './advance-capture.ts';
import { announceCapture } from './announce-capture.ts';
import { answerCapture } from './answer-capture.ts';
import { applyCapture } from './apply-capture.ts';
import { cancelCapture } from './cancel-capture.ts';
import { advanceCapturesJob, applyCaptureJob } from './captures.job.ts';
import { DAY, type Domain } from './domain.ts';
import { connectionHintFor } from './home.ts';

let h: DomainHouse;
let domain: Domain;
let branch: Id<'org'>;
before(async () => {
  h = await domainHouse();
  branch = await h.org('Branch');
});
after(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  await h.t.super(`delete from domain`);
  await h.t.super(`delete from member where user_id in (select id from app_user where email like '%@lamps.example')`);
  await h.t.super(`delete from app_user where email like '%@lamps.example'`);
  await h.t.super(`delete from audit_inbox`);
  h.zone.remove('_gatehouse-challenge.lamps.example');
  const d = await addDomain(h.ctx(), { domain: 'lamps.example', includeSubdomains: false });
  h.prove(d);
  domain = await h.check(d.id);
  h.news.length = 0;
});

const announce = (days = 30) => announceCapture(h.ctx(), h.herald, domain.id, days);
const places = async (user: Id<'usr'>): Promise<string[]> =>
  (
    await h.t.super<{ at: string }>(`select org || ' ' || role as at from member where user_id = $1 order by 1`, user)
  ).map((r) => r.at);
const refuses = (work: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(work, (e) => {
    assert.ok(e instanceof Problem, String(e));
    assert.equal(e.code, code);
    return true;
  });

test('whoever has an address in the domain and is elsewhere is told 30 days ahead and reminded 14, 7 and 1 days before', async () => {
  const away = await h.person('away@lamps.example', { [branch]: 'admin' });
  const nowhere = await h.person('nowhere@lamps.example');
  await h.person('here@lamps.example', { [h.ours.org]: 'user' });
  await h.person('other@else.example', { [branch]: 'user' });
  const c = await announce();
  const left: [string, number][] = [];
  for (let day = 0; day <= 30; day++) {
    const done = await advanceCapture(h.ctx(), h.herald, c.id);
    if (done !== 'nothing') left.push([done, 30 - day]);
    h.clock.advance(DAY);
  }
  assert.deepEqual(left, [
    ['reminded', 14],
    ['reminded', 7],
    ['reminded', 1],
    ['in_force', 0],
  ]);
  assert.deepEqual(
    h.news.map((n) => n.kind),
    ['capture_announced', 'capture_reminder', 'capture_reminder', 'capture_reminder', 'capture_in_force'],
  );
  for (const n of h.news) assert.deepEqual(Array.from(n.to).toSorted(), [away, nowhere].toSorted());
  assert.deepEqual(
    (await h.events('domain.capture_reminded')).map((e) => e.data['daysLeft']),
    [14, 7, 1],
  );
});

test('from the end of the notice on, and not before, people of the domain are led to the organization', async () => {
  const c = await announce(30);
  assert.equal((await connectionHintFor(h.t.db, 'x@lamps.example'))?.org, undefined);
  h.clock.advance(30 * DAY);
  await advanceCapturesJob(h.world, h.herald).run({});
  assert.equal((await connectionHintFor(h.t.db, 'x@lamps.example'))?.org, h.ours.org);
  assert.equal((await h.events('domain.capture_in_force')).length, 1);
  assert.ok(c);
});

test('nobody is moved with less than 30 days of notice, by the operation or by the table', async () => {
  await refuses(announce(29), 'domains/short-notice');
  await assert.rejects(
    h.t.super(
      `insert into domain_capture (parent, id, domain, org, state, announced_at, ends_at, next_at) values ($1, 'cpt_x', $2, $3, 'announced', now(), now() + interval '29 days', now())`,
      h.ours.parent,
      domain.id,
      h.ours.org,
    ),
    /domain_capture_check/,
  );
});

test('a person who brings the account along is in both places, and one who starts fresh only in the new one', async () => {
  const merge = await h.person('merge@lamps.example', { [branch]: 'admin' });
  const fresh = await h.person('fresh@lamps.example', { [branch]: 'admin' });
  const silent = await h.person('silent@lamps.example', { [branch]: 'user' });
  const c = await announce();
  await answerCapture(h.ctx(), merge, c.id, 'merge');
  await answerCapture(h.ctx(), fresh, c.id, 'fresh');
  for (const user of [merge, fresh, silent])
    // Twice, as after a crash.
    for (let i = 0; i < 2; i++) await applyCaptureJob(h.world).run({ parent: h.ours.parent, capture: c.id, user });
  assert.deepEqual(await places(merge), [`${branch} admin`, `${h.ours.org} user`].toSorted());
  assert.deepEqual(await places(fresh), [`${h.ours.org} user`]);
  h.clock.advance(40 * DAY);
  await advanceCapture(h.ctx(), h.herald, c.id);
  assert.deepEqual(await places(silent), [`${branch} user`], 'who does not answer keeps what they have');
  assert.deepEqual(
    (await h.events('domain.capture_applied')).map((e) => [e.data['choice'], e.data['left']]),
    [
      ['merge', 0],
      ['fresh', 1],
    ],
  );
});

test('a choice is made once, and a primary owner hands over before starting fresh', async () => {
  const owner = await h.person('owner@lamps.example', { [branch]: 'primary_owner' });
  const c = await announce();
  await refuses(answerCapture(h.ctx(), owner, c.id, 'fresh'), 'domains/fresh-needs-handover');
  await answerCapture(h.ctx(), owner, c.id, 'merge');
  await answerCapture(h.ctx(), owner, c.id, 'merge');
  await refuses(answerCapture(h.ctx(), owner, c.id, 'fresh'), 'domains/answered-already');
  assert.equal((await h.events('domain.capture_answered')).length, 1);
});

test('nobody answers for a capture that they were not asked about', async () => {
  const stranger = await h.person('stranger@else.example');
  const c = await announce();
  await refuses(answerCapture(h.ctx(), stranger, c.id, 'merge'), 'domains/no-such-capture');
  await refuses(answerCapture(h.ctx(h.theirs), stranger, c.id, 'merge'), 'domains/no-such-capture');
});

test('a capture that was called off leads nobody anywhere and carries out no choice', async () => {
  const user = await h.person('late@lamps.example', { [branch]: 'user' });
  const c = await announce();
  await refuses(announce(), 'domains/captured-already');
  await answerCapture(h.ctx(), user, c.id, 'fresh');
  await cancelCapture(h.ctx(), domain.id);
  await applyCapture(h.ctx(), c.id, user);
  assert.deepEqual(await places(user), [`${branch} user`]);
  await refuses(cancelCapture(h.ctx(), domain.id), 'domains/no-such-capture');
  assert.ok(await announce(), 'and can be announced again');
});

test('only a verified domain says where its people belong', async () => {
  const d = await addDomain(h.ctx(), { domain: 'pending.example', includeSubdomains: false });
  await refuses(announceCapture(h.ctx(), h.herald, d.id, 30), 'domains/not-verified');
});

test('a domain that lapsed during the notice leads nobody anywhere until it is verified again', async () => {
  await announce();
  h.zone.remove('_gatehouse-challenge.lamps.example');
  await h.check(domain.id);
  h.clock.advance(30 * DAY);
  assert.equal((await h.check(domain.id)).standing.state, 'lapsed');
  const job = advanceCapturesJob(h.world, h.herald);
  await job.run({});
  assert.equal((await h.read(domain.id)).homeOrg, null);
  h.prove(domain);
  await h.check(domain.id);
  h.clock.advance(DAY);
  await job.run({});
  assert.equal((await h.read(domain.id)).homeOrg, h.ours.org);
});
