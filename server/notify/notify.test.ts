// Longer than 300 lines: one mail server and one house for all of the outbox.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { headersOf, startMailServer, type MailServer } from '#dev/mail-server.ts';
import { mergeHouse, type MergeHouse } from '#dev/merge-house.ts';
import { noWords } from '#dev/no-words.ts';
import { systemCtx, type OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { startJobs } from '#kernel/job.ts';
import { silentLog } from '#kernel/log.ts';
import { Secret } from '#kernel/secret.ts';
import { orgEvents } from '#org/org.events.ts';
import { composeMail, oneLine } from './compose-mail.ts';
import { makeMailer, type Mailer } from './mailer.ts';
import { mailable, MAX_ATTEMPTS, MAX_MAILS_PER_HOUR } from './message.ts';
import { notify } from './notify.ts';
import { sendMessage as sendWith, type Attempt } from './send-message.ts';
import { sendMessageJob } from './send-message.job.ts';
import { readMailFrom, readSmtpUrl } from './smtp.ts';

const sendMessage = (ctx: OrgCtx, id: Id<'msg'>, by: Mailer | undefined): Promise<Attempt> =>
  sendWith(ctx, id, by, noWords);

let h: MergeHouse;
let mail: MailServer;
let mailer: Mailer;
let merge: Id<'mrg'>;
const from = { name: 'Gatehouse', address: 'gate@acme.example' };
const mailerTo = (port: number, more: object = {}): Mailer =>
  makeMailer({ host: '127.0.0.1', port, tls: 'none', auth: undefined, from, ...more });

before(async () => {
  h = await mergeHouse();
  mail = await startMailServer();
  mailer = mailerTo(mail.port);
  merge = (await h.proposed()).id as Id<'mrg'>;
});
after(async () => {
  mailer.close();
  await mail.close();
  await h[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await h.t.super('delete from message');
  mail.received.length = 0;
  mail.answer = undefined;
});

const at = (): OrgCtx => ({
  ...systemCtx(h.world, 'test', { parent: h.acme.parent, org: h.acme.org }),
  org: h.acme.org,
});

/** A change that tells these people of the merge. */
const tell = (to: readonly Id<'usr'>[], then?: () => void): Promise<{ queued: number; kept: number }> =>
  change(at(), async (tx) => {
    const value = await notify(tx, at(), { to, about: { kind: 'merge_sent', merge } });
    then?.();
    return { value, events: [event(orgEvents, 'org.renamed', { org: h.acme.org })] };
  });

const messages = (): Promise<
  { id: Id<'msg'>; user_id: string; state: string; why: string | null; attempts: number }[]
> => h.t.super('select id, user_id, state, why, attempts from message order by id');
const only = async () => {
  const [m, ...more] = await messages();
  assert.ok(m);
  assert.deepEqual(more, []);
  return m;
};
const telling = async (to: Id<'usr'>): Promise<Id<'msg'>> => {
  await tell([to]);
  return (await only()).id;
};

test('a message exists exactly if the change that it tells of does', async () => {
  await assert.rejects(
    tell([h.acme.owner], () => {
      throw new Error('the change was refused');
    }),
  );
  assert.deepEqual(await messages(), []);
  assert.deepEqual(await tell([h.acme.owner]), { queued: 1, kept: 0 });
  assert.deepEqual([(await only()).state, (await only()).user_id], ['queued', h.acme.owner]);
});

test('a queued message becomes one mail with plain text, HTML and one link, and the log says that it went', async () => {
  const id = await telling(h.acme.owner);
  assert.equal(await sendMessage(at(), id, mailer), 'settled');
  const [m, ...more] = mail.received;
  assert.ok(m);
  assert.deepEqual([m.from, m.to, more.length], ['gate@acme.example', ['ada@acme.example'], 0]);
  const headers = headersOf(m.raw);
  assert.ok(headers.includes('To: Ada <ada@acme.example>'), headers.join('\n'));
  assert.ok(headers.includes(`Message-ID: <${id}@acme.example>`));
  assert.ok(headers.includes('Auto-Submitted: auto-generated'));
  assert.match(m.raw, /text\/plain/);
  assert.match(m.raw, /text\/html/);
  const text = m.raw.replace(/=\r\n/g, '');
  assert.ok(text.includes(`/api/orgs/${h.acme.org}/merges/${merge}`));
  assert.doesNotMatch(text, /<form|<button|approve\?|token/i);
  assert.deepEqual({ ...(await only()), id, user_id: '' }, { id, user_id: '', state: 'sent', why: null, attempts: 1 });
  const [sent] = (await h.events('notify.sent')).filter((e) => e.data['message'] === id);
  assert.deepEqual(sent?.data, { message: id, user: h.acme.owner, kind: 'merge_sent', attempts: 1 });
});

test('a message that was sent is not sent again', async () => {
  const id = await telling(h.acme.owner);
  await sendMessage(at(), id, mailer);
  await sendMessage(at(), id, mailer);
  assert.equal(mail.received.length, 1);
});

test('nobody outside the organization gets a message, whatever id is given', async () => {
  assert.deepEqual(await tell([h.birch.owner, newId('usr')]), { queued: 0, kept: 0 });
  assert.deepEqual(await messages(), []);
});

test('the queue sends what a change left in it, without being asked', async () => {
  await tell([h.acme.owner]);
  const runner = await startJobs(
    h.t.as('gatehouse_worker').pool,
    [sendMessageJob(h.world, mailer, noWords)],
    silentLog,
  );
  try {
    for (const until = Date.now() + 15_000; Date.now() < until && mail.received.length === 0;) await sleep(30);
    for (const until = Date.now() + 5_000; Date.now() < until && (await only()).state === 'queued';) await sleep(30);
  } finally {
    await runner.stop();
  }
  assert.equal(mail.received.length, 1);
  assert.equal((await only()).state, 'sent');
});

test('without a mail server nothing fails: the message is kept, and the list says why', async () => {
  const id = await telling(h.acme.owner);
  assert.equal(await sendMessage(at(), id, undefined), 'settled');
  const r = await h.api('GET', `/orgs/${h.acme.org}/messages?state=not_sent&q=ada`);
  assert.equal(r.status, 200, r.text);
  const [item] = r.body['items'] as Record<string, unknown>[];
  assert.deepEqual(
    [item?.['id'], item?.['email'], item?.['kind'], item?.['why']],
    [
      id,
      'ada@acme.example',
      'merge_sent',
      { code: 'no_smtp', says: 'this deployment has no mail server (GATEHOUSE_SMTP_URL)' },
    ],
  );
  const other = await h.as(h.birch.owner, 'GET', `/orgs/${h.birch.org}/messages?q=ada`);
  assert.deepEqual(other.body['items'], [], 'the list is of one organization');
});

test('a mail server that says later is asked again, and the mail is then the same one', async () => {
  const id = await telling(h.acme.owner);
  mail.answer = () => 451;
  const first = await sendMessage(at(), id, mailer);
  assert.ok(first !== 'settled');
  assert.deepEqual([(await only()).state, (await only()).attempts], ['queued', 1]);
  assert.equal((await h.events('notify.deferred')).at(-1)?.data['because'], 'refused_for_now');
  mail.answer = undefined;
  assert.equal(await sendMessage(at(), id, mailer), 'settled');
  assert.deepEqual([(await only()).state, (await only()).attempts], ['sent', 2]);
});

test('a mail server that refuses for good is believed', async () => {
  const id = await telling(h.acme.owner);
  mail.answer = () => 550;
  assert.equal(await sendMessage(at(), id, mailer), 'settled');
  assert.deepEqual([(await only()).state, (await only()).why], ['not_sent', 'refused']);
});

test('a mail server that is not there is given up after the last attempt, and the log says so', async () => {
  const gone = await startMailServer();
  await gone.close();
  const nowhere = mailerTo(gone.port);
  const id = await telling(h.acme.owner);
  await h.t.super('update message set attempts = $1', MAX_ATTEMPTS - 2);
  const first = await sendMessage(at(), id, nowhere);
  assert.ok(first !== 'settled');
  assert.equal((await h.events('notify.deferred')).at(-1)?.data['because'], 'unreachable');
  assert.equal(await sendMessage(at(), id, nowhere), 'settled');
  nowhere.close();
  assert.deepEqual([(await only()).state, (await only()).why], ['not_sent', 'given_up']);
  assert.equal((await h.events('notify.not_sent')).at(-1)?.data['why'], 'given_up');
});

test('a wrong password is the operator’s to mend: the message waits', async () => {
  const strict = await startMailServer({ login: { user: 'gate', password: 'right' } });
  const login = (password: string): Mailer =>
    mailerTo(strict.port, { auth: { user: 'gate', password: new Secret(password) } });
  const [wrong, right] = [login('wrong'), login('right')];
  const id = await telling(h.acme.owner);
  assert.ok((await sendMessage(at(), id, wrong)) !== 'settled');
  assert.equal((await only()).state, 'queued');
  assert.equal(await sendMessage(at(), id, right), 'settled');
  assert.equal(strict.received.length, 1);
  wrong.close();
  right.close();
  await strict.close();
});

test('a server that offers no encryption gets no mail where encryption is demanded', async () => {
  const strict = mailerTo(mail.port, { tls: 'starttls' });
  const id = await telling(h.acme.owner);
  assert.ok((await sendMessage(at(), id, strict)) !== 'settled');
  assert.equal(mail.received.length, 0);
  strict.close();
});

test('names and addresses that try to become headers or recipients stay text, or stop the mail', async () => {
  const mallory = await h.person(h.acme, 'mallory@acme.example', 'user');
  await h.t.super(
    `update app_user set display_name = $2 where id = $1`,
    mallory.user,
    'Mal\r\nBcc: all@acme.example\r\n\r\nHello',
  );
  await h.t.super(`update org set name = $2 where id = $1`, h.acme.org, 'Acme\r\nX-Evil: yes');
  await h.t.super(
    `update merge_proposal set into_name = $2 where id = $1`,
    merge,
    'Acme\r\nSubject: Free\r\n\r\n<b>money</b>',
  );
  await sendMessage(at(), await telling(mallory.user), mailer);
  const [m] = mail.received;
  assert.ok(m);
  assert.deepEqual(m.to, ['mallory@acme.example']);
  const headers = headersOf(m.raw).map((l) => l.split(':')[0]?.toLowerCase());
  for (const name of ['bcc', 'cc', 'x-evil']) assert.ok(!headers.includes(name), name);
  assert.equal(headers.filter((n) => n === 'subject').length, 1);
  const htmlPart = m.raw.slice(m.raw.indexOf('text/html'));
  assert.match(htmlPart.replace(/=\r\n/g, ''), /&lt;b&gt;money/);
  assert.doesNotMatch(htmlPart.replace(/=\r\n/g, ''), /<b>money/);

  for (const address of [
    'a@x.example, b@y.example',
    'a@x.example\r\nBcc: b@y.example',
    '"a b"@x.example',
    'Ann <a@x.example>',
    'nobody',
    '',
  ]) {
    await h.t.super('delete from message');
    await h.t.super(`update app_user set email = $2 where id = $1`, mallory.user, address);
    await sendMessage(at(), await telling(mallory.user), mailer);
    assert.equal((await only()).why, 'no_address', address);
  }
  assert.equal(mail.received.length, 1);
});

test('whatever a name contains, what is made of it is one line; whatever passes as an address is one address', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (s) => {
      assert.doesNotMatch(oneLine(s), /[\p{Cc}\u2028\u2029\u202a-\u202e\u200b]/u);
      const a = mailable(s);
      if (a !== undefined) assert.match(a, /^[^\s,;<>"()\\@]+@[^\s,;<>"()\\@]+$/);
    }),
  );
  assert.equal(mailable('ada.o-b+x@acme.example'), 'ada.o-b+x@acme.example');
});

test('the 31st mail of an hour to one person is kept, and the next hour brings mail again', async () => {
  for (let i = 0; i < MAX_MAILS_PER_HOUR; i++) assert.equal((await tell([h.acme.owner])).queued, 1);
  assert.deepEqual(await tell([h.acme.owner]), { queued: 0, kept: 1 });
  assert.equal((await messages()).at(-1)?.why, 'too_many');
  h.advance(3_601_000);
  assert.equal((await tell([h.acme.owner])).queued, 1);
});

for (const [what, edit, why] of [
  ['was suspended since', `update app_user set state = 'suspended' where id = $1`, 'suspended'],
  ['has left since', `delete from member where user_id = $1`, 'gone'],
] as const)
  test(`somebody who ${what} gets no mail`, async () => {
    const leaver = await h.person(h.acme, `${why}@acme.example`, 'user');
    const id = await telling(leaver.user);
    await h.t.super(edit, leaver.user);
    await sendMessage(at(), id, mailer);
    assert.equal((await only()).why, why);
    assert.equal(mail.received.length, 0);
  });

test('what is over when the mail would go is not told', async () => {
  const id = await telling(h.acme.owner);
  await h.t.super(`update message set data = $1`, JSON.stringify({ merge: newId('mrg') }));
  await sendMessage(at(), id, mailer);
  assert.equal((await only()).why, 'outdated');
});

test('a mail says its facts in both parts and decides nothing', () => {
  const m = composeMail(
    {
      subject: 'A fact\r\nBcc: x@y.example',
      says: ['It is <so> & not otherwise.'],
      look: { label: 'Look', path: '/x' },
    },
    { id: newId('msg'), to: 'a@b.example', name: 'Ann', orgName: 'Acme', origin: 'https://gate.example' },
  );
  assert.match(m.text, /It is <so> & not otherwise\.\n\nLook:\nhttps:\/\/gate\.example\/x/);
  assert.match(m.html, /It is &lt;so&gt; &amp; not otherwise/);
  assert.match(m.html, /#f2f5f2/);
  for (const part of [m.text, m.html]) assert.match(part, /decides nothing/);
  assert.equal(m.subject, 'A fact Bcc: x@y.example');
});

test('the settings of the mail server are read strictly', () => {
  const found = (text: string): string | undefined => {
    const r = readSmtpUrl(text);
    return 'found' in r ? r.found : `${r.host} ${r.port} ${r.tls}`;
  };
  assert.equal(found('smtps://u:p%40w@mail.example.com'), 'mail.example.com 465 from_start');
  assert.equal(found('smtp://u:p@mail.example.com'), 'mail.example.com 587 starttls');
  assert.equal(found('smtp://localhost:2525'), 'localhost 2525 none');
  assert.equal(found('http://mail.example.com'), 'is not the URL of a mail server');
  assert.equal(found('smtp://mail.example.com/?tls=off'), 'is not the URL of a mail server');
  assert.deepEqual(readMailFrom('The Gate <g@x.example>'), { name: 'The Gate', address: 'g@x.example' });
  assert.ok('found' in readMailFrom('g@x.example, h@x.example'));
});
