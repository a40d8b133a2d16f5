import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import { z } from 'zod';
import type { Ctx } from './ctx.ts';
import { problemJson } from './dialect.ts';
import { MAX_BODY_BYTES } from './limits.ts';
import { makeLog, silentLog } from './log.ts';
import { openApi } from './openapi.ts';
import { mount, operation, type Door } from './operation.ts';
import { Problem } from './problem.ts';

const Lamp = z.strictObject({ name: z.string().min(1), watts: z.number().int() });
const door: Door = {
  prefix: '/api',
  dialect: problemJson,
  async gate(c) {
    if (c.req.header('authorization') !== 'Bearer good')
      throw new Problem('unauthenticated', 'test/nobody', { says: 'nobody is signed in', fix: 'sign in' });
    const ctx: Partial<Ctx> = {};
    return ctx as Ctx;
  },
  operations: [
    operation({
      id: 'lamp.add',
      at: 'POST /lamps',
      can: 'org.manage',
      says: 'Add a lamp',
      body: Lamp,
      reply: Lamp,
      status: 201,
      handle: async (_ctx, { body }) => body,
      headers: (v) => ({ location: `/api/lamps/${v.name}` }),
    }),
    operation({
      id: 'lamp.read',
      at: 'GET /lamps/:lamp',
      can: 'org.read',
      says: 'Read a lamp',
      params: z.object({ lamp: z.string() }),
      query: z.strictObject({ unit: z.enum(['watt']).optional() }),
      reply: Lamp,
      handle: async (_ctx, { params }) => ({ name: params.lamp, watts: 5 }),
    }),
    operation({
      id: 'lamp.hang',
      at: 'POST /hangings',
      can: 'org.manage',
      says: 'Hang',
      body: z.union([
        z.strictObject({ name: z.string(), hook: z.string(), chain: z.number() }),
        z.strictObject({ name: z.string().optional(), rail: z.enum(['left', 'right']).optional() }),
      ]),
      reply: z.object({}),
      handle: async () => ({}),
    }),
    operation({
      id: 'lamp.break',
      at: 'DELETE /lamps/:lamp',
      can: 'org.manage',
      says: 'Break',
      params: z.object({ lamp: z.string() }),
      reply: z.object({}),
      handle: () => Promise.reject(new Error('the secret filament snapped')),
    }),
    operation({
      id: 'lamp.leak',
      at: 'GET /leak',
      can: 'org.read',
      says: 'Says too much',
      reply: z.strictObject({ a: z.number() }),
      handle: async () => JSON.parse('{"a":1,"password":"x"}'),
    }),
  ],
};
const app = new Hono();
mount(app, door, silentLog);

const ask = async (
  method: string,
  path: string,
  body?: string | ReadableStream,
  headers: Record<string, string> = {},
) => {
  const r = await app.request(path, {
    method,
    headers: { authorization: 'Bearer good', 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body }),
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  });
  const text = await r.text();
  return { status: r.status, headers: r.headers, json: text ? (JSON.parse(text) as Record<string, unknown>) : {} };
};

for (const [what, method, path, body, headers, status, code] of [
  ['nobody', 'GET', '/api/lamps/a', undefined, { authorization: '' }, 401, 'test/nobody'],
  ['a body that is not JSON', 'POST', '/api/lamps', '{"name":', {}, 400, 'http/not-json'],
  ['no body', 'POST', '/api/lamps', '', {}, 400, 'http/not-json'],
  ['two documents in one body', 'POST', '/api/lamps', '{"name":"a","watts":1}{}', {}, 400, 'http/not-json'],
  ['a key twice', 'POST', '/api/lamps', '{"name":"a","name":"b","watts":1}', {}, 400, 'http/json-duplicate-key'],
  ['a field of the wrong type', 'POST', '/api/lamps', '{"name":"a","watts":"5"}', {}, 400, 'http/invalid'],
  [
    'a field that is not declared',
    'POST',
    '/api/lamps',
    '{"name":"a","watts":5,"role":"owner"}',
    {},
    400,
    'http/invalid',
  ],
  [
    'a body of another media type',
    'POST',
    '/api/lamps',
    'name=a',
    { 'content-type': 'application/x-www-form-urlencoded' },
    415,
    'http/media-type',
  ],
  ['a body that is too large', 'POST', '/api/lamps', `"${'x'.repeat(MAX_BODY_BYTES)}"`, {}, 413, 'http/too-large'],
  ['a query parameter twice', 'GET', '/api/lamps/a?unit=watt&unit=watt', undefined, {}, 400, 'http/query-duplicate'],
  ['a query parameter that is not declared', 'GET', '/api/lamps/a?colour=red', undefined, {}, 400, 'http/invalid'],
  ['a method that the path does not know', 'PUT', '/api/lamps', '{}', {}, 405, 'http/method'],
  ['a path that there is not', 'GET', '/api/candles', undefined, {}, 404, 'http/no-such-path'],
  ['a fault of ours', 'DELETE', '/api/lamps/a', undefined, {}, 500, 'kernel/bug'],
  ['an answer with a field that is not declared', 'GET', '/api/leak', undefined, {}, 500, 'kernel/bug'],
] as [string, string, string, string | undefined, Record<string, string>, number, string][])
  test(`${what} is answered ${status} ${code}, with a request id`, async () => {
    const r = await ask(method, path, body, headers);
    assert.equal(r.status, status);
    assert.equal(r.json['code'], code);
    assert.equal(r.json['request'], r.headers.get('request-id'));
    assert.match(String(r.json['request']), /^req_[0-9a-f]{32}$/);
  });

test('of a body that may be one of several things, the one that it is closest to says what is wrong', async () => {
  const says = async (body: object) => (await ask('POST', '/api/hangings', JSON.stringify(body))).json['detail'];
  assert.equal(await says({ name: 'a', rail: 'up' }), 'body.rail: Invalid option: expected one of "left"|"right"');
});

test('a fault of ours tells the caller nothing about its inside', async () => {
  assert.doesNotMatch(JSON.stringify((await ask('DELETE', '/api/lamps/a')).json), /filament/);
});

test('a body without a declared length is cut off at the limit, not collected', async () => {
  let sent = 0;
  const endless = new ReadableStream({
    pull(c) {
      sent += 65536;
      c.enqueue(new Uint8Array(65536).fill(0x20));
    },
  });
  assert.equal((await ask('POST', '/api/lamps', endless)).status, 413);
  assert.ok(sent < MAX_BODY_BYTES + 10 * 65536, `${sent} bytes were read`);
});

test('a good request is answered with the declared status, headers and shape', async () => {
  const r = await ask('POST', '/api/lamps', '{"name":"a","watts":5}');
  assert.equal(r.status, 201);
  assert.equal(r.headers.get('location'), '/api/lamps/a');
  assert.equal(r.headers.get('cache-control'), 'no-store');
  assert.deepEqual(r.json, { name: 'a', watts: 5 });
});

test('a form with a field twice is refused where forms are taken, and with it once it is read: http/form-duplicate', async () => {
  const form = new Hono();
  const send = operation({
    id: 'lamp.send',
    at: 'POST /send',
    can: 'public',
    says: 'Send a lamp',
    accepts: ['application/x-www-form-urlencoded'],
    body: z.strictObject({ to: z.string() }),
    reply: z.object({ to: z.string() }),
    handle: async (_ctx, { body }) => body,
  });
  mount(form, { ...door, operations: [send] }, silentLog);
  const post = async (body: string) =>
    form.request('/api/send', {
      method: 'POST',
      headers: { authorization: 'Bearer good', 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
  const r = await post('to=ada&to=mallory');
  const said = (await r.json()) as Record<string, unknown>;
  assert.deepEqual(
    [r.status, said['code'], said['detail']],
    [400, 'http/form-duplicate', 'the field to is there twice'],
  );
  assert.deepEqual(await (await post('to=ada')).json(), { to: 'ada' });
});

test('a 405 names the methods that the path knows', async () => {
  assert.equal((await ask('PUT', '/api/lamps/a', '{}')).headers.get('allow'), 'GET, DELETE');
});

test('the OpenAPI document has every operation with its parameters, permission and refusal', () => {
  const doc = openApi([door], 'http://localhost:1', '0') as {
    openapi: string;
    paths: Record<string, Record<string, Record<string, unknown>>>;
  };
  assert.equal(doc.openapi, '3.1.0');
  assert.deepEqual(Object.keys(doc.paths), ['/api/lamps', '/api/lamps/{lamp}', '/api/hangings', '/api/leak']);
  assert.equal(doc.paths['/api/lamps/{lamp}']?.['get']?.['operationId'], 'lamp.read');
  assert.equal(doc.paths['/api/lamps/{lamp}']?.['get']?.['x-permission'], 'org.read');
  assert.ok(doc.paths['/api/lamps']?.['post']?.['requestBody']);
});

test('the log has the path of a refused request without the token in it, however it is written; ids stay', async () => {
  const lines: string[] = [];
  const app = new Hono();
  const open = operation({
    id: 'lamp.open',
    at: 'GET /links/:token/lamp',
    can: 'public',
    says: 'Open a link',
    params: z.object({ token: z.string() }),
    reply: Lamp,
    handle: () => Promise.reject(new Problem('missing', 'test/no-link', { says: 'there is no such link' })),
  });
  const log = makeLog('info', { write: (line: string) => void lines.push(line) });
  mount(app, { ...door, gate: () => Promise.resolve({} as Ctx), operations: [open] }, log);
  const sct = `sct_${'0'.repeat(32)}`;
  for (const [asked, kept] of [
    ['secret-of-the-link', ':token'],
    ['%73ecret-of-the-link', ':token'],
    [sct, sct],
  ]) {
    await app.request(`/api/links/${asked}/lamp`);
    assert.equal((JSON.parse(lines.at(-1) ?? '') as { path: string }).path, `/api/links/${kept}/lamp`);
  }
});
