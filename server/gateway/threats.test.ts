import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { callBody, codeOf, gatewayHouse, raw, type GatewayHouse } from '#dev/gateway-house.ts';
import { tool, wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import type { Id } from '#kernel/id.ts';

/** Attacks on the gate that no other file has; walls/threats.test.ts lists all of them. */
let g: GatewayHouse;
let up: WildUpstream;
let connector: Id<'con'>;
let token: string;
before(async () => {
  g = await gatewayHouse();
  up = await wildUpstream([
    tool('look'),
    tool('change'),
    tool('fetch', {
      inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
    }),
  ]);
  connector = await g.connect('up', up.url, {
    classes: { change: 'destructive' },
    flows: { change: { outward: false } },
  });
  token = await g.token();
});
after(async () => {
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});
beforeEach(() => {
  up.seen.length = 0;
  up.act = undefined;
});

/** Bytes as they are, on a connection of their own; everything that comes back until it is closed or says enough. */
const bytes = (text: string): Promise<string> =>
  new Promise((resolve) => {
    const url = new URL(g.house.origin);
    const socket = connect(Number(url.port), url.hostname, () => socket.write(text));
    let all = '';
    socket.on('data', (c) => (all += c.toString('latin1')));
    socket.on('error', () => resolve(all));
    socket.on('close', () => resolve(all));
    // Whoever answers and keeps the connection has said what there is to say.
    socket.setTimeout(3000, () => socket.destroy());
  });
const CRLF = '\r\n';
const body = callBody('look');
const host = (): string => new URL(g.house.origin).host;
const request = (lines: string[], content = body): string =>
  [
    'POST /mcp/up HTTP/1.1',
    ...lines,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    'Connection: close',
    '',
    content,
  ].join(CRLF);
const length = `Content-Length: ${Buffer.byteLength(body)}`;
const calls = (): number => up.seen.filter((s) => s.message.method === 'tools/call').length;

test('the request that the next ones spoil is answered as it is', async () => {
  assert.match(await bytes(request([`Host: ${host()}`, length])), /^HTTP\/1\.1 200 /);
  assert.equal(calls(), 1);
});

for (const [what, lines, status] of [
  ['no Host', [length], 400],
  ['a Host with a path', ['Host: {host}/?x=', length], 403],
  ['a Host with a user', ['Host: x@{host}', length], 403],
  ['two Hosts', ['Host: {host}', 'Host: {host}', length], 403],
  ['a Host of another port', ['Host: localhost:1', length], 403],
] as const)
  test(`a request with ${what} is refused with ${status} before anything is looked at`, async () => {
    const said = await bytes(request(lines.map((l) => l.replace('{host}', host()))));
    assert.match(said, new RegExp(`^HTTP/1\\.1 ${status} `), said);
    if (status === 403) assert.match(said, /"gateway\/foreign-host"/);
    assert.equal(up.seen.length, 0);
  });

const chunked = (size: string): string => [size, body, '0', '', ''].join(CRLF);
const hex = Buffer.byteLength(body).toString(16);
for (const [what, lines, content] of [
  ['a length and chunks', [length, 'Transfer-Encoding: chunked'], chunked(hex)],
  ['chunks and a length', ['Transfer-Encoding: chunked', length], chunked(hex)],
  ['two lengths', [length, 'Content-Length: 3'], body],
  ['a length that is no number', ['Content-Length: +5'], body],
  ['chunks that are not the last coding', ['Transfer-Encoding: chunked, identity'], chunked(hex)],
  ['a coding that is no coding', ['Transfer-Encoding: xchunked'], chunked(hex)],
  ['a space before the colon of a header', [`Content-Length : ${Buffer.byteLength(body)}`], body],
  ['a chunk whose size is no number', ['Transfer-Encoding: chunked'], chunked(`0x${hex}`)],
  [
    'an extension of a chunk that is longer than a chunk',
    ['Transfer-Encoding: chunked'],
    chunked(`${hex};x=${'y'.repeat(20_000)}`),
  ],
  ['headers of 100 KB', [length, `X-Large: ${'x'.repeat(100_000)}`], body],
  ['a header that holds a bare line feed', [length, 'X-A: b\nX-B: c\r'], body],
] as const)
  // prettier-ignore
  test(`a request with ${what} is refused as HTTP, and nothing goes upstream`, async () => {
    const said = await bytes(request([`Host: ${host()}`, ...lines], content));
    assert.match(said, /^HTTP\/1\.1 4(00|13|31) /, said);
    assert.equal(up.seen.length, 0);
  });

test('what follows a message on its connection is a request of its own, with a credential of its own', async () => {
  const smuggled = `POST /mcp/up HTTP/1.1${CRLF}Host: ${host()}${CRLF}${length}${CRLF}Content-Type: application/json${CRLF}${CRLF}${body}`;
  const first = request([`Host: ${host()}`, length]).replace(`Connection: close${CRLF}`, '');
  const said = await bytes(first + smuggled);
  assert.match(said, /^HTTP\/1\.1 200 [^]*HTTP\/1\.1 401 /);
  assert.match(said, /"gateway\/no-token"/);
  assert.equal(calls(), 1);
});

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const modern = (name: string, args: object, headers: Record<string, string>): ReturnType<typeof raw> =>
  raw(g, {
    token,
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name, ...headers },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name, arguments: args, _meta: meta },
    }),
  });
const b64 = (s: string): string => `=?base64?${Buffer.from(s).toString('base64')}?=`;

test('a header that says of an argument what the body says is let through, plain and in base64', async () => {
  for (const region of ['eu', b64('eu')]) {
    const a = await modern('fetch', { region: 'eu' }, { 'mcp-param-region': region });
    assert.equal(a.status, 200, a.text);
    assert.ok('result' in a.json, a.text);
  }
});
for (const [what, headers] of [
  ['names the tool in other letters', { 'mcp-name': 'Fetch' }],
  ['names the method in other letters', { 'mcp-method': 'Tools/Call' }],
  ['says another argument', { 'mcp-param-region': 'us' }],
  ['says another argument in base64', { 'mcp-param-region': b64('us') }],
  ['says an argument in base64 that is none', { 'mcp-param-region': '=?base64?***?=' }],
  ['says the argument with a blank more', { 'mcp-param-region': b64('eu ') }],
] as const)
  test(`a header that ${what} than the body is gateway/header-mismatch`, async () => {
    const a = await modern('fetch', { region: 'eu' }, { 'mcp-param-region': 'eu', ...headers });
    assert.deepEqual([a.status, codeOf(a)], [400, 'gateway/header-mismatch'], a.text);
    assert.equal((a.json['error'] as { code: number }).code, -32020);
    assert.equal(calls(), 0);
  });

for (const [what, act] of [
  ['breaks off after it took it', (res: ServerResponse) => void res.destroy()],
  ['says that it is overloaded', (res: ServerResponse) => void res.writeHead(503).end()],
  [
    'answers half',
    (res: ServerResponse) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{"jso');
      setTimeout(() => res.destroy(), 20);
    },
  ],
] as const)
  // prettier-ignore
  test(`a call that destroys goes to a connector that ${what} once, on a connection that was used before`, async () => {
    up.act = (m, res) => {
      if (m.method !== 'tools/call' || m.params?.['name'] !== 'change') return false;
      act(res);
      return true;
    };
    // The connection is warm, which is where HTTP clients like to try again.
    await raw(g, { token, body });
    up.seen.length = 0;
    const a = await raw(g, { token, body: callBody('change') });
    assert.match(a.text, /"isError":true/);
    assert.equal(calls(), 1);
    assert.equal((await g.events('tool.finished')).at(-1)?.data['outcome'], 'failed');
  });

/** Listens at one connector of the stateless revision, whose server says nothing by itself. */
type Listening = { events: { method?: string; params?: Record<string, unknown> }[]; over: Promise<void>; end(): void };
async function listen(notifications: object, kept: object = notifications): Promise<Listening> {
  up.act = (m, res) => {
    if (m.method !== 'subscriptions/listen') return false;
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const subscription = { 'io.modelcontextprotocol/subscriptionId': m.id };
    const say = (method: string, params: object): void =>
      void res.write(
        `data: ${JSON.stringify({ jsonrpc: '2.0', method, params: { ...params, _meta: subscription } })}\n\n`,
      );
    say('notifications/subscriptions/acknowledged', { notifications: kept });
    return true;
  };
  const stop = new AbortController();
  const res = await fetch(`${g.house.origin}/mcp/up`, {
    method: 'POST',
    signal: stop.signal,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 'l',
      method: 'subscriptions/listen',
      params: { notifications, _meta: meta },
    }),
  });
  assert.equal(res.status, 200);
  const events: Listening['events'] = [];
  const over = (async () => {
    for await (const piece of res.body!.pipeThrough(new TextDecoderStream()))
      for (const [, data = ''] of piece.matchAll(/^data: (.*)$/gm))
        events.push(JSON.parse(data) as Listening['events'][number]);
  })().catch(() => undefined);
  return { events, over, end: () => stop.abort() };
}
async function until(holds: () => boolean, otherwise: string): Promise<void> {
  for (let i = 0; !holds(); i++) {
    if (i > 1200) throw new Error(otherwise);
    await new Promise((r) => setTimeout(r, 50));
  }
}
let number = 0;
const forbid = (names: string[]): Promise<void> =>
  g.rule({
    name: `forbidden ${++number}`,
    who: { kind: 'everyone' },
    connector,
    tools: { names },
    effect: 'forbid',
  });

test('who listens at one connector is told of a rule of ours after the acknowledgement, under its own subscription, and of nothing that it did not ask for', async () => {
  const asked = await listen({ toolsListChanged: true });
  const other = await listen({ resourcesListChanged: true });
  const denied = await listen({ toolsListChanged: true }, {});
  await until(() => [asked, other, denied].every((l) => l.events.length > 0), 'nothing was acknowledged');
  await forbid(['fetch']);
  await until(() => asked.events.length > 1, 'nobody told of the rule');
  assert.deepEqual(
    asked.events.map((e) => e.method),
    ['notifications/subscriptions/acknowledged', 'notifications/tools/list_changed'],
  );
  assert.deepEqual(asked.events[1]?.params?.['_meta'], { 'io.modelcontextprotocol/subscriptionId': 'l' });
  assert.deepEqual([other.events.length, denied.events.length], [1, 1]);
  for (const l of [asked, other, denied]) l.end();
});

test('an older client whose server has no stream is told of a rule of ours on one of ours', async () => {
  up.act = (_m, res, req) => {
    if (req.method !== 'GET') return false;
    res.writeHead(405, { allow: 'POST' }).end();
    return true;
  };
  const stop = new AbortController();
  const res = await fetch(`${g.house.origin}/mcp/up`, {
    signal: stop.signal,
    headers: { accept: 'text/event-stream', authorization: `Bearer ${token}`, 'mcp-protocol-version': '2025-11-25' },
  });
  assert.equal(res.status, 200);
  let heard = '';
  void (async () => {
    for await (const piece of res.body!.pipeThrough(new TextDecoderStream())) heard += piece;
  })().catch(() => undefined);
  await forbid(['change']);
  await until(() => heard.includes('notifications/tools/list_changed'), 'nobody told of the rule');
  assert.ok(!heard.includes('subscriptionId'));
  stop.abort();
});

test('who may not read from a connector any more loses the stream on which he listens there', async () => {
  const asked = await listen({ toolsListChanged: true });
  await until(() => asked.events.length > 0, 'nothing was acknowledged');
  await forbid(['resources/read']);
  await asked.over;
  asked.end();
});
