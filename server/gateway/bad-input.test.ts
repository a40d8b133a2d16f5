import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { SignJWT, generateKeyPair } from 'jose';
import { callBody, codeOf, gatewayHouse, raw, type GatewayHouse, type RawRequest } from '#dev/gateway-house.ts';
import { wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { MAX_MCP_REQUEST_BYTES } from '#kernel/limits.ts';
import { makeLog } from '#kernel/log.ts';

let g: GatewayHouse;
let up: WildUpstream;
let token: string;
const log: string[] = [];
before(async () => {
  const to = { write: (line: string) => void log.push(line) };
  [g, up] = await Promise.all([
    gatewayHouse({ deps: { bodyMs: 400 }, over: { log: makeLog('debug', to) } }),
    wildUpstream(),
  ]);
  await g.connect('up', up.url);
  await g.connect('other', up.url);
  token = await g.token();
});
after(async () => {
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

const call = callBody('look');
const modern = (method: string, params: object, id: unknown = 1): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    method,
    params: {
      ...params,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  });
const headers = (over: Record<string, string>): Record<string, string> => ({
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'look',
  ...over,
});
const b64 = (s: string): string => `=?base64?${Buffer.from(s).toString('base64')}?=`;

const refusals: [string, RawRequest, number, string][] = [
  ['a body that is not JSON', { body: '{"jsonrpc":' }, 400, 'http/not-json'],
  ['an empty body', { body: '' }, 400, 'http/not-json'],
  [
    'a key twice in one object',
    { body: call.replace('"name":"look"', '"name":"look","name":"change"') },
    400,
    'http/json-duplicate-key',
  ],
  [
    'a key twice, once escaped',
    { body: call.replace('"name":"look"', '"name":"look","n\\u0061me":"change"') },
    400,
    'http/json-duplicate-key',
  ],
  ['a byte order mark', { body: `\ufeff${call}` }, 400, 'http/json-bom'],
  ['UTF-16', { body: Buffer.from(`\ufeff${call}`, 'utf16le') }, 400, 'http/not-utf8'],
  ['half of a surrogate pair', { body: call.replace('{}', '{"a":"\\ud800"}') }, 400, 'http/json-surrogate'],
  ['10,000 brackets', { body: call.replace('{}', '['.repeat(10_000) + ']'.repeat(10_000)) }, 400, 'http/json-depth'],
  ['a list of messages', { body: `[${call}]` }, 400, 'gateway/batch'],
  ['two messages in one body', { body: `${call}\n${callBody('change')}` }, 400, 'gateway/two-messages'],
  ['a message that is not JSON-RPC', { body: '{"method":"tools/list","id":1}' }, 400, 'gateway/not-json-rpc'],
  ['an id beyond 2^53', { body: call.replace('"id":1', '"id":9007199254740993') }, 400, 'gateway/id'],
  ['an id that is null', { body: call.replace('"id":1', '"id":null') }, 400, 'gateway/id'],
  ['params by position', { body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}' }, 400, 'gateway/params'],
  [
    'a call without the name of a tool',
    { body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}' },
    400,
    'gateway/params',
  ],
  [
    'a method that nobody knows',
    { body: '{"jsonrpc":"2.0","id":1,"method":"tools/rename"}' },
    200,
    'gateway/unknown-method',
  ],
  [
    'the same of the new revision',
    {
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/rename' },
      body: modern('tools/rename', {}),
    },
    404,
    'gateway/unknown-method',
  ],
  [
    'a body over the limit',
    { body: callBody('look', { a: 'x'.repeat(MAX_MCP_REQUEST_BYTES) }) },
    413,
    'gateway/too-large',
  ],
  [
    'a body over the limit that does not say its length',
    { body: callBody('look', { a: 'x'.repeat(MAX_MCP_REQUEST_BYTES) }), headers: { 'transfer-encoding': 'chunked' } },
    413,
    'gateway/too-large',
  ],
  ['a packed body', { body: call, headers: { 'content-encoding': 'gzip' } }, 415, 'gateway/packed'],
  ['a body of another type', { body: call, headers: { 'content-type': 'text/plain' } }, 415, 'gateway/media-type'],
  ['another method of HTTP', { method: 'PUT', body: call }, 405, 'gateway/method'],
  ['a connector that is not there', { path: '/mcp/nothing', body: call }, 404, 'gateway/no-connector'],
  ['a tool of no connector', { path: '/mcp', body: call }, 400, 'gateway/unknown-tool'],
  ['a path below a connector', { path: '/mcp/up/x', body: call }, 404, 'gateway/no-such-path'],
  ['a foreign host', { headers: { host: 'evil.example' }, body: call }, 403, 'gateway/foreign-host'],
  ['the host with a suffix', { headers: { host: 'localhost.evil.example' }, body: call }, 403, 'gateway/foreign-host'],
  ['an address instead of the host', { headers: { host: '[::1]' }, body: call }, 403, 'gateway/foreign-host'],
  ['the host with a trailing dot', { headers: { host: 'localhost.' }, body: call }, 403, 'gateway/foreign-host'],
  ['a foreign origin', { headers: { origin: 'https://evil.example' }, body: call }, 403, 'gateway/foreign-origin'],
  ['the origin of a local file', { headers: { origin: 'null' }, body: call }, 403, 'gateway/foreign-origin'],
  [
    'a session that we did not make',
    { headers: { 'mcp-session-id': 'a'.repeat(60) }, body: call },
    404,
    'gateway/no-session',
  ],
  [
    'a header that names another tool than the body',
    { headers: headers({ 'mcp-name': 'change' }), body: modern('tools/call', { name: 'look' }) },
    400,
    'gateway/header-mismatch',
  ],
  [
    'a header in base64 that names another tool',
    { headers: headers({ 'mcp-name': b64('change') }), body: modern('tools/call', { name: 'look' }) },
    400,
    'gateway/header-mismatch',
  ],
  [
    'a header whose base64 has no padding',
    {
      headers: headers({ 'mcp-name': b64('look').replace('=?=', '?=') }),
      body: modern('tools/call', { name: 'look' }),
    },
    400,
    'gateway/header-mismatch',
  ],
  [
    'a header that names another method',
    { headers: headers({ 'mcp-method': 'tools/list' }), body: modern('tools/call', { name: 'look' }) },
    400,
    'gateway/header-mismatch',
  ],
  [
    'a header with another revision',
    { headers: headers({ 'mcp-protocol-version': '2025-11-25' }), body: modern('tools/call', { name: 'look' }) },
    400,
    'gateway/header-mismatch',
  ],
  [
    'no header with the method',
    { headers: { 'mcp-protocol-version': '2026-07-28' }, body: modern('tools/call', { name: 'look' }) },
    400,
    'gateway/header-mismatch',
  ],
];

for (const [what, request, status, code] of refusals)
  test(`${what} is refused with ${status} ${code}, and nothing goes upstream`, async () => {
    const before = up.seen.length;
    const a = await raw(g, { token, ...request });
    assert.equal(codeOf(a), code, a.text);
    assert.equal(a.status, status);
    assert.equal(up.seen.length, before);
  });

test('a header in base64 that says what the body says is let through', async () => {
  const a = await raw(g, {
    token,
    headers: headers({ 'mcp-name': b64('look') }),
    body: modern('tools/call', { name: 'look' }),
  });
  assert.equal(a.status, 200, a.text);
});

test('the same header twice is a mismatch, also where both say what the body says', async () => {
  const twice = await raw(g, {
    token,
    headers: headers({ 'mcp-name': 'look, look' }),
    body: modern('tools/call', { name: 'look' }),
  });
  assert.equal(codeOf(twice), 'gateway/header-mismatch');
});

const forged = async (claims: object, header: object = {}): Promise<string> =>
  new SignJWT({ org: g.house.org, gid: 'g', client_id: 'c', scope: 'mcp:read mcp:write', ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...header })
    .setSubject(g.house.ada.member)
    .setIssuer(g.house.origin)
    .setAudience(`${g.house.origin}/mcp`)
    .setExpirationTime('5m')
    .sign((await generateKeyPair('ES256')).privateKey);
const challenges = (): [string, () => Promise<string | undefined>, string][] => [
  ['no token', async () => undefined, 'gateway/no-token'],
  ['garbage', async () => 'garbage', 'authorization/token-malformed'],
  ['an empty JWT', async () => '..', 'authorization/token-malformed'],
  ['a token of our shape that somebody else signed', () => forged({}), 'authorization/token-signature'],
  [
    'a token that is not signed at all',
    async () =>
      `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`,
    'authorization/token-malformed',
  ],
  [
    'a token of another connector',
    () => g.token(undefined, `${g.house.origin}/mcp/other`),
    'authorization/token-audience',
  ],
];
for (const [what, make, code] of challenges())
  test(`${what} is answered with 401 ${code} and the way to a token`, async () => {
    const t = await make();
    const a = await raw(g, { token: t, body: call });
    assert.equal(a.status, 401);
    if (code === 'authorization/token-malformed')
      assert.match(String(codeOf(a)), /^authorization\/token-(malformed|alg)$/);
    else assert.equal(codeOf(a), code, a.text);
    assert.match(
      a.headers['www-authenticate'] ?? '',
      /^Bearer .*resource_metadata="http:\/\/localhost:\d+\/\.well-known\/oauth-protected-resource\/mcp\/up"/,
    );
  });

test('another scheme than Bearer is refused and never taken for nobody', async () => {
  const a = await raw(g, { headers: { authorization: `Basic ${Buffer.from('a:b').toString('base64')}` }, body: call });
  assert.deepEqual([a.status, codeOf(a)], [401, 'gateway/not-bearer']);
});

test('two credentials are refused', async () => {
  const text = await new Promise<string>((resolve, reject) => {
    const r = request(new URL('/mcp/up', g.house.origin), { method: 'POST', agent: false }, (res) => {
      let all = '';
      res.on('data', (c: Buffer) => (all += c.toString())).on('end', () => resolve(`${res.statusCode} ${all}`));
    });
    r.on('error', reject);
    r.setHeader('authorization', [`Bearer ${token}`, 'Bearer other']);
    r.setHeader('content-type', 'application/json');
    r.end(call);
  });
  assert.match(text, /^400 .*"gateway\/two-credentials"/);
});

/** Sends half of a message. What comes back: everything until the connection closes, or until we close it. */
const half = (leaveAfter: number | undefined): Promise<string> =>
  new Promise((resolve) => {
    const url = new URL(g.house.origin);
    const socket = connect(Number(url.port), url.hostname);
    let text = '';
    socket.on('data', (c) => {
      text += c.toString();
      if (text.includes('\r\n\r\n')) resolve(text);
    });
    socket.on('close', () => resolve(text));
    socket.write(
      `POST /mcp/up HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"jsonrpc"`,
    );
    if (leaveAfter !== undefined) setTimeout(() => socket.destroy(), leaveAfter);
  });

test('a message that does not come to its end is refused in time', async () => {
  assert.match(await half(undefined), /"gateway\/too-slow"/);
});

test('a client that leaves within its message is noted for the operator as gateway/cut-off, and nothing goes upstream', async () => {
  const before = up.seen.length;
  await half(50);
  for (let i = 0; i < 100 && !log.some((l) => l.includes('gateway/cut-off')); i++)
    await new Promise((r) => setTimeout(r, 10));
  assert.ok(
    log.some((l) => l.includes('gateway/cut-off')),
    log.slice(-3).join(),
  );
  assert.equal(up.seen.length, before);
});

test('no line of the log holds a token, a body or a credential', async () => {
  await raw(g, { token, body: callBody('look', { secret: 'content-of-a-call' }) });
  await raw(g, { token: 'garbage-token-of-somebody', body: call });
  for (const word of [token.slice(20, 60), 'content-of-a-call', 'garbage-token-of-somebody'])
    assert.ok(!log.join().includes(word), word);
});

test('a token that has expired is refused, also where it was accepted a moment before', async () => {
  const t = await g.token();
  assert.equal((await raw(g, { token: t, body: call })).status, 200);
  g.house.advance(11 * 60_000);
  const a = await raw(g, { token: t, body: call });
  g.house.advance(-11 * 60_000);
  assert.deepEqual([a.status, codeOf(a)], [401, 'authorization/token-expired']);
});

test('a token without the scope to write is told which scope a writing tool needs', async () => {
  const t = await g.token(undefined, `${g.house.origin}/mcp`, 'mcp:read');
  await g.connect('writes', up.url, { classes: { change: 'write' } });
  assert.equal((await raw(g, { token: t, path: '/mcp/writes', body: callBody('look') })).status, 200);
  const a = await raw(g, { token: t, path: '/mcp/writes', body: callBody('change') });
  assert.deepEqual([a.status, codeOf(a)], [403, 'gateway/scope'], a.text);
  assert.match(a.headers['www-authenticate'] ?? '', /insufficient_scope.*mcp:write/);
});

test('a tool that does not exist is an error of the protocol, and the log has it as denied without the name that was asked for', async () => {
  const a = await raw(g, { token, body: callBody('l\u03bfok') });
  assert.equal((a.json['error'] as { code: number }).code, -32602);
  assert.equal(codeOf(a), 'gateway/unknown-tool');
  const end = (await g.events('tool.finished')).at(-1);
  assert.deepEqual([end?.data['outcome'], end?.data['why'], end?.data['tool']], ['denied', 'unknown_tool', null]);
  assert.ok(!JSON.stringify(await g.events()).includes('l\u03bfok'));
});
