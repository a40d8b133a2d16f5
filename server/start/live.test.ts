import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHouse, type StartHouse } from '#dev/start-house.ts';
import { eventCutter, nameOf } from '#kernel/event-stream.ts';

let h: StartHouse;
before(async () => {
  h = await startHouse();
});
after(() => h[Symbol.asyncDispose]());

type Told = { name: string; id: string | undefined; data: { topics?: string[]; code?: string } };

/** One listener. `next` waits for an event that fits, `ended` for the end of the stream; both as long as the test may take. */
async function listen(cookie: string, lastEventId?: string) {
  const abort = new AbortController();
  const r = await fetch(`${h.origin}/api/orgs/${h.acme.org}/live`, {
    headers: { cookie, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) },
    signal: abort.signal,
  });
  const told: Told[] = [];
  let over = false;
  const reading = (async () => {
    const cut = eventCutter(65_536);
    for await (const chunk of r.body ?? [])
      for (const e of cut.push(Buffer.from(chunk)))
        if (e.data !== '')
          told.push({ name: nameOf(e), id: /^id: (.*)$/m.exec(e.raw.toString())?.[1], data: JSON.parse(e.data) });
  })()
    .catch(() => undefined)
    .finally(() => (over = true));
  const next = async (fits: (t: Told) => boolean): Promise<Told> => {
    for (;;) {
      const at = told.findIndex(fits);
      if (at >= 0) return told.splice(0, at + 1).at(-1)!;
      assert.ok(!over, `the stream ended: ${JSON.stringify(told)}`);
      await sleep(20);
    }
  };
  return { status: r.status, told, next, ended: () => reading, close: () => abort.abort() };
}
const cookieOf = async (user: typeof h.acme.owner): Promise<string> =>
  (await h.browserOf(user)).cookies(new URL(h.origin));
const rename = (name: string) => h.api('PATCH', `/orgs/${h.acme.org}`, { name });
const touched = (t: Told): boolean => t.name === 'changed' && (t.data.topics ?? []).includes('org');

test('a change is told to whoever listens, with the rooms that it touched', async () => {
  const ada = await listen(await cookieOf(h.acme.owner));
  assert.ok((await ada.next((t) => t.name === 'ready')).data.topics?.includes('audit'));
  assert.equal((await rename('Acme One')).status, 200);
  const { data } = await ada.next(touched);
  assert.ok(data.topics?.includes('audit') && data.topics.includes('start') && !data.topics.includes('connectors'));
  ada.close();
});

test('an employee does not hear that something changed in a room of which they may read nothing', async () => {
  const una = await h.addPerson('Una', 'user');
  const employee = await listen(await cookieOf(una.user));
  const ready = await employee.next((t) => t.name === 'ready');
  for (const hidden of ['audit', 'policy']) assert.ok(!ready.data.topics?.includes(hidden), hidden);
  assert.ok(ready.data.topics?.includes('mine'));
  await rename('Acme Two');
  assert.ok(!(await employee.next(touched)).data.topics?.includes('audit'));
  employee.close();
});

test('whoever comes back hears what changed while they were away, and only that', async () => {
  const cookie = await cookieOf(h.acme.owner);
  await h.settled();
  const first = await listen(cookie);
  const { id } = await first.next((t) => t.name === 'ready');
  first.close();
  await rename('Acme Three');
  await h.settled();
  const again = await listen(cookie, id);
  assert.ok((await again.next((t) => t.name === 'changed')).data.topics?.includes('org'));
  again.close();
});

test('whoever was nowhere near, or was in a log that is not this one, is told to read everything again', async () => {
  const cookie = await cookieOf(h.acme.owner);
  const lost = await listen(cookie, '999999999.999999999');
  assert.deepEqual((await lost.next((t) => t.name === 'changed')).data.topics, ['*']);
  lost.close();
});

test('the stream of a session that ends is ended, and says why', async () => {
  const cookie = await cookieOf(h.acme.owner);
  const { session } = (await h.api('GET', '/me', undefined, { cookie })).body;
  const ada = await listen(cookie);
  await ada.next((t) => t.name === 'ready');
  const origin = { cookie, origin: h.origin };
  assert.equal((await h.api('DELETE', `/me/sessions/${String(session)}`, undefined, origin)).status, 204);
  assert.equal((await ada.next((t) => t.name === 'ended')).data.code, 'identity/session-ended');
  await ada.ended();
});

test('the stream of a member who is taken out of the organization is ended', async () => {
  const leo = await h.addPerson('Leo', 'admin');
  const stream = await listen(await cookieOf(leo.user));
  await stream.next((t) => t.name === 'ready');
  assert.equal((await h.api('DELETE', `/orgs/${h.acme.org}/members/${leo.member}`)).status, 200);
  assert.equal((await stream.next((t) => t.name === 'ended')).data.code, 'org/no-such-org');
  await stream.ended();
});

test('the stream of a session that nobody uses ends by the clock, however long the page is open', async () => {
  const cookie = await cookieOf((await h.addPerson('Ida', 'admin')).user);
  const stream = await listen(cookie);
  await stream.next((t) => t.name === 'ready');
  // Twice as if nobody touched anything for less than the idle time: together it is more.
  h.advance(11 * 3_600_000);
  await rename('Acme at noon');
  await stream.next(touched);
  h.advance(2 * 3_600_000);
  assert.equal((await stream.next((t) => t.name === 'ended')).data.code, 'identity/session-ended');
});

test('whoever loses a role hears no more of what it let them read', async () => {
  const max = await h.addPerson('Max', 'admin');
  const stream = await listen(await cookieOf(max.user));
  await stream.next((t) => t.name === 'ready');
  assert.equal((await h.api('PATCH', `/orgs/${h.acme.org}/members/${max.member}`, { role: 'user' })).status, 200);
  for (let n = 0; ; n++) {
    await rename(`Acme after ${n}`);
    if (!(await stream.next(touched)).data.topics?.includes('audit')) break;
  }
  stream.close();
});

test('a key cannot listen, and one person has twenty streams at most', async () => {
  assert.equal((await h.api('GET', `/orgs/${h.acme.org}/live`)).body['code'], 'identity/not-a-person');
  const cookie = await cookieOf((await h.addPerson('Tab', 'user')).user);
  const open = [];
  for (let i = 0; i < 20; i++) open.push(await listen(cookie));
  const more = await h.api('GET', `/orgs/${h.acme.org}/live`, undefined, { cookie });
  assert.equal(more.body['code'], 'start/too-many-streams');
  for (const s of open) s.close();
  for (;;) {
    const again = await listen(cookie);
    again.close();
    if (again.status === 200) break;
    await sleep(20);
  }
});

test('that somebody looked touches the log alone, so that no page is asked again because of its own trace', () => {
  for (const type of ['approval.read', 'policy.call_explained', 'dlp.quarantine_read', 'domain.memberships_exported'])
    assert.deepEqual(h.topics.touched(type), ['audit'], type);
  assert.ok(h.topics.touched('policy.after_reading_set')?.includes('policy'));
});

test('a type of event that nobody listed counts as a change of everything', () => {
  const { topics } = h;
  assert.equal(topics.touched('novel.happened'), undefined);
  assert.ok(!topics.heard('user').has('policy') && topics.heard('admin').has('policy'));
});
