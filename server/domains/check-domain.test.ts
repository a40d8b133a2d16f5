import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { domainHouse, type DomainHouse } from '#dev/domain-house.ts';
import type { DnsZone } from '#dev/dns.ts';
import { silentLog } from '#kernel/log.ts';
import { startJobs } from '#kernel/job.ts';
import { Problem } from '#kernel/problem.ts';
import { addDomain } from './add-domain.ts';
import { challengeHost } from './challenge.ts';
import { checkDomain } from './check-domain.ts';
import { checkDomainJob, checkDueDomainsJob } from './check-domains.job.ts';
import { DAY, type Domain } from './domain.ts';
import { listEvidence } from './evidence.sql.ts';
import { removeDomain } from './remove-domain.ts';

let h: DomainHouse;
let clean: DnsZone['records'];
before(async () => {
  h = await domainHouse();
  clean = [...h.zone.records];
});
after(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  h.zone.records = [...clean];
  h.news.length = 0;
  h.lab.resolvers.forEach((r) => r.told.clear());
  await h.t.super(`delete from domain`);
  await h.t.super(`delete from audit_inbox`);
});

const HOUR = 3_600_000;
const add = (of = h.ours): Promise<Domain> =>
  addDomain(h.ctx(of), { domain: 'lamps.example', includeSubdomains: false });
async function verified(): Promise<Domain> {
  const d = await add();
  h.prove(d);
  const now = await h.check(d.id);
  assert.equal(now.standing.state, 'verified');
  return now;
}
const lose = (): void => void h.zone.remove(challengeHost('lamps.example'));
const waits = (d: Domain): number => (d.nextCheckAt.getTime() - h.clock.now().getTime()) / 1000;

test('a new domain is looked at after 10 s, then ever slower up to 10 min, and daily after three days', async () => {
  let d = await add();
  assert.equal(waits(d), 10);
  const seen: number[] = [];
  for (let i = 0; i < 9; i++) {
    h.clock.advance(waits(d) * 1000);
    d = await h.check(d.id);
    seen.push(waits(d));
  }
  assert.deepEqual(seen, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
  h.clock.advance(3 * DAY);
  d = await h.check(d.id);
  assert.ok(waits(d) > 22 * 3600 && waits(d) <= 24 * 3600, String(waits(d)));
  assert.equal(d.standing.state, 'pending');
});

test('a domain whose record appears is verified at the next check, and that is an event and news', async () => {
  const d = await verified();
  assert.ok(waits(d) > 22 * 3600 && waits(d) <= 24 * 3600);
  assert.deepEqual(
    (await h.events('domain.verified')).map((e) => [e.log, e.data]),
    [[h.ours.parent, { domain: d.id, name: 'lamps.example', servers: 1, resolvers: 2 }]],
  );
  assert.deepEqual(
    h.news.map((n) => n.kind),
    ['verified'],
  );
});

test('a verified domain that loses its record fails for 14 days with notices on days 0, 1, 3, 7 and 13, and then lapses', async () => {
  let d = await verified();
  h.news.length = 0;
  lose();
  h.clock.advance(DAY);
  const lost = h.clock.now();
  d = await h.check(d.id);
  assert.equal(d.standing.state, 'failing');
  assert.equal(waits(d), 3600);
  const days: [number, number][] = [];
  while (d.standing.state === 'failing') {
    const { notices } = d.standing;
    const told = h.news.at(-1);
    if (told?.kind === 'failing' && days.length < notices)
      days.push([told.day, Math.floor((h.clock.now().getTime() - lost.getTime()) / DAY)]);
    h.clock.advance(Math.min(waits(d) * 1000, 12 * HOUR));
    d = await h.check(d.id);
  }
  assert.deepEqual(days, [
    [0, 0],
    [1, 1],
    [3, 3],
    [7, 7],
    [13, 13],
  ]);
  assert.equal(d.standing.state, 'lapsed');
  assert.equal(h.clock.now().getTime() - lost.getTime(), 14 * DAY);
  assert.deepEqual(
    h.news.map((n) => n.kind),
    ['failing', 'failing', 'failing', 'failing', 'failing', 'lapsed'],
  );
  assert.equal((await h.events('domain.failing')).length, 5);
  assert.equal((await h.events('domain.lapsed')).length, 1);
});

test('the notice has the whole story in words: the domain, the record, found, expected, since when, and until when nothing changes', async () => {
  const d = await verified();
  h.news.length = 0;
  lose();
  h.clock.advance(DAY);
  await h.check(d.id);
  const [notice] = h.news;
  assert.ok(notice?.kind === 'failing');
  const at = h.clock.now().toISOString().slice(0, 16).replace('T', ' ');
  const before = new Date(h.clock.now().getTime() - DAY).toISOString().slice(0, 16).replace('T', ' ');
  const [server] = h.lab.zones.at(-1)!.at('ns1.lamps.example', 'A');
  assert.equal(
    notice.says,
    `lamps.example: no TXT record at _gatehouse-challenge.lamps.example. ns1.lamps.example (${String(server!.data)}) at ${at} UTC: NXDOMAIN; last seen ${before} UTC, missing since ${at} UTC. Sign-in goes on working; nothing changes until ${notice.lapsesAt.toISOString().slice(0, 10)}.`,
  );
  assert.equal(
    notice.fix,
    `add a TXT record at _gatehouse-challenge.lamps.example with the value gatehouse-domain-verification=${h.ours.parent}.${d.token}`,
  );
});

test('notices that were slept through are not sent in a row: one, with the day that it is', async () => {
  const d = await verified();
  lose();
  await h.check(d.id);
  h.news.length = 0;
  h.clock.advance(8 * DAY);
  await h.check(d.id);
  await h.check(d.id);
  assert.deepEqual(
    h.news.map((n) => (n.kind === 'failing' ? n.day : n.kind)),
    [7],
  );
});

test('a failing domain that has its record again is verified as of when it first was', async () => {
  const d = await verified();
  const first = d.standing.since;
  lose();
  await h.check(d.id);
  h.clock.advance(5 * DAY);
  h.prove(d);
  const now = await h.check(d.id);
  assert.equal(now.standing.state, 'verified');
  assert.deepEqual(now.standing.since, first);
  assert.deepEqual(
    (await h.events('domain.recovered')).map((e) => e.data['after']),
    ['no_txt'],
  );
});

test('a lapsed domain that has its record again is verified again', async () => {
  const d = await verified();
  lose();
  await h.check(d.id);
  h.clock.advance(14 * DAY);
  assert.equal((await h.check(d.id)).standing.state, 'lapsed');
  h.prove(d);
  assert.equal((await h.check(d.id)).standing.state, 'verified');
});

test('name servers that are silent for less than an hour do not make a verified domain fail', async () => {
  const d = await verified();
  h.news.length = 0;
  const server = h.lab.zones.length;
  assert.ok(server);
  h.lab.root.manner = 'silent';
  try {
    const doubted = await h.check(d.id);
    assert.ok(doubted.standing.state === 'verified' && doubted.standing.doubt?.code === 'timeout');
    assert.equal(waits(doubted), 600);
    h.clock.advance(59 * 60_000);
    assert.equal((await h.check(d.id)).standing.state, 'verified');
    assert.equal(h.news.length, 0);
    h.clock.advance(60_000);
    const failing = await h.check(d.id);
    assert.equal(failing.standing.state, 'failing');
    assert.deepEqual(
      h.news.map((n) => n.kind),
      ['failing'],
    );
  } finally {
    h.lab.root.manner = 'true';
  }
});

test('a resolver with an old answer does not make a verified domain fail', async () => {
  const d = await verified();
  h.lab.resolvers[0]!.told.set(challengeHost('lamps.example'), { rcode: 'NXDOMAIN', ttl: 900 });
  const now = await h.check(d.id);
  assert.ok(now.standing.state === 'verified' && now.standing.doubt === null);
});

test('broken signatures make a verified domain fail at once, although its own servers have the record', async () => {
  const d = await verified();
  for (const name of [challengeHost('lamps.example'), 'lamps.example'])
    h.lab.resolvers[0]!.told.set(name, { bogus: true });
  const now = await h.check(d.id);
  assert.ok(now.standing.state === 'failing' && now.standing.fault.code === 'dnssec_bogus');
});

test('of two parents that show the record of one domain at once, exactly one has it, and the other learns no name', async () => {
  for (let round = 0; round < 5; round++) {
    await h.t.super(`delete from domain`);
    h.zone.records = [...clean];
    const [a, b] = [await add(h.ours), await add(h.theirs)];
    h.prove(a, h.ours);
    h.prove(b, h.theirs);
    const states = (await Promise.all([h.check(a.id, h.ours), h.check(b.id, h.theirs)])).map((d) => d.standing.state);
    assert.deepEqual(states.toSorted(), ['conflict', 'verified'], String(round));
  }
  for (const e of await h.events('domain.conflicted')) {
    const stranger = e.log === h.ours.parent ? h.theirs : h.ours;
    assert.ok(!JSON.stringify(e).includes(stranger.parent) && !JSON.stringify(e).includes(stranger.org));
  }
});

test('a domain in conflict is verified once the other parent gives it up', async () => {
  const [a, b] = [await add(h.ours), await add(h.theirs)];
  h.prove(a, h.ours);
  h.prove(b, h.theirs);
  await h.check(a.id, h.ours);
  assert.equal((await h.check(b.id, h.theirs)).standing.state, 'conflict');
  await removeDomain(h.ctx(h.ours), a.id);
  assert.equal((await h.check(b.id, h.theirs)).standing.state, 'verified');
});

test('a domain that was removed while it was looked up is not written', async () => {
  const d = await add();
  h.prove(d);
  const { dns } = h.world;
  const meanwhile: typeof dns = {
    ...dns,
    async ask(...q) {
      await h.t.super(`delete from domain where id = $1`, d.id);
      return dns.ask(...q);
    },
  };
  const under = checkDomain({ ...h.ctx(), dns: meanwhile }, h.herald, d.id, false);
  await assert.rejects(under, (e) => e instanceof Problem && e.code === 'domains/no-such-domain');
  assert.deepEqual(await h.t.super(`select from domain_check`), []);
});

test('a domain that was removed and added again needs its new token, and the old one is called old', async () => {
  const d = await verified();
  await removeDomain(h.ctx(), d.id);
  const again = await add();
  assert.notEqual(again.token, d.token);
  const now = await h.check(again.id);
  assert.ok(now.standing.state === 'pending' && now.standing.fault?.code === 'token_old');
});

test('a domain that a merge moved to another parent stays proved by the record that was set before', async () => {
  const d = await verified();
  await h.t.super(`delete from domain_check`);
  await h.t.super(`update domain set parent = $1 where id = $2`, h.theirs.parent, d.id);
  h.clock.advance(DAY);
  const now = await h.check(d.id, h.theirs);
  assert.ok(now.standing.state === 'verified' && now.standing.doubt === null);
  assert.deepEqual(now.standing.lastSuccess, h.clock.now());
});

test('evidence of every server is kept, bounded, with the last success', async () => {
  const d = await verified();
  const first = await h.t.db.read({ parent: h.ours.parent }, (db) => listEvidence(db, d.id, { limit: 50 }));
  assert.deepEqual(
    first.map((e) => [e.role, e.record, e.rcode, e.verdict]),
    [
      ['authoritative', '_gatehouse-challenge.lamps.example', 'NOERROR', 'proved'],
      ['authoritative', 'lamps.example', 'NOERROR', 'proved'],
      ['recursive', '_gatehouse-challenge.lamps.example', 'NOERROR', 'proved'],
      ['recursive', 'lamps.example', 'NOERROR', 'proved'],
      ['recursive', '_gatehouse-challenge.lamps.example', 'NOERROR', 'proved'],
      ['recursive', 'lamps.example', 'NOERROR', 'proved'],
    ],
  );
  assert.match(first[0]!.answer[0]!, /^gatehouse-domain-verification=/);
  lose();
  for (let i = 0; i < 25; i++) await h.check(d.id);
  const [row] = await h.t.super<{ n: string; proved: string }>(
    `select count(*) as n, count(*) filter (where verdict = 'proved') as proved from domain_check`,
  );
  assert.ok(Number(row!.n) <= 112, row!.n);
  assert.equal(row!.proved, '6');
});

test('a check that somebody asks for is told in the log whatever came of it, and cannot be asked for again at once', async () => {
  const d = await add();
  await checkDomain(h.ctx(), h.herald, d.id, true);
  assert.deepEqual(
    (await h.events('domain.checked')).map((e) => e.data['code']),
    ['no_txt'],
  );
  await assert.rejects(
    checkDomain(h.ctx(), h.herald, d.id, true),
    (e) => e instanceof Problem && e.code === 'domains/checked-just-now' && e.kind === 'too_many',
  );
  h.clock.advance(1000);
  await checkDomain(h.ctx(), h.herald, d.id, true);
});

test('people may ask for 30 checks in a minute and no more; the schedule goes on', async () => {
  const d = await add();
  await h.t.super(
    `insert into domain (parent, id, name, shown, token, include_subdomains, added_at, state, since, next_check_at, checked_at)
     select $1, 'dom_' || md5(i::text), 'd' || i || '.example', 'd', md5(i::text), false, now(), 'pending', now(), now(), $2 from generate_series(1, 30) i`,
    h.ours.parent,
    h.clock.now(),
  );
  await assert.rejects(
    checkDomain(h.ctx(), h.herald, d.id, true),
    (e) => e instanceof Problem && e.code === 'domains/too-many-checks' && e.kind === 'too_many',
  );
  await checkDomain(h.ctx(), h.herald, d.id, false);
  h.clock.advance(60_000);
  await checkDomain(h.ctx(), h.herald, d.id, true);
});

test('what strangers put into their records can be kept, whatever it is', async () => {
  const d = await add();
  for (const text of [
    'a\0b',
    '\u{1f4a1}'.repeat(200),
    `x${'\u{1f4a1}'.repeat(60)}`,
    '\ufffe\u202e',
    ' ',
    '"'.repeat(300),
  ])
    h.zone.txt(challengeHost('lamps.example'), text);
  const now = await h.check(d.id);
  assert.ok(now.standing.state === 'pending' && now.standing.fault?.code === 'txt_present_no_token');
  assert.deepEqual((await h.read(d.id)).standing, now.standing);
});

test('checks run by themselves: each is enqueued with the one before it, and a lost one is found again', async () => {
  const d = await add();
  h.prove(d);
  const jobs = (): Promise<{ key: string; run_at: Date }[]> =>
    h.t.super(`select key, run_at from graphile_worker.jobs where task_identifier = 'domains.check'`);
  await h.t.super(`delete from graphile_worker._private_jobs`);
  h.clock.advance(DAY);
  // Lost, so the sweep must find it.
  await checkDueDomainsJob(h.world, h.herald).run({});
  const now = await h.read(d.id);
  assert.equal(now.standing.state, 'verified');
  assert.deepEqual(await jobs(), [{ key: d.id, run_at: now.nextCheckAt }]);
});

test('the job runner checks a domain that is due and leaves one that is not', async () => {
  const d = await add();
  h.prove(d);
  await h.t.super(`update graphile_worker._private_jobs set run_at = now()`);
  const runner = await startJobs(h.t.as('gatehouse_worker').pool, [checkDomainJob(h.world, h.herald)], silentLog);
  try {
    for (
      let i = 0;
      i < 50 && (await h.t.super(`select from graphile_worker.jobs where run_at <= now()`)).length > 0;
      i++
    )
      await new Promise((r) => setTimeout(r, 100));
    assert.equal((await h.read(d.id)).standing.state, 'pending', 'it was not due by the clock');
    h.clock.advance(10_000);
    await checkDomainJob(h.world, h.herald).run({ parent: h.ours.parent, domain: d.id });
    assert.equal((await h.read(d.id)).standing.state, 'verified');
  } finally {
    await runner.stop();
  }
});

test("another parent's domain is not there to be checked", async () => {
  const d = await add(h.ours);
  await assert.rejects(h.check(d.id, h.theirs), (e) => e instanceof Problem && e.code === 'domains/no-such-domain');
});
