import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startHouse, type StartHouse } from '#dev/start-house.ts';
import { verifyConsistency } from '@gatehouse/contract/tree.ts';
import { readCheckpoint } from '@gatehouse/contract/checkpoint.ts';
import { newId } from '#kernel/id.ts';

type Found = {
  size: number;
  events: { seq: number; type: string; at: string; call?: string; disposition?: string }[];
  names: Record<string, string>;
  next: number | null;
};
type Totals = {
  size: number;
  found: { count: number; exact: boolean; since: number };
  picture: { from: string; to: string; intervals: { at: string; count: number; odd: number }[] } | null;
};

let h: StartHouse;
const outcomes = ['returned', 'returned', 'returned', 'held', 'denied', 'blocked', 'failed', 'lost'];
const calls = Array.from({ length: 40 }, () => newId('tcl'));
const connector = newId('con');
const began = Date.parse('2026-03-01T00:00:00.000Z');

before(async () => {
  h = await startHouse();
  await h.settled();
  const [head] = await h.t.super<{ size: number }>(`select size::int from audit_head where log = $1`, h.acme.org);
  const from = head?.size ?? 0;
  // Written as the sequencer would have: one event a minute, of forty calls, beside what the house did itself.
  for (const [i, call] of calls.entries()) {
    const at = new Date(began + i * 60_000);
    const header = {
      v: 1,
      id: newId('evt', at.getTime()),
      log: h.acme.org,
      at: at.toISOString(),
      type: i % 2 ? 'tool.finished' : 'tool.called',
      actor: { kind: 'agent', id: h.acme.owner, member: 'm', client: 'c', grant: 'g' },
      request: `req_${i}`,
      call,
      connector,
      tool: i < 5 ? 'rare_tool' : 'crm_read',
      disposition: outcomes[i % outcomes.length],
    };
    await h.t.super(
      `insert into audit_event (log, seq, at, id, type, actor, connector, call, header, data, salt, commitment, leaf)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '{"x": "needle ${i}"}', '\\x00', $10, $10)`,
      h.acme.org,
      from + i,
      at,
      header.id,
      header.type,
      header.actor.id,
      connector,
      call,
      JSON.stringify(header),
      Buffer.alloc(32),
    );
  }
  await h.t.super(`update audit_head set size = $2 where log = $1`, h.acme.org, from + calls.length);
  await h.t.super(
    `insert into connector (org, id, slug, name, url, state, created_at, type, mode, act_as, access) values ($1, $2, 'crm', 'Our CRM', 'http://x', 'on', now(), 'mcp', 'remote', 'none', 'read_write')`,
    h.acme.org,
    connector,
  );
});
after(() => h[Symbol.asyncDispose]());

async function ask<T>(path: string): Promise<T> {
  const r = await h.api('GET', `/orgs/${h.acme.org}/audit/${path}`);
  assert.equal(r.status, 200, r.text);
  return r.body as T;
}
const search = (q: string) => ask<Found>(`search?${q}`);
const totals = (q: string) => ask<Totals>(`totals?${q}`);

test('a search by outcome finds exactly what ended so, newest first', async () => {
  const { events } = await search('outcome=denied,held&limit=200');
  assert.equal(events.length, 10);
  assert.ok(events.every((e) => e.disposition === 'denied' || e.disposition === 'held'));
  assert.deepEqual(
    events.map((e) => e.seq),
    events.map((e) => e.seq).toSorted((a, b) => b - a),
  );
});

test('several filters all hold at once, whichever of them is walked by', async () => {
  const one = await search(
    `actor=${h.acme.owner}&type=tool.finished&connector=${connector}&outcome=returned&limit=200`,
  );
  assert.equal(one.events.length, 5);
  assert.ok(one.events.every((e) => e.type === 'tool.finished' && e.disposition === 'returned'));
  assert.deepEqual(
    await search(`outcome=returned&type=tool.called,tool.finished&limit=200`).then((f) => f.events.length),
    15,
  );
});

test('pages of a search give each event once, whatever their size', async () => {
  const whole = (await search('type=tool.called,tool.finished&limit=200')).events.map((e) => e.seq);
  const paged: number[] = [];
  let next: number | null | undefined;
  do {
    const p: Found = await search(`type=tool.called,tool.finished&limit=7${next ? `&before=${next}` : ''}`);
    paged.push(...p.events.map((e) => e.seq));
    next = p.next;
  } while (next !== null);
  assert.deepEqual(paged, whole);
  assert.equal(whole.length, 40);
});

test('a search by time holds to the millisecond, and takes lengths of time too', async () => {
  const at = (minute: number) => encodeURIComponent(new Date(began + minute * 60_000).toISOString());
  const { events } = await search(`since=${at(10)}&until=${at(20)}&limit=200`);
  assert.equal(events.length, 10);
  assert.equal(events.at(-1)?.at, new Date(began + 10 * 60_000).toISOString());
  assert.ok((await search('since=10m&limit=200')).events.every((e) => Date.parse(e.at) > began + 86_400_000));
  const wrong = await h.api('GET', `/orgs/${h.acme.org}/audit/search?since=yesterday`);
  assert.equal(wrong.body['code'], 'http/invalid');
});

test('one call, one request and one text are found', async () => {
  assert.deepEqual(
    (await search(`call=${calls[7]}`)).events.map((e) => e.call),
    [calls[7]],
  );
  assert.deepEqual(
    (await search('request=req_9')).events.map((e) => e.call),
    [calls[9]],
  );
  assert.deepEqual(
    (await search('text=NEEDLE%2013')).events.map((e) => e.call),
    [calls[13]],
  );
  assert.equal((await search('tool=rare_tool&limit=200')).events.length, 5);
});

test('events come with the names of whom and what they speak of', async () => {
  const { names } = await search(`call=${calls[1]}`);
  assert.equal(names[h.acme.owner], 'Ada');
  assert.equal(names[connector], 'Our CRM');
});

test('the totals count what fits, and the picture has each once, with those that did not end well', async () => {
  const t = await totals('type=tool.called,tool.finished');
  assert.deepEqual(t.found, { count: 40, exact: true, since: 0 });
  const sum = (k: 'count' | 'odd') => t.picture?.intervals.reduce((n, i) => n + i[k], 0);
  assert.equal(sum('count'), 40);
  assert.equal(sum('odd'), 25);
});

test('without a filter, the picture counts by position what the log has, every event once', async () => {
  const t = await totals('');
  assert.equal(t.found.count, t.size);
  assert.equal(
    t.picture?.intervals.reduce((n, i) => n + i.count, 0),
    t.size,
  );
});

test('a search that finds nothing says so, and has no picture of what is not there', async () => {
  assert.deepEqual((await search('call=tcl_none')).events, []);
  const t = await totals('since=2099-01-01T00:00Z');
  assert.deepEqual([t.found.count, t.picture], [0, null]);
});

test('searching leaves one trace of itself, with what was asked, however the page is asked again', async () => {
  const placed = async () =>
    (
      await h.t.super<{ n: number }>(
        `select count(*)::int as n from audit_event where type = 'audit.read' and data ->> 'filter' = 'outcome lost'`,
      )
    )[0]?.n;
  await search('outcome=lost');
  await search('outcome=lost&limit=3');
  await totals('outcome=lost');
  const waiting = (await h.events('audit.read')).filter((e) => e.data['filter'] === 'outcome lost').length;
  assert.equal(((await placed()) ?? 0) + waiting, 1);
});

test('checkpoints are listed, and one is proved to begin with another', async () => {
  const log = 'log=parent';
  for (const name of ['First', 'Second']) {
    await h.browserOf((await h.addPerson(name, 'user')).user);
    await h.settled();
  }
  const list = await ask<{ items: { size: number; checkpoint: string }[]; next: string | null }>(`checkpoints?${log}`);
  const [to] = list.items;
  const from = list.items.at(-1);
  assert.ok(to && from && to.size > from.size);
  const proof = await ask<{ from: string; to: string; hashes: string[] }>(
    `growth?${log}&from=${from.size}&to=${to.size}`,
  );
  const [a, b] = [readCheckpoint(proof.from), readCheckpoint(proof.to)];
  assert.ok(a && b);
  const hashes = proof.hashes.map((x) => Buffer.from(x, 'base64'));
  assert.ok(verifyConsistency(a.size, b.size, a.root, b.root, hashes));
  const backwards = await h.api('GET', `/orgs/${h.acme.org}/audit/growth?from=2&to=1`);
  assert.equal(backwards.body['code'], 'audit/backwards');
  const none = await h.api('GET', `/orgs/${h.acme.org}/audit/growth?from=1&to=999999`);
  assert.equal(none.body['code'], 'audit/no-checkpoint');
});
