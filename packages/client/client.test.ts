import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { addressOf, call, op, Refusal } from './call.ts';
import { typeOf } from './generate.ts';
import { sampleOf } from './sample.ts';

const server = createServer((req, res) => {
  const problem = (status: number, body: string): void =>
    void res.writeHead(status, { 'content-type': 'application/problem+json' }).end(body);
  if (req.url === '/refused')
    problem(
      409,
      JSON.stringify({
        type: 't',
        title: 'x',
        status: 409,
        code: 'org/held',
        detail: 'it is held',
        fix: 'wait',
        request: 'req_1',
        who: ['Ada'],
      }),
    );
  else if (req.url === '/proxy') problem(502, '<html>Bad gateway</html>');
  else if (req.url === '/empty') res.writeHead(204).end();
  else
    res
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ url: req.url, method: req.method }));
});
let origin = '';
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());
const at = (path: string, method = 'GET') =>
  op<Record<string, unknown>, unknown>('room.verb', method, `${origin}${path}`);

test('no parameter can leave its segment, and what is not given is not sent', () => {
  const o = op<{ org: string; tool: string; query?: object }, void>('x.y', 'GET', '/api/{org}/tools/{tool}');
  assert.equal(
    addressOf(o, { org: 'a/../b', tool: '?q=1#z', query: { q: undefined, limit: 5, on: false } }),
    '/api/a%2F..%2Fb/tools/%3Fq%3D1%23z?limit=5&on=false',
  );
  assert.throws(() => addressOf(o, { org: '', tool: 'x' }), /needs org/);
});

test('a refusal keeps the words of the server and whatever else it says', async () => {
  const e = await call(at('/refused'), {}).then(
    () => undefined,
    (e: unknown) => e,
  );
  assert.ok(e instanceof Refusal);
  assert.deepEqual(
    [e.status, e.code, e.says, e.fix, e.request, e.more['who']],
    [409, 'org/held', 'it is held', 'wait', 'req_1', ['Ada']],
  );
});

test('an answer that is not of Gatehouse says so, and one that never comes too', async () => {
  await assert.rejects(
    call(at('/proxy'), {}),
    (e: unknown) => e instanceof Refusal && e.code === 'client/not-our-words' && e.status === 502,
  );
  const gone = op<object, void>('x.y', 'GET', 'http://127.0.0.1:1/');
  await assert.rejects(call(gone, {}), (e: unknown) => e instanceof Refusal && e.code === 'client/no-answer');
});

test('an answer without content is nothing', async () => {
  assert.equal(await call(at('/empty', 'DELETE'), {}), undefined);
});

test('types and samples say the same of a schema', () => {
  const schema = {
    type: 'object',
    required: ['id', 'rows'],
    properties: {
      id: { type: 'string' },
      rows: { type: 'array', items: { anyOf: [{ type: 'null' }, { enum: ['on', 'off'] }] } },
      'odd-name': { type: ['integer', 'null'] },
    },
  };
  assert.equal(typeOf(schema), '{ id: string; rows: (null | "on" | "off")[]; "odd-name"?: number | null | undefined }');
  assert.deepEqual(sampleOf(schema), { id: 'id', rows: ['on'], 'odd-name': 1 });
});
