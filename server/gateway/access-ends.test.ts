import assert from 'node:assert/strict';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { change } from '#audit/change.ts';
import { editConnector } from '#connectors/edit-connector.ts';
import { callBody, codeOf, gatewayHouse, raw, saidOf, type GatewayHouse } from '#dev/gateway-house.ts';
import type { HousePerson } from '#dev/oauth-house.ts';
import { answer, wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { systemCtx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { saveUserState } from '#org/user.sql.ts';
import { event } from '#audit/events.ts';
import { auditEvents } from '#audit/events.ts';

let g: GatewayHouse;
let up: WildUpstream;
before(async () => {
  [g, up] = await Promise.all([gatewayHouse(), wildUpstream()]);
  await g.connect('up', up.url);
});
after(async () => {
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

/** As SCIM does it: a change at the parent, which knows nothing of the org's gateway. */
async function suspend(p: HousePerson): Promise<void> {
  const ctx = systemCtx(g.house.world, 'test', { parent: g.house.parent });
  await change(ctx, async (tx) => {
    await saveUserState(tx, p.user, 'suspended', 'test', ctx.now);
    // Any event will do: what counts is that something of the parent changed.
    return {
      value: undefined,
      events: [event(auditEvents, 'audit.exported', { log: g.house.parent, size: 0, format: 'csv' })],
    };
  });
}

function openStream(
  token: string,
  o: { method: string; body?: string },
): Promise<{ res: IncomingMessage; ended: Promise<string> }> {
  return new Promise((resolve, reject) => {
    const req = request(
      new URL('/mcp/up', g.house.origin),
      {
        method: o.method,
        agent: false,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'text/event-stream' },
      },
      (res) => {
        let text = '';
        res.on('data', (c: Buffer) => (text += c.toString()));
        resolve({
          res,
          ended: new Promise((done) => res.once('close', () => done(text)).on('error', () => undefined)),
        });
      },
    );
    req.on('error', reject);
    req.end(o.body);
  });
}

const began = (res: ServerResponse): void =>
  void res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');

test('a person who is suspended loses the open stream and the call under way within a second, and the next call is refused', async () => {
  const leo = await g.house.addPerson('Leo');
  const token = await g.token(leo);
  let calls = 0;
  up.act = (m, res, req) => {
    if (req.method === 'GET') return began(res);
    if (m.method === 'tools/call') return void calls++; // never answers
    return false;
  };
  const stream = await openStream(token, { method: 'GET' });
  const call = raw(g, { token, body: callBody('look') });
  while (calls === 0) await new Promise((r) => setTimeout(r, 5));
  const at = performance.now();
  await suspend(leo);
  await stream.ended;
  const streamMs = performance.now() - at;
  assert.match(saidOf(await call), /^Failed: access ended while this was under way/);
  const callMs = performance.now() - at;
  assert.ok(streamMs < 1000 && callMs < 1000, `${streamMs} ms, ${callMs} ms`);
  const next = await raw(g, { token, body: callBody('look') });
  assert.deepEqual([next.status, codeOf(next)], [401, 'gateway/not-let-in']);
  const end = (await g.events('tool.finished')).at(-1);
  assert.deepEqual([end?.data['outcome'], end?.data['why']], ['failed', 'access_ended']);
  assert.equal(calls, 1);
});

test('another person\u2019s stream stays open meanwhile', async () => {
  const [mia, max] = [await g.house.addPerson('Mia'), await g.house.addPerson('Max')];
  up.act = (_m, res, req) => (req.method === 'GET' ? began(res) : false);
  const hers = await openStream(await g.token(mia), { method: 'GET' });
  let over = false;
  void hers.ended.then(() => (over = true));
  const his = await openStream(await g.token(max), { method: 'GET' });
  await suspend(max);
  await his.ended;
  await new Promise((r) => setTimeout(r, 300));
  assert.equal(over, false);
  hers.res.destroy();
});

test('a connector that is switched off ends what is under way there, and says so afterwards', async () => {
  const id = await g.connect('shaky', up.url);
  const token = await g.token();
  let calls = 0;
  up.act = (m) => (m.method === 'tools/call' ? void calls++ : false);
  const call = raw(g, { token, path: '/mcp/shaky', body: callBody('look') });
  while (calls === 0) await new Promise((r) => setTimeout(r, 5));
  await editConnector(g.ctx, id, { state: 'off' });
  assert.match(saidOf(await call), /^Failed: access ended/);
  const next = await raw(g, { token, path: '/mcp/shaky', body: callBody('look') });
  assert.deepEqual([next.status, codeOf(next)], [404, 'gateway/no-connector']);
  up.act = undefined;
  await editConnector(g.ctx, id, { state: 'on' });
  // To be let in may take as long as a cache may be late.
  let status = 404;
  for (const until = Date.now() + 5000; status !== 200 && Date.now() < until;)
    ({ status } = await raw(g, { token, path: '/mcp/shaky', body: callBody('look') }));
  assert.equal(status, 200);
});

test('a session id is worth nothing to another person, on another connector, altered or made up, and the upstream\u2019s own id never leaves', async () => {
  up.act = (m, res) => {
    if (m.method !== 'initialize') return false;
    res.setHeader('mcp-session-id', 'upstream-session-1');
    answer(res, m, { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } });
    return undefined;
  };
  const [ada, eve] = [await g.token(), await g.token(await g.house.addPerson('Eve'))];
  const init = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
  });
  const opened = await raw(g, { token: ada, body: init });
  const session = String(opened.headers['mcp-session-id']);
  assert.ok(!JSON.stringify(opened).includes('upstream-session-1'));
  const ping = '{"jsonrpc":"2.0","id":2,"method":"ping"}';
  const use = (token: string, id: string, path = '/mcp/up', method = 'POST') =>
    raw(g, { token, path, method, headers: { 'mcp-session-id': id }, body: method === 'POST' ? ping : '' });
  assert.equal((await use(ada, session)).status, 200);
  assert.equal(up.seen.at(-1)?.headers['mcp-session-id'], 'upstream-session-1');
  await g.connect('second', up.url);
  const altered = session.slice(0, -2) + (session.endsWith('AA') ? 'BB' : 'AA');
  const sent = up.seen.length;
  for (const [token, id, path, method] of [
    [eve, session, '/mcp/up', 'POST'],
    [eve, session, '/mcp/up', 'GET'],
    [eve, session, '/mcp/up', 'DELETE'],
    [ada, session, '/mcp/second', 'POST'],
    [ada, altered, '/mcp/up', 'POST'],
    [ada, 'upstream-session-1', '/mcp/up', 'POST'],
    [ada, newId('ses'), '/mcp/up', 'POST'],
  ] as const) {
    const a = await use(token, id, path, method);
    assert.deepEqual([a.status, codeOf(a)], [404, 'gateway/no-session']);
  }
  assert.equal(up.seen.length, sent);
});

test('1,000 interleaved calls of two people with the same ids each get their own answer', async () => {
  const people = [await g.token(await g.house.addPerson('Ann')), await g.token(await g.house.addPerson('Bob'))];
  up.act = (m, res) => {
    if (m.method !== 'tools/call') return false;
    setTimeout(
      () => answer(res, m, { content: [{ type: 'text', text: JSON.stringify(m.params?.['arguments']) }] }),
      Math.random() * 5,
    );
    return undefined;
  };
  for (let batch = 0; batch < 20; batch++)
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const who = i % 2;
        const mine = `${who}-${batch}-${i}`;
        const a = await raw(g, { token: people[who], body: callBody('look', { mine }, Math.floor(i / 2)) });
        assert.equal(saidOf(a), JSON.stringify({ mine }));
      }),
    );
  const ends = await g.events('tool.finished');
  const calls = await g.events('tool.called');
  assert.equal(new Set(ends.map((e) => e.data['call'])).size, ends.length);
  assert.equal(calls.length, ends.length);
});
