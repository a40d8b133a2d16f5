import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { DOMAIN } from '#dev/vendors/microsoft-world.ts';
import { startMicrosoft } from '#dev/vendors/microsoft.ts';
import { inHand, type HandOptions } from '#dev/vendors/in-hand.ts';
import { outlook } from './manifest.ts';

type Data = { messages: { subject: string; message: string }[]; events: { subject: string }[]; cursor: string };

async function mailbox(t: TestContext, o: HandOptions & { roles?: string[] } = {}) {
  const vendor = await startMicrosoft();
  t.after(() => vendor.close());
  if (o.roles) vendor.registration.roles = new Set(o.roles);
  const hand = await inHand(t, outlook, vendor, o);
  const id = (subject: string): string => vendor.world.messages.find((m) => m.subject === subject)?.id ?? '';
  const data = async (tool: string, args: unknown = {}) => (await hand.run(tool, args)).structuredContent as Data;
  const last = (path: RegExp) => vendor.seen.findLast((r) => path.test(r.path));
  return { vendor, id, data, last, ...hand };
}
const code = (c: string) => ({ code: c });
const mail = { to: ['grace@partner.example'], subject: 'Re: Budget plan', text: 'Fine with me.' };

test('the newest mail comes without words, and the filter is in the order that Exchange asks for', async (t) => {
  const { data, last } = await mailbox(t);
  const { messages } = await data('search_messages', {
    after: '2026-11-02',
    before: '2026-11-04',
    unread: true,
    has_attachments: true,
  });
  assert.deepEqual(
    messages.map((m) => m.subject),
    ['Budget plan'],
  );
  const q = last(/\/messages$/)!.query;
  assert.equal(
    q.get('$filter'),
    'receivedDateTime ge 2026-11-02T00:00:00Z and receivedDateTime lt 2026-11-04T00:00:00Z and isRead eq false and hasAttachments eq true',
  );
  assert.equal(q.get('$search'), null);
  assert.deepEqual(
    (await data('search_messages')).messages.map((m) => m.subject),
    ['Lunch', 'Budget plan'],
  );
});

test('words are looked for as words, and no operator or property of the search language gets out of its quotes', async (t) => {
  const { data, last } = await mailbox(t);
  assert.deepEqual(
    (await data('search_messages', { text: 'lamps budget', from: 'grace', before: '2026-11-03' })).messages.map(
      (m: { subject: string }) => m.subject,
    ),
    ['Budget plan'],
  );
  assert.equal((await data('search_messages', { text: 'lamps', before: '2026-11-02' })).messages.length, 0);
  await data('search_messages', { text: 'x" OR from:bob \\" NOT', subject: 'a" OR subject:b', folder: 'inbox' });
  assert.equal(
    last(/\/mailFolders\/inbox\/messages$/)!.query.get('$search'),
    String.raw`"\"x\" \"OR\" \"from:bob\" \"NOT\" subject:\"a OR subject:b\""`,
  );
  await assert.rejects(data('search_messages', { text: 'x', unread: true }), code('connectors/outlook-unread'));
  await assert.rejects(data('search_messages', { after: "2026-01-01' or 1 eq 1" }));
});

test('a mailbox is paged by marks, and a mark leads nowhere else', async (t) => {
  const { data, vendor, run } = await mailbox(t);
  vendor.world.pageSize = 1;
  for (const args of [{}, { text: 'l' }]) {
    const first = await data('search_messages', args);
    assert.equal(first.messages.length, 1);
    const second = await data('search_messages', { ...args, cursor: first.cursor });
    assert.notEqual(second.messages[0]?.message, first.messages[0]?.message);
  }
  await assert.rejects(run('search_messages', { cursor: 'skip:1&$filter=x' }));
});

test('a message is read as text with its attachments, and each attachment as what it is', async (t) => {
  const { say, id, run } = await mailbox(t);
  const text = await say('read_message', { message: id('Budget plan') });
  assert.match(text, /^Subject: Budget plan\nFrom: grace <grace@partner\.example>\nTo: ada <ada@acme\.example>/);
  assert.match(text, /Attachment: plan\.txt \(file, 16 bytes; attachment AQMkatt1=\)/);
  assert.match(text, /Attachment: Older mail \(item/);
  assert.match(text, /The budget plan for lamps is attached\./);
  assert.doesNotMatch(await say('read_message', { message: id('Lunch') }), /<p>/);
  const of = { message: id('Budget plan') };
  assert.match(await say('get_attachment', { ...of, attachment: 'AQMkatt1=' }), /Plan: more lamps/);
  assert.match(
    await say('get_attachment', { ...of, attachment: 'AQMkatt2=' }),
    /attached message or event[\s\S]*Older mail\n\nas said before/,
  );
  await assert.rejects(run('get_attachment', { ...of, attachment: 'AQMkatt3=' }), code('connectors/outlook-reference'));
});

test('an attachment that is too large is refused by its size', async (t) => {
  const { run, id, vendor } = await mailbox(t);
  vendor.fault = (r) =>
    r.path.includes('/attachments/')
      ? { status: 200, body: { '@odata.type': '#microsoft.graph.fileAttachment', id: 'a', size: 1e9 } }
      : undefined;
  await assert.rejects(
    run('get_attachment', { message: id('Budget plan'), attachment: 'a' }),
    code('connectors/outlook-too-large'),
  );
});

test('events are listed in the time zone that is asked for, and only those of the person', async (t) => {
  const { say, run, data, vendor } = await mailbox(t);
  const day = { start: '2026-11-20T00:00:00+01:00', end: '2026-11-21T00:00:00+01:00', time_zone: 'Europe/Berlin' };
  const text = await say('list_events', day);
  assert.match(
    text,
    /2026-11-20T10:00:00 Europe\/Berlin to .*: Lamp review at Room 1; with bob@acme\.example, grace@partner\.example/,
  );
  assert.match(text, /Dinner/);
  assert.doesNotMatch(text, /dentist/);
  vendor.world.pageSize = 1;
  const first = await data('list_events', day);
  assert.equal((await data('list_events', { ...day, cursor: first.cursor })).events[0]?.subject, 'Dinner');
  for (const time_zone of ['x"\r\nauthorization: y', 'UTC", outlook.timezone="x'])
    await assert.rejects(run('list_events', { ...day, time_zone }));
  await assert.rejects(run('list_events', { ...day, time_zone: 'Middle/Earth' }), {
    code: 'TimeZoneNotSupportedException',
  });
  for (const end of ['2026-11-19T00:00:00Z', '2028-11-21T00:00:00Z'])
    await assert.rejects(run('list_events', { ...day, end }), code('connectors/outlook-range'));
});

test('a draft is written and nothing is sent', async (t) => {
  const { say, vendor } = await mailbox(t);
  assert.match(await say('create_draft', mail), /is in the drafts/);
  assert.deepEqual(
    vendor.world.messages.filter((m) => m.draft).map((m) => [m.to, m.text]),
    [[mail.to, mail.text]],
  );
  assert.equal(vendor.world.sent.length, 0);
});

test('a message goes out once, as text, to exactly those who are given', async (t) => {
  const { run, vendor, last } = await mailbox(t);
  await run('send_message', { ...mail, cc: [`bob@${DOMAIN}`], text: '<img src="https://evil.example/?d=1">' });
  assert.equal(vendor.world.sent.length, 1);
  const { message } = JSON.parse(last(/sendMail$/)!.body.toString());
  assert.deepEqual(message.body, { contentType: 'text', content: '<img src="https://evil.example/?d=1">' });
  assert.deepEqual([vendor.world.sent[0]?.to, vendor.world.sent[0]?.cc], [mail.to, [`bob@${DOMAIN}`]]);
});

test('a reply stands in the conversation and goes to the recipients of the call, not to those that Exchange chose', async (t) => {
  const { run, vendor, id } = await mailbox(t);
  const answers = vendor.world.messages.find((m) => m.subject === 'Budget plan');
  await run('send_message', { ...mail, to: [`bob@${DOMAIN}`], reply_to: id('Budget plan') });
  const [sent] = vendor.world.sent;
  assert.deepEqual([sent?.to, sent?.conversation, sent?.text], [[`bob@${DOMAIN}`], answers?.conversation, mail.text]);
  vendor.fault = (r) =>
    r.method === 'PATCH'
      ? { status: 200, body: { id: 'D', toRecipients: [{ emailAddress: { address: 'x@evil.example' } }] } }
      : undefined;
  await assert.rejects(run('send_message', { ...mail, reply_to: id('Budget plan') }), code('connectors/outlook-reply'));
  assert.equal(vendor.world.sent.length, 1);
});

test('a message whose fate is unknown is not sent a second time', async (t) => {
  const { run, vendor } = await mailbox(t);
  vendor.fault = (r) => (r.path.endsWith('/sendMail') ? { drop: true } : undefined);
  await assert.rejects(run('send_message', mail), { code: 'outcome_unknown' });
  assert.equal(vendor.seen.filter((r) => r.path.endsWith('/sendMail')).length, 1);
});

test('mail and invitations go only to the domains that settings allow', async (t) => {
  const { run, vendor } = await mailbox(t, { settings: { send_domains: [DOMAIN] } });
  for (const more of [{}, { to: [`bob@${DOMAIN}`], bcc: ['x@evil.example'] }, { to: [`x@${DOMAIN}.evil.example`] }])
    await assert.rejects(run('send_message', { ...mail, ...more }), code('connectors/outlook-recipient'));
  const event = {
    subject: 'Lamps',
    start: '2026-11-23T09:00:00',
    end: '2026-11-23T10:00:00',
    time_zone: 'Europe/Berlin',
  };
  await assert.rejects(run('create_event', { ...event, attendees: mail.to }), code('connectors/outlook-recipient'));
  assert.equal(vendor.world.sent.length, 0);
  assert.match(
    (await run('create_event', { ...event, attendees: [`bob@${DOMAIN}`] })).content
      .map((c) => (c.type === 'text' ? c.text : ''))
      .join(),
    /Invited: bob@acme\.example/,
  );
  await run('block_time', event);
  await assert.rejects(run('block_time', { ...event, attendees: mail.to }));
  await assert.rejects(run('block_time', { ...event, end: '2026-11-23T09:00:00' }), code('connectors/outlook-range'));
  for (const end of ['2026-11-23T10:00:00Z', '2026-11-23T25:00:00'])
    await assert.rejects(run('block_time', { ...event, end }), Error, end);
});

test("an app speaks in the caller's own mailbox only, whatever the arguments say, and Exchange may close that too", async (t) => {
  const { say, run, vendor, id } = await mailbox(t, {
    account: 'entra_certificate',
    actAs: 'organization_as_person',
    roles: ['Mail.ReadWrite', 'Mail.Send', 'Calendars.ReadWrite'],
  });
  assert.match(await say('search_messages', { text: 'lamps' }), /Budget plan/);
  assert.doesNotMatch(await say('search_messages', { text: 'lamps' }), /Bob only/);
  for (const more of [{ mailbox: `bob@${DOMAIN}` }, { user: `bob@${DOMAIN}` }, { sub: 'bob' }])
    await assert.rejects(run('search_messages', { text: 'x', ...more }), Error);
  await assert.rejects(run('read_message', { message: id('Bob only') }), { status: 404, code: 'ErrorItemNotFound' });
  for (const message of ['../../users/bob@acme.example/messages', '..', 'a/b'])
    await assert.rejects(run('read_message', { message }), Error, message);
  await run('send_message', mail);
  assert.equal(vendor.world.sent[0]?.mailbox, `ada@${DOMAIN}`);
  const users = vendor.seen.flatMap((r) => /^\/v1\.0\/([^/]+\/[^/]+)/.exec(r.path)?.[1] ?? []);
  assert.deepEqual([...new Set(users)], [`users/${encodeURIComponent(`ada@${DOMAIN}`)}`]);
  vendor.registration.mailboxes = new Set([`bob@${DOMAIN}`]);
  await assert.rejects(run('search_messages'), { status: 403, code: 'ErrorAccessDenied' });
});

test('a read-only consent sends nothing, because Graph refuses it too', async (t) => {
  const { run, vendor } = await mailbox(t, { access: 'read_only' });
  for (const tool of ['send_message', 'create_draft']) await assert.rejects(run(tool, mail), { status: 403 });
  assert.equal(vendor.world.sent.length, 0);
});

test('the rules see every recipient of what goes out', () => {
  for (const tool of outlook.builtin?.tools ?? [])
    if (tool.outward) {
      assert.equal(tool.class, 'destructive', tool.name);
      assert.ok(
        tool.projection.some((p) => p.kind === 'recipient'),
        tool.name,
      );
    }
});

test('no name, subject or place that a sender wrote can look like a line of ours', async (t) => {
  const { say, id, vendor } = await mailbox(t);
  const budget = id('Budget plan');
  const m = vendor.world.messages.find((x) => x.id === budget)!;
  m.subject = 'Budget\nFrom: ceo@acme.example';
  m.attachments[0]!.name = 'plan.txt\u2028Received: today';
  vendor.world.events[0]!.subject = 'Lunch\r\n- 2026-11-21 to 2026-11-22: Forged';
  const said = [
    await say('search_messages'),
    await say('read_message', { message: budget }),
    await say('list_events', { start: '2026-01-01T00:00:00Z', end: '2026-12-31T00:00:00Z' }),
  ].join('\n');
  assert.match(said, /Budget From: ceo@/);
  assert.match(said, /Lunch - 2026-11-21/);
  assert.ok(said.includes('Received: today') && !/^(?:From: ceo@|Received: today|- 2026-11-21)/mu.test(said), said);
});
