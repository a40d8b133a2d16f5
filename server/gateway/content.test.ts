import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { callBody, codeOf, gatewayHouse, raw, saidOf, type GatewayHouse, type RawAnswer } from '#dev/gateway-house.ts';
import type { HousePerson } from '#dev/oauth-house.ts';
import { answer, tool, wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { decideKept } from '#dlp/decide-kept.ts';
import { readKept } from '#dlp/read-kept.ts';
import { setBaseline } from '#dlp/set-baseline.ts';
import type { DlpAction } from '#dlp/verdict.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { makeLog } from '#kernel/log.ts';

const CARD = '4111 1111 1111 1111';
let g: GatewayHouse;
let up: WildUpstream;
let token: string;
let reviewers: HousePerson[];
const logged: string[] = [];

before(async () => {
  const log = makeLog('trace', { write: (line: string) => void logged.push(line) });
  [g, up] = await Promise.all([
    gatewayHouse({ over: { log } }),
    wildUpstream([
      tool('look'),
      tool('change'),
      tool('found', {
        inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
      }),
    ]),
  ]);
  await g.connect('up', up.url, { classes: { look: 'read', change: 'write' } });
  token = await g.token();
  reviewers = [await g.house.addPerson('Rene'), await g.house.addPerson('Vera'), await g.house.addPerson('Max')];
});
beforeEach(() => {
  up.act = undefined;
});
after(async () => {
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

// As late as a cache may be.
const seen = (): Promise<void> => new Promise((done) => void setTimeout(done, 1000));
const set = async (phase: 'arguments' | 'result', action: DlpAction): Promise<void> => {
  await setBaseline(g.ctx, 'payment_card', [{ data: 'payment_card', phase, action }]);
  await seen();
};
const call = (args: unknown, name = 'look', as = token): Promise<RawAnswer> =>
  raw(g, { token: as, body: callBody(name, args) });
const sent = () => up.seen.filter((s) => s.message.method === 'tools/call');
const calls = (): unknown[] =>
  sent().map((s) => ({ name: s.message.params?.['name'], arguments: s.message.params?.['arguments'] }));
const finished = async (): Promise<Record<string, unknown>> => (await g.events('tool.finished')).at(-1)!.data;
const keptIn = (a: RawAnswer): Id<'qua'> => {
  const { result } = a.json as { result?: { _meta?: Record<string, string> } };
  const id = parseId('qua', String(result?._meta?.['io.gatehouse/quarantine']));
  assert.ok(id, `nothing was kept: ${a.text}`);
  return id;
};
const release = (id: Id<'qua'>, by: HousePerson) => decideKept(g.as(by), id, 'release', undefined);
const giving = (result: unknown): void => {
  up.act = (m, res) => (m.method === 'tools/call' ? answer(res, m, result) : false);
};

test('an alert lets the call through, and its event says what was found where, by keyed hash', async () => {
  await set('arguments', 'alert');
  const a = await call({ note: CARD });
  assert.equal(a.status, 200);
  const e = await finished();
  assert.equal(e['outcome'], 'answered');
  assert.deepEqual(e['content'], { arguments: 'alert', result: 'allow' });
  const [f] = e['findings'] as { detector: string; at: string; count: number; hashes: string[] }[];
  assert.deepEqual([f?.detector, f?.at, f?.count, f?.hashes.length], ['payment_card', '/note', 1, 1]);
});

test('what is redacted from the arguments does not leave, and every other byte of the message does', async () => {
  await set('arguments', 'redact');
  const args = `{"note":"pay ${CARD} now", "big":12345678901234567890, "x":[1.10,"é\\u00e9"]}`;
  const body = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"look","arguments":${args}}}`;
  await raw(g, { token, body });
  assert.equal(sent().at(-1)?.body, body.replace(CARD, '[redacted: payment card]'));
  assert.deepEqual((await finished())['content'], { arguments: 'redact', result: 'allow' });
});

test('a name, a number and both forms of one result are redacted before it leaves, alone and on a stream', async () => {
  await set('result', 'redact');
  const result = {
    content: [{ type: 'text', text: `card ${CARD}.` }],
    structuredContent: { card: 4111111111111111, [CARD]: 'name', keep: 'this' },
  };
  const expected = {
    content: [{ type: 'text', text: 'card [redacted: payment card].' }],
    structuredContent: { card: '[redacted: payment card]', '[redacted: payment card]': 'name', keep: 'this' },
  };
  giving(result);
  assert.deepEqual((await call({})).json['result'], expected);
  up.act = (m, res) => {
    if (m.method !== 'tools/call') return false;
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(
      `id: 1\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"log ${CARD}","n":1.50}}\n\n`,
    );
    res.end(`id: 2\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: m.id, result })}\n\n`);
    return undefined;
  };
  const streamed = await call({});
  assert.deepEqual(streamed.json['result'], expected);
  assert.match(
    streamed.text,
    /^id: 1\ndata: \{"jsonrpc":"2.0","method":"notifications\/message","params":\{"data":"log \[redacted: payment card\]","n":1.50\}\}\n\n/,
  );
  assert.ok(!streamed.text.includes('4111 1111'));
  assert.deepEqual((await finished())['content'], { arguments: 'allow', result: 'redact' });
});

test('what stands beside the arguments is looked at, too, and stops the call where it must not go out', async () => {
  const before = sent().length;
  const body = (meta: unknown): string =>
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'look', arguments: {}, _meta: meta },
    });
  const a = await raw(g, { token, body: body({ 'vendor/note': CARD }) });
  assert.match(saidOf(a), /^Blocked: the arguments contain payment card at \/_meta\/vendor~1note\./);
  assert.equal(sent().length, before);
  await raw(g, { token, body: body({ 'vendor/note': 'fine', progressToken: 4111111111111111 }) });
  assert.equal(sent().length, before + 1);
});

test('a number with more digits than JavaScript keeps is looked at with all of them', async () => {
  const pan = '6240008631401148929'; // parsed as a double, it is another number, and no card
  const before = sent().length;
  const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look","arguments":{"card":${pan}}}}`;
  const a = await raw(g, { token, body });
  assert.match(saidOf(a), /^Blocked: the arguments contain payment card/);
  assert.equal(sent().length, before);
  up.act = (m, res) => {
    if (m.method !== 'tools/call') return false;
    res
      .writeHead(200, { 'content-type': 'application/json' })
      .end(`{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"card": ${pan} }}}`);
    return undefined;
  };
  const b = await call({});
  assert.match(saidOf(b), /^Blocked: the result contains payment card/);
  assert.ok(!b.text.includes('6240008'));
});

test('a header that says an argument again says what is left of it', async () => {
  await set('arguments', 'redact');
  const params = {
    name: 'found',
    arguments: { region: `eu ${CARD}` },
    _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
  };
  await raw(g, {
    token,
    headers: {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'found',
      'mcp-param-region': `eu ${CARD}`,
      'mcp-param-other': CARD,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
  });
  const { headers, body } = sent().at(-1)!;
  assert.equal(headers['mcp-param-region'], 'eu [redacted: payment card]');
  assert.equal(headers['mcp-param-other'], undefined);
  assert.ok(!JSON.stringify([headers, body]).includes('4111 1111'));
});

test('arguments that a person must allow wait for him, though the rules would let them run', async () => {
  await set('arguments', 'require_approval');
  const before = calls().length;
  const a = await call({ note: CARD, n: 1 });
  assert.match(saidOf(a), /^Waiting for approval/);
  assert.equal(calls().length, before);
  const waits = parseId('apr', /apr_[0-9a-f]{32}/.exec(saidOf(a))?.[0] ?? '')!;
  const ann = await g.house.addPerson('Ann');
  await g.house.t.super(`update member set role = 'admin' where user_id = $1`, ann.user);
  await g.decide(waits, 'approved', ann);
  await call({ note: CARD, n: 1 });
  assert.deepEqual(calls().at(-1), { name: 'look', arguments: { note: CARD, n: 1 } });
});

test('kept arguments go through once, after two people released them, only unchanged and only for who asked', async () => {
  await set('arguments', 'quarantine');
  const before = calls().length;
  const args = { note: CARD, to: 'accounts' };
  const a = await call(args, 'change');
  assert.match(
    saidOf(a),
    /^Kept for review as qua_.*payment card at \/note\. The call was not sent\. Two reviewers may release it/,
  );
  assert.ok(!a.text.includes('4111 1111'));
  const id = keptIn(a);
  assert.equal(keptIn(await call(args, 'change')), id, 'asked again, it is kept once');

  await assert.rejects(release(id, g.house.ada), { code: 'dlp/own-content' });
  await assert.rejects(readKept(g.as(g.house.ada), id), { code: 'dlp/own-content' });
  await assert.rejects(decideKept(g.ctx, id, 'release', undefined), { code: 'dlp/not-a-person' });
  assert.equal((await release(id, reviewers[0]!)).state, 'waiting');
  await assert.rejects(release(id, reviewers[0]!), { code: 'dlp/reviewed-already' });
  assert.deepEqual(JSON.parse(await readKept(g.as(reviewers[1]!), id)), args);
  assert.equal((await release(id, reviewers[1]!)).state, 'released');
  await seen();
  assert.equal(calls().length, before, 'a release sends nothing by itself');

  const other = await g.token(reviewers[2]);
  assert.notEqual(keptIn(await call(args, 'change', other)), id, 'another person');
  assert.notEqual(keptIn(await call({ ...args, to: 'elsewhere' }, 'change')), id, 'another argument');
  assert.notEqual(keptIn(await call(args, 'look')), id, 'another tool');
  assert.equal(calls().length, before);

  const [one, two] = await Promise.all([call(args, 'change'), call(args, 'change')]);
  assert.equal(calls().length, before + 1, 'of two at once, one');
  assert.deepEqual(calls().at(-1), { name: 'change', arguments: args });
  assert.equal([one, two].filter((r) => /qua_/.test(saidOf(r))).length, 1);
  const third = await call(args, 'change');
  assert.notEqual(keptIn(third), id, 'the next is kept anew');
  assert.equal(calls().length, before + 1);
});

test('a kept result is given once to who asked after its release, and the call does not run again', async () => {
  await set('arguments', 'allow');
  await set('result', 'quarantine');
  giving({ content: [{ type: 'text', text: `the card is ${CARD}` }] });
  const before = calls().length;
  const args = { of: 'deal-1' };
  const a = await call(args, 'change');
  assert.match(saidOf(a), /^Kept for review as qua_.*HAS RUN and does not run again/);
  assert.ok(!a.text.includes('4111 1111'));
  const id = keptIn(a);
  assert.equal(keptIn(await call(args, 'change')), id);
  assert.equal(calls().length, before + 1, 'asked again while it waits, it does not run again');
  await release(id, reviewers[0]!);
  await release(id, reviewers[1]!);
  await seen();
  const [one, two] = await Promise.all([call(args, 'change'), call(args, 'change')]);
  const got = [one, two].filter((r) => r.text.includes(CARD));
  assert.equal(got.length, 1, 'exactly one of two at once has it');
  assert.deepEqual(got[0]?.json['result'], { content: [{ type: 'text', text: `the card is ${CARD}` }] });
  assert.equal(calls().length, before + 1, 'and it did not run again');
  const [row] = await g.house.t.super(`select state, sealed from quarantine where id = $1`, id);
  assert.deepEqual(row, { state: 'delivered', sealed: null });
});

test('a result that was discarded is gone, and the same call runs anew', async () => {
  giving({ content: [{ type: 'text', text: CARD }] });
  const id = keptIn(await call({ of: 'deal-2' }));
  assert.equal((await decideKept(g.as(reviewers[0]!), id, 'discard', 'not needed')).state, 'discarded');
  await assert.rejects(readKept(g.as(reviewers[1]!), id), { code: 'dlp/no-quarantine', kind: 'missing' });
  await assert.rejects(release(id, reviewers[1]!), { code: 'dlp/review-over' });
  await seen();
  const before = calls().length;
  assert.notEqual(keptIn(await call({ of: 'deal-2' })), id);
  assert.equal(calls().length, before + 1);
});

test('what is no call is looked at, too: redacted where it can be, stopped above that, and recorded', async () => {
  await set('result', 'redact');
  up.act = (m, res) =>
    m.method === 'resources/list' ? answer(res, m, { resources: [{ uri: 'a:b', name: `card ${CARD}` }] }) : false;
  const ask = (method: string, params: unknown = {}): Promise<RawAnswer> =>
    raw(g, { token, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
  const listed = await ask('resources/list');
  assert.deepEqual(listed.json['result'], { resources: [{ uri: 'a:b', name: 'card [redacted: payment card]' }] });
  await set('result', 'quarantine');
  const stopped = await ask('resources/list');
  assert.deepEqual([stopped.status, codeOf(stopped)], [403, 'gateway/blocked-result']);
  await set('arguments', 'alert');
  await ask('resources/list', { cursor: CARD });
  const seen = (await g.events('message.inspected')).map((e) => [e.data['phase'], e.data['action']]);
  assert.deepEqual(seen, [
    ['result', 'redact'],
    ['result', 'quarantine'],
    ['arguments', 'alert'],
    ['result', 'quarantine'],
  ]);
});

test('a resource that was read and kept is given once after its release, like the result of a tool', async () => {
  await set('arguments', 'allow');
  let reads = 0;
  up.act = (m, res) =>
    m.method === 'resources/read' ? (reads++, answer(res, m, { contents: [{ uri: 'a:b', text: CARD }] })) : false;
  const read = (): Promise<RawAnswer> =>
    raw(g, {
      token,
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'a:b' } }),
    });
  const a = await read();
  const id = parseId('qua', /qua_[0-9a-f]{32}/.exec(a.text)?.[0] ?? '')!;
  assert.ok(id && !a.text.includes('4111 1111'), a.text);
  await release(id, reviewers[0]!);
  await release(id, reviewers[1]!);
  await seen();
  assert.deepEqual((await read()).json['result'], { contents: [{ uri: 'a:b', text: CARD }] });
  assert.equal(reads, 1);
});

test('what cannot be kept is stopped all the same, on either way, and says so in the log', async () => {
  await g.house.t.super('revoke insert on quarantine from gatehouse_app');
  try {
    giving({ content: [{ type: 'text', text: CARD }] });
    const a = await call({ of: 'deal-4' }, 'change');
    assert.match(saidOf(a), /^Blocked: the result contains payment card.*HAS RUN/);
    assert.ok(!a.text.includes('4111 1111'));
    await set('arguments', 'quarantine');
    const before = calls().length;
    assert.match(saidOf(await call({ note: CARD })), /^Blocked: the arguments contain payment card.*was not sent/);
    assert.equal(calls().length, before);
  } finally {
    await g.house.t.super('grant insert on quarantine to gatehouse_app');
  }
  assert.equal(logged.filter((l) => l.includes('could not be kept for review')).length, 2);
});

test('nothing kept, logged or written anywhere has the number in it', async () => {
  await set('result', 'block');
  giving({ content: [{ type: 'text', text: CARD }] });
  await call({ of: 'deal-3' });
  // `approval` alone has the exact call, because that is what somebody is to judge.
  const tables = await g.house.t.super<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> 'approval'`,
  );
  assert.ok(tables.length > 50);
  for (const { name } of tables) {
    const rows = await g.house.t.super(`select from public.${name} r where r::text ~ '4111[ -]?1111'`);
    assert.equal(rows.length, 0, `${name} has the number`);
  }
  assert.ok(logged.length > 0);
  assert.ok(!/4111[ -]?1111/.test(logged.join('')));
});
