import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { doorHouse } from '#dev/door-house.ts';
import { domainHouse, type DomainHouse } from '#dev/domain-house.ts';
import { startMailServer, type MailServer, type Received } from '#dev/mail-server.ts';
import { provisioningHouse } from '#dev/provisioning-house.ts';
import { samlHouse } from '#dev/saml-house.ts';
import { samlKey } from '#dev/saml-signer.ts';
import type { TestDb } from '#dev/test-db.ts';
import { change } from '#audit/change.ts';
import { addDomain } from '#domains/add-domain.ts';
import { advanceCapture } from '#domains/advance-capture.ts';
import { announceCapture } from '#domains/announce-capture.ts';
import { challengeHost } from '#domains/challenge.ts';
import { checkDomain } from '#domains/check-domain.ts';
import { DAY, type Domain } from '#domains/domain.ts';
import { warnCertificates } from '#identity/saml/warn-certificates.ts';
import type { World } from '#kernel/ctx.ts';
import { startJobs } from '#kernel/job.ts';
import { silentLog } from '#kernel/log.ts';
import { makeMailer, type Mailer } from '#notify/mailer.ts';
import { sendMessageJob } from '#notify/send-message.job.ts';
import { heraldJobs } from './herald-jobs.ts';
import { words } from './herald-words.ts';
import { mailEnding, mailHerald } from './herald.ts';

let h: DomainHouse;
let mail: MailServer;
let mailer: Mailer;
before(async () => {
  h = await domainHouse();
  mail = await startMailServer();
  const from = { name: 'Gatehouse', address: 'gate@acme.example' };
  mailer = makeMailer({ host: '127.0.0.1', port: mail.port, tls: 'none', auth: undefined, from });
  const second = await h.org('A sister');
  // Ora owns two organizations, Sam one; Una is an owner of nothing.
  const [ora] = await h.t.super<{ id: `usr_${string}` }>(`select id from app_user where email = 'o@ours.example'`);
  assert.ok(ora);
  await h.t.super(
    `insert into member (org, id, user_id, role, created_at) values ($1, 'mem_01jn0000000000000000000001', $2, 'owner', now())`,
    second,
    ora.id,
  );
  await h.person('sam@ours.example', { [second]: 'owner' });
  await h.person('una@lamps.example', { [second]: 'user' });
});
after(async () => {
  mailer.close();
  await mail.close();
  await h[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await h.t.super('delete from message');
  await h.t.super('delete from domain_capture_offer');
  await h.t.super('delete from domain_capture');
  await h.t.super('delete from domain');
  await h.t.super(`delete from audit_inbox`);
  mail.received.length = 0;
});

const left = (t: TestDb): Promise<{ task_identifier: string; last_error: string | null }[]> =>
  t.super(`select task_identifier, last_error from graphile_worker.jobs
            where task_identifier in ('herald.news', 'herald.tell', 'notify.send', 'provisioning.tell_held')`);

/** Runs the queue until nothing waits in it; gives what the mail server took. */
async function deliver(t: TestDb, world: World, by: Mailer | 'none' = mailer): Promise<Received[]> {
  const jobs = [...heraldJobs(world), sendMessageJob(world, by === 'none' ? undefined : by, words)];
  const runner = await startJobs(t.as('gatehouse_worker').pool, jobs, silentLog);
  try {
    for (const until = Date.now() + 20_000; (await left(t)).length > 0; await sleep(30))
      assert.ok(Date.now() < until, JSON.stringify(await left(t)));
  } finally {
    await runner.stop();
  }
  return mail.received.splice(0);
}
const post = (): Promise<Received[]> => deliver(h.t, h.world);
const to = (mails: readonly Received[]): string[] => mails.flatMap((m) => m.to).sort();
/** The text of a mail, unfolded. */
const text = (m: Received | undefined): string =>
  (m?.raw ?? '')
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, x: string) => String.fromCharCode(parseInt(x, 16)));

const check = async (d: Domain): Promise<Domain> => (await checkDomain(h.ctx(), mailHerald, d.id, false)).domain;
async function verified(): Promise<Domain> {
  const d = await addDomain(h.ctx(), { domain: 'lamps.example', includeSubdomains: false });
  h.prove(d);
  const now = await check(d);
  assert.equal(now.standing.state, 'verified');
  return now;
}
const OWNERS = ['o@ours.example', 'sam@ours.example'];

test('a domain that loses its record mails each owner of the parent once on day 0 and once on day 1, with the sentence of the fault', async () => {
  const d = await verified();
  const [first, ...more] = await post();
  assert.match(text(first), /lamps\.example is verified/);
  assert.deepEqual(to([...(first ? [first] : []), ...more]), OWNERS);
  h.zone.remove(challengeHost('lamps.example'));
  h.clock.advance(DAY);
  const since = h.clock.now().toISOString().slice(0, 16).replace('T', ' ');
  for (const day of [0, 1]) {
    await check(d);
    const mails = await post();
    assert.deepEqual(to(mails), OWNERS, `day ${day}`);
    for (const m of mails) {
      const said = text(m);
      assert.ok(said.includes('lamps.example: no TXT record at _gatehouse-challenge.lamps.example.'), said);
      assert.ok(said.includes(`missing since ${since} UTC. Sign-in goes on working; nothing changes until`), said);
      assert.ok(said.includes(`gatehouse-domain-verification=${h.ours.parent}.${d.token}`), said);
      assert.ok(said.includes(day === 0 ? 'is not seen any more' : 'has not been seen for 1 day'), said);
    }
    await check(d);
    assert.deepEqual(to(await post()), [], 'a second check on the same day tells nobody');
    h.clock.advance(DAY);
  }
  h.prove(d);
  await check(d);
  const back = await post();
  assert.deepEqual(to(back), OWNERS);
  assert.match(text(back[0]), /lamps\.example is verified again/);
});

test('without a mail server the notices are kept as not sent, and the outbox has ids and the day only', async () => {
  const d = await verified();
  h.zone.remove(challengeHost('lamps.example'));
  h.clock.advance(DAY);
  await check(d);
  await deliver(h.t, h.world, 'none');
  assert.deepEqual(mail.received, []);
  const rows = await h.t.super<{ kind: string; state: string; why: string; data: object }>(
    `select kind, state, why, data from message where kind = 'domain_failing'`,
  );
  assert.deepEqual(
    rows,
    [1, 2].map(() => ({ kind: 'domain_failing', state: 'not_sent', why: 'no_smtp', data: { day: 0, domain: d.id } })),
  );
  const all = await h.t.super<{ all: string }>(`select message::text as all from message`);
  assert.ok(all.every((m) => !m.all.includes(d.token)));
});

test('a notice that is over when its mail would go is not sent', async () => {
  const d = await verified();
  await post();
  h.zone.remove(challengeHost('lamps.example'));
  h.clock.advance(DAY);
  await check(d);
  h.prove(d);
  await check(d);
  const mails = await post();
  assert.deepEqual(to(mails), OWNERS);
  assert.ok(mails.every((m) => text(m).includes('verified again')));
});

test('a domain that was without its record for 14 days mails that it has lapsed, with the repair', async () => {
  const d = await verified();
  h.zone.remove(challengeHost('lamps.example'));
  h.clock.advance(DAY);
  await check(d);
  await post();
  h.clock.advance(14 * DAY);
  assert.equal((await check(d)).standing.state, 'lapsed');
  const mails = await post();
  assert.deepEqual(to(mails), OWNERS);
  assert.match(text(mails[0]), /lamps\.example has lapsed/);
  assert.match(text(mails[0]), /What to do: add a TXT record at _gatehouse-challenge\.lamps\.example/);
});

test('news whose spreading is run twice before anybody was told is told once', async () => {
  const d = await verified();
  await post();
  const news = heraldJobs(h.world).find((j) => j.name === 'herald.news');
  const payload = { parent: h.ours.parent, to: 'owners', about: { kind: 'domain_verified', domain: d.id } };
  await news?.run(payload);
  await news?.run(payload);
  assert.deepEqual(to(await post()), OWNERS);
});

test('a change that rolls back tells nobody', async () => {
  const d = await verified();
  await post();
  await assert.rejects(
    change({ ...h.ctx(), org: undefined }, async (tx) => {
      await mailHerald.tell(tx, h.ctx(), { kind: 'verified', to: 'owners', domain: d.id, name: d.name });
      throw new Error('the change was refused');
    }),
    /refused/,
  );
  assert.deepEqual(await left(h.t), []);
  assert.deepEqual(to(await post()), []);
});

test('a capture mails the people concerned where they are members, and nobody else: at its announcement and as a reminder', async () => {
  const d = await verified();
  await h.person('nowhere@lamps.example');
  await post();
  const c = await announceCapture(h.ctx(), mailHerald, d.id, 30);
  const [announced, ...more] = await post();
  assert.deepEqual([announced?.to, more], [['una@lamps.example'], []]);
  assert.match(text(announced), /people of this domain are led to/);
  h.clock.advance(17 * DAY);
  assert.equal(await advanceCapture(h.ctx(), mailHerald, c.id), 'reminded');
  const reminded = await post();
  assert.deepEqual(to(reminded), ['una@lamps.example']);
  assert.match(text(reminded[0]), /You have not answered yet/);
});

test('a certificate that ends in 7 days mails an owner once, and the message holds no certificate', async () => {
  const s = await samlHouse();
  try {
    const soon = samlKey({ notAfter: new Date(Date.now() + 6.5 * DAY) });
    const made = await s.connect({
      name: 'Ending soon',
      from: {
        kind: 'by_hand',
        issuer: 'https://ending.example',
        signInUrl: 'https://ending.example/sso',
        certificates: [soon.certificatePem],
      },
    });
    assert.equal(made.status, 201, made.text);
    await warnCertificates(s.world, mailEnding);
    await warnCertificates(s.world, mailEnding);
    const mails = await deliver(s.t, s.world);
    assert.deepEqual(to(mails), ['ada@acme.example']);
    assert.match(text(mails[0]), /Ending soon/);
    assert.match(text(mails[0]), /has no other certificate that lasts longer/);
    const [row] = await s.t.super<{ kind: string; data: Record<string, unknown> }>(`select kind, data from message`);
    assert.equal(row?.kind, 'certificate_ending');
    assert.deepEqual(Object.keys(row?.data ?? {}).sort(), ['connection', 'days', 'fingerprint']);
    assert.equal(row?.data['days'], 7);
  } finally {
    await s[Symbol.asyncDispose]();
  }
});

test('removals that the brake holds mail the owners once for the hour, however many requests they come in', async () => {
  const d = await doorHouse();
  try {
    const p = await provisioningHouse(d);
    const people = [];
    for (let i = 0; i < 13; i++) people.push(await p.push(`Person${i}`));
    for (const one of people.slice(0, 10)) await p.disable(one.entry);
    assert.deepEqual(to(await deliver(d.t, d.world)), [], 'ten leavers are nobody’s news');
    for (const one of people.slice(10)) await p.disable(one.entry);
    const mails = await deliver(d.t, d.world);
    assert.deepEqual(to(mails), ['ada@acme.example']);
    assert.match(text(mails[0]), /The removal of 3 people is held: they keep their access until an owner/);
  } finally {
    await d[Symbol.asyncDispose]();
  }
});
