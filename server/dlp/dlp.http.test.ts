import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type Answer, type DoorHouse } from '#dev/door-house.ts';
import { newId, type Id } from '#kernel/id.ts';
import { dlpOperations } from './dlp.http.ts';
import { expireKeptJob } from './expire-kept.job.ts';
import { inspectOperations } from './inspect.http.ts';
import { quarantineOperations } from './quarantine.http.ts';
import { RELEASED_MS, REVIEW_MS } from './quarantine.ts';
import type { DlpEngine } from './engine.ts';

const CARD = '4111 1111 1111 1111';
let h: DoorHouse;
let engines: DlpEngine[] = [];
const users = new Map<string, Id<'usr'>>();
const people: Record<string, (method: string, path: string, body?: unknown) => Promise<Answer>> = {};

before(async () => {
  h = await doorHouse({
    operations: [
      ...dlpOperations({ hasConnector: () => Promise.resolve(false) }),
      ...quarantineOperations,
      ...inspectOperations(() => () => Promise.resolve(engines)),
    ],
  });
  users.set('Ada', h.acme.owner);
  for (const [name, role] of [
    ['Rene', 'admin'],
    ['Vera', 'admin'],
    ['Max', 'user'],
  ] as const)
    users.set(name, (await h.addPerson(name, role)).user);
  await signIn();
});

/** Everybody, in a session of now. */
async function signIn(): Promise<void> {
  for (const [name, user] of users) {
    const browser = await h.browserOf(user);
    const cookie = browser.cookies(new URL(`${h.origin}/api`));
    people[name] = (method, path, body) =>
      h.api(method, `/orgs/${h.acme.org}${path}`, body, { cookie, origin: h.origin });
  }
}
after(() => h[Symbol.asyncDispose]());

const as = (name: string) => people[name]!;
const set = async (phases: Record<string, string>): Promise<void> => {
  const a = await as('Ada')('PUT', '/dlp/baseline/payment_card', phases);
  assert.equal(a.status, 204, a.text);
};
const inspect = async (who: string, phase: string, content: unknown): Promise<Answer> => {
  const a = await as(who)('POST', '/dlp/inspect', { phase, content });
  assert.equal(a.status, 200, a.text);
  assert.ok(!a.text.includes('4111 1111') || a.body['action'] === 'alert', a.text);
  return a;
};
const keptIn = (a: Answer): string => String((a.body['quarantine'] as { id: string } | undefined)?.id);
const decide = (who: string, id: string, decision = 'release'): Promise<Answer> =>
  as(who)('POST', `/quarantine/${id}/decision`, { decision });

test('the baseline lists every class of data with what happens in each phase, and takes what is set', async () => {
  await set({ prompt: 'alert' });
  const a = await as('Ada')('GET', '/dlp/baseline');
  const card = (a.body['items'] as Record<string, unknown>[]).find((i) => i['data'] === 'payment_card');
  assert.deepEqual(card?.['phases'], {
    arguments: 'block',
    result: 'block',
    prompt: 'alert',
    output: 'block',
    file_in: 'block',
    file_out: 'block',
  });
  await set({ prompt: 'block' });
});

test('policies are listed, searched and removed by their id alone', async () => {
  const body = { name: 'Phones stay', data: ['any'], phases: ['output'], action: 'alert' };
  const made = await as('Ada')('POST', '/dlp/policies', body);
  assert.equal(made.status, 201, made.text);
  const listed = async (q: string): Promise<number> =>
    ((await as('Ada')('GET', `/dlp/policies?q=${q}`)).body['items'] as unknown[]).length;
  assert.deepEqual([await listed('phones'), await listed('%25')], [1, 0]);
  assert.equal((await as('Max')('POST', '/dlp/policies', body)).status, 403);
  assert.equal((await as('Ada')('DELETE', `/dlp/policies/${newId('dpo')}`)).body['code'], 'dlp/no-policy');
  assert.equal((await as('Ada')('DELETE', '/dlp/policies/nonsense')).body['code'], 'dlp/no-policy');
  assert.equal((await as('Ada')('DELETE', `/dlp/policies/${String(made.body['id'])}`)).status, 204);
  assert.equal(await listed('phones'), 0);
});

test('fail modes are shown with their defaults and can be set', async () => {
  assert.equal((await as('Ada')('PUT', '/dlp/fail-modes/read', { mode: 'closed' })).status, 204);
  const { body } = await as('Ada')('GET', '/dlp/fail-modes');
  assert.deepEqual(body['items'], [
    { class: 'read', mode: 'closed', set: true },
    { class: 'write', mode: 'closed', set: false },
    { class: 'destructive', mode: 'closed', set: false },
    { class: 'none', mode: 'closed', set: false },
  ]);
  assert.equal((await as('Ada')('PUT', '/dlp/fail-modes/nobody', { mode: 'open' })).status, 400);
});

test('whoever tries a text is told what, where and how many, and never the match; that he tried is in the log', async () => {
  const a = await as('Ada')('POST', '/dlp/try', { text: `card ${CARD} twice ${CARD}`, phase: 'arguments' });
  assert.equal(a.body['action'], 'block');
  const [f] = a.body['findings'] as Record<string, unknown>[];
  assert.deepEqual([f?.['detector'], f?.['count'], f?.['by']], ['payment_card', 2, 'default']);
  assert.ok(!a.text.includes('4111 1111'));
  const [e] = await h.events('dlp.tried');
  assert.deepEqual(e?.data, { phase: 'arguments', action: 'block', findings: 1 });
  await set({ output: 'redact' });
  const b = await as('Ada')('POST', '/dlp/try', { text: `card ${CARD}!`, phase: 'output' });
  assert.equal(b.body['redacted'], 'card [redacted: payment card]!');
});

test('a run gets its output back without what must not go on, and a prompt that is blocked not at all', async () => {
  await set({ output: 'redact', prompt: 'block' });
  const out = await inspect('Max', 'output', { role: 'assistant', text: `your card ${CARD}` });
  assert.deepEqual(out.body['content'], { role: 'assistant', text: 'your card [redacted: payment card]' });
  const prompt = await inspect('Max', 'prompt', `pay with ${CARD}`);
  assert.deepEqual([prompt.body['action'], 'content' in prompt.body], ['block', false]);
  const clean = await inspect('Max', 'prompt', 'hello');
  assert.deepEqual([clean.body['action'], clean.body['content']], ['allow', 'hello']);
  assert.equal((await h.events('dlp.content_judged')).length, 2);
});

test('nobody can ask here about the phases of a call, which are for the gate', async () => {
  const a = await as('Ada')('POST', '/dlp/inspect', { phase: 'arguments', content: 'x' });
  assert.equal(a.status, 400);
});

test('a file that was kept goes out once, after two people released it, for the same person and the same bytes', async () => {
  await set({ file_out: 'quarantine' });
  const file = { name: 'invoice.txt', text: `card ${CARD}` };
  const id = keptIn(await inspect('Max', 'file_out', file));
  const shown = await as('Rene')('GET', `/quarantine/${id}`);
  assert.deepEqual([shown.body['state'], shown.body['needs'], shown.body['phase']], ['waiting', 2, 'file_out']);
  assert.ok(!shown.text.includes('4111 1111'));
  assert.equal((await as('Max')('GET', `/quarantine/${id}`)).status, 403);
  const content = await as('Rene')('GET', `/quarantine/${id}/content`);
  assert.deepEqual(JSON.parse(String(content.body['content'])), file);
  assert.equal((await h.events('dlp.quarantine_read')).length, 1);
  assert.equal((await decide('Rene', id)).body['state'], 'waiting');
  assert.equal((await decide('Rene', id)).body['code'], 'dlp/reviewed-already');
  const viaKey = await h.api('POST', `/orgs/${h.acme.org}/quarantine/${id}/decision`, { decision: 'release' });
  assert.equal(viaKey.body['code'], 'dlp/not-a-person');
  assert.equal((await decide('Vera', id)).body['state'], 'released');
  assert.notEqual(keptIn(await inspect('Vera', 'file_out', file)), id);
  assert.notEqual(keptIn(await inspect('Max', 'file_out', { ...file, name: 'other' })), id);
  const out = await inspect('Max', 'file_out', file);
  assert.deepEqual([out.body['action'], out.body['content']], ['alert', file]);
  assert.notEqual(keptIn(await inspect('Max', 'file_out', file)), id, 'the next is kept anew');
});

test('nobody looks at or decides about what was kept from himself, whatever his role', async () => {
  const id = keptIn(await inspect('Rene', 'file_out', `${CARD} of Rene`));
  assert.equal((await decide('Rene', id)).body['code'], 'dlp/own-content');
  assert.equal((await as('Rene')('GET', `/quarantine/${id}/content`)).body['code'], 'dlp/own-content');
  assert.equal((await decide('Vera', id, 'discard')).body['state'], 'discarded');
  assert.equal((await decide('Ada', id)).body['code'], 'dlp/review-over');
  assert.equal((await as('Vera')('GET', `/quarantine/${id}/content`)).body['code'], 'dlp/no-quarantine');
});

test('somebody who agreed to a release may still discard it', async () => {
  const id = keptIn(await inspect('Max', 'file_out', `${CARD} again`));
  await decide('Vera', id);
  assert.equal((await decide('Vera', id, 'discard')).body['state'], 'discarded');
});

test('the list is searched by what was found, filtered by state and paged', async () => {
  const list = async (query: string): Promise<Answer> => as('Vera')('GET', `/quarantine?${query}`);
  const ids = (a: Answer): string[] => (a.body['items'] as { id: string }[]).map((i) => i.id);
  const all = ids(await list('q=payment_card'));
  assert.ok(all.length >= 5);
  assert.deepEqual(ids(await list('q=iban')), []);
  const first = await list('limit=2');
  const second = await list(`limit=200&cursor=${String(first.body['next'])}`);
  assert.deepEqual([...ids(first), ...ids(second)], all);
  assert.ok((first.body['items'] as unknown[]).length === 2);
  assert.equal(ids(await list('state=delivered')).length, 1);
  assert.equal((await list('cursor=nonsense')).status, 400);
  assert.equal((await as('Vera')('GET', `/quarantine/${newId('qua')}`)).status, 404);
  assert.equal((await as('Vera')('GET', '/quarantine/nonsense')).status, 404);
});

test('of one person so much is kept and no more, and what comes beyond may not go on either', async () => {
  await h.t.super(
    `insert into quarantine (org, id, phase, same, call, asker, client, sealed, bytes, findings, detectors, needs, state, kept_at, expires_at)
     select org, 'qua_' || lpad(to_hex(n), 32, '0'), 'file_out', sha256(n::text::bytea), 'c', asker, client, 'x', 1, '[]', '{}', 1, 'waiting', now(),
            now() + interval '1 hour'
       from generate_series(1, 100) n, (select org, asker, client from quarantine where asker_user = $1 limit 1) q`,
    users.get('Vera'),
  );
  const a = await as('Vera')('POST', '/dlp/inspect', { phase: 'file_out', content: `${CARD} of Vera` });
  assert.deepEqual([a.status, a.body['code']], [429, 'dlp/too-much-kept']);
  await h.t.super(`delete from quarantine where call = 'c'`);
});

test('an outside engine is asked about runs too, and one that breaks closes what has no class', async () => {
  engines = [{ id: 'outside', phases: ['prompt'], inspect: () => Promise.reject(new Error('down')) }];
  const a = await inspect('Max', 'prompt', 'hello');
  assert.equal(a.body['action'], 'block');
  const e = (await h.events('dlp.content_judged')).at(-1);
  assert.deepEqual(e?.data['failed'], ['outside: broken']);
  engines = [];
});

test('when its time is over kept content is gone: at once for everybody, and erased by the job', async () => {
  const waiting = keptIn(await inspect('Max', 'file_out', `${CARD} late`));
  const released = keptIn(await inspect('Max', 'file_out', `${CARD} later`));
  await decide('Rene', released);
  await decide('Vera', released);
  h.advance(RELEASED_MS + 1);
  await signIn();
  assert.notEqual(keptIn(await inspect('Max', 'file_out', `${CARD} later`)), released);
  h.advance(REVIEW_MS);
  await signIn();
  assert.equal((await decide('Rene', waiting)).body['code'], 'dlp/review-over');
  assert.equal((await as('Rene')('GET', `/quarantine/${waiting}/content`)).body['code'], 'dlp/no-quarantine');
  await expireKeptJob(h.world).run({});
  const rows = await h.t.super<{ id: string; state: string; gone: boolean }>(
    `select id, state, sealed is null as gone from quarantine where id = any($1)`,
    [waiting, released],
  );
  assert.deepEqual(
    rows.map((r) => [r.state, r.gone]),
    [
      ['expired', true],
      ['expired', true],
    ],
  );
  const open = await h.t.super(`select from quarantine where state in ('waiting', 'released') and expires_at < now()`);
  assert.equal(open.length, 0);
  assert.ok((await h.events('dlp.quarantine_expired')).length >= 2);
});

test('the classes of data are searched and paged', async () => {
  const ids = (a: Answer): string[] => (a.body['items'] as { data: string }[]).map((i) => i.data);
  const all = ids(await as('Ada')('GET', '/dlp/baseline?limit=200'));
  const first = await as('Ada')('GET', '/dlp/baseline?limit=3');
  const second = await as('Ada')('GET', `/dlp/baseline?limit=3&cursor=${String(first.body['next'])}`);
  assert.deepEqual([...ids(first), ...ids(second)], all.slice(0, 6));
  assert.deepEqual(ids(await as('Ada')('GET', '/dlp/baseline?q=PAYMENT')), ['payment_card']);
});
