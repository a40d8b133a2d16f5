import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { listen } from '#dev/listening-server.ts';
import { makeEgress } from '#kernel/egress.ts';
import { makeLog } from '#kernel/log.ts';
import { Problem } from '#kernel/problem.ts';
import { Secret } from '#kernel/secret.ts';
import { originsOf } from '#vault/vendor-address.ts';
import type { Manifest } from './manifest.ts';
import { vendorClient, VendorRefusal, type VendorClient } from './vendor-client.ts';
import { segment, segments } from './vendor-path.ts';

type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: string };
type Server = { url: string; seen: Seen[] };

/** A vendor that answers as the test says, in turn; the last answer stays. */
async function vendor(t: TestContext, ...answers: ((res: ServerResponse, r: Seen) => void)[]): Promise<Server> {
  const seen: Seen[] = [];
  const server = await listen((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (d: Buffer) => parts.push(d));
    req.on('end', () => {
      const r = {
        method: req.method ?? '',
        url: req.url ?? '',
        headers: req.headers,
        body: Buffer.concat(parts).toString(),
      };
      seen.push(r);
      (answers[seen.length - 1] ?? answers.at(-1)!)(res, r);
    });
  });
  t.after(() => server.close());
  return { url: server.url, seen };
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (res: ServerResponse): void => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
const ok = json(200, { ok: true });

type Opened = { token: string; facts?: Record<string, string> };
async function client(
  t: TestContext,
  at: Server,
  o: {
    tokens?: Opened[];
    manifest?: Partial<Manifest>;
    others?: Record<string, string>;
    ms?: number;
    signal?: AbortSignal;
  } = {},
): Promise<{ vendor: VendorClient; asked: { refused: string | undefined; narrow: unknown }[] }> {
  const egress = makeEgress({ log: makeLog('silent') });
  t.after(() => egress.close());
  const asked: { refused: string | undefined; narrow: unknown }[] = [];
  const tokens = o.tokens ?? [{ token: 'tok-1' }, { token: 'tok-2' }];
  const origins = originsOf(
    { origins: { api: 'https://api.vendor.example', ...o.others } },
    {},
    { api: at.url, ...o.others },
  );
  const began = Date.now();
  return {
    asked,
    vendor: await vendorClient({
      manifest: { name: 'Vendor', ...o.manifest },
      settings: {},
      origins,
      rules: { allowPrivate: [...new Set(Object.values(origins).map((u) => new URL(u).host))] },
      egress,
      unlock: (refused, narrow) => {
        asked.push({ refused: refused?.reveal(), narrow });
        const next = tokens[Math.min(asked.length, tokens.length) - 1]!;
        return Promise.resolve({ token: new Secret(next.token), scopes: ['a'], facts: next.facts ?? {} });
      },
      signal: o.signal ?? new AbortController().signal,
      now: () => new Date(),
      deadline: new Date(began + (o.ms ?? 60_000)),
    }),
  };
}
const refusal = async (p: Promise<unknown>): Promise<VendorRefusal> => {
  const e: unknown = await p.then(
    () => assert.fail('nothing was refused'),
    (x: unknown) => x,
  );
  assert.ok(e instanceof VendorRefusal, String(e));
  return e;
};

test('a request carries the credential, the query and the body that the tool gave, and nothing else of ours', async (t) => {
  const at = await vendor(t, ok);
  const { vendor: v } = await client(t, at);
  const a = await v.send({
    method: 'POST',
    path: '/v1/x',
    query: { q: 'a b&c', tag: ['1', '2'], no: undefined },
    json: { a: 1 },
  });
  assert.deepEqual(a.json(), { ok: true });
  const [r] = at.seen;
  assert.equal(r!.url, '/v1/x?q=a+b%26c&tag=1&tag=2');
  assert.equal(r!.headers.authorization, 'Bearer tok-1');
  assert.equal(r!.body, '{"a":1}');
  assert.match(r!.headers['content-type']!, /^application\/json/);
  await assert.rejects(v.send({ method: 'GET', path: '/', headers: { Authorization: 'Bearer mine' } }), /cannot set/);
});

test('a refused credential is renewed once and the request sent again, a write too', async (t) => {
  const at = await vendor(t, json(401, { error: 'expired' }), ok);
  const { vendor: v, asked } = await client(t, at);
  await v.send({ method: 'POST', path: '/w', json: {} });
  assert.deepEqual(
    at.seen.map((r) => r.headers.authorization),
    ['Bearer tok-1', 'Bearer tok-2'],
  );
  assert.deepEqual(
    asked.map((a) => a.refused),
    [undefined, 'tok-1'],
  );
});

test('a credential that stays refused is asked for once more only, and the words have nothing of it', async (t) => {
  const at = await vendor(t, (res, r) => json(401, { message: `no ${r.headers.authorization}` })(res));
  const { vendor: v } = await client(t, at);
  const e = await refusal(v.send({ method: 'GET', path: '/' }));
  assert.equal(at.seen.length, 2);
  assert.equal(e.status, 401);
  assert.equal(e.says, 'Vendor does not accept the credential (no Bearer [credential])');
});

test('a vendor that refuses every new token is asked with two of them', async (t) => {
  const at = await vendor(t, json(401, {}));
  const { vendor: v } = await client(t, at, { tokens: [{ token: 'a' }, { token: 'b' }, { token: 'c' }] });
  await refusal(v.send({ method: 'GET', path: '/' }));
  assert.equal(at.seen.length, 2);
});

test('a token that cannot be another one is not sent twice', async (t) => {
  const at = await vendor(t, json(401, {}));
  const { vendor: v } = await client(t, at, { tokens: [{ token: 'static' }] });
  await refusal(v.send({ method: 'GET', path: '/' }));
  assert.equal(at.seen.length, 1);
});

test('two requests at once whose credential has ended renew it once', async (t) => {
  const at = await vendor(t, (res, r) => (r.headers.authorization === 'Bearer tok-1' ? json(401, {}) : ok)(res));
  const { vendor: v, asked } = await client(t, at);
  await Promise.all([v.send({ method: 'GET', path: '/a' }), v.send({ method: 'GET', path: '/b' })]);
  assert.ok(asked.filter((a) => a.refused === 'tok-1').length <= 2);
  assert.equal(
    asked.some((a) => a.refused === 'tok-2'),
    false,
  );
});

test('429 is waited for, of a write too, because nothing was done', async (t) => {
  const at = await vendor(t, json(429, {}, { 'retry-after': '0' }), ok);
  const { vendor: v } = await client(t, at);
  assert.equal((await v.send({ method: 'POST', path: '/w', json: {} })).status, 200);
  assert.equal(at.seen.length, 2);
});

test('503 with Retry-After is waited for where asking again changes nothing, and not for a write', async (t) => {
  const at = await vendor(t, json(503, {}, { 'retry-after': '0' }), ok, json(503, {}, { 'retry-after': '0' }));
  const { vendor: v } = await client(t, at);
  assert.equal((await v.send({ method: 'GET', path: '/r' })).status, 200);
  assert.equal((await refusal(v.send({ method: 'POST', path: '/w', json: {} }))).status, 503);
  assert.equal(at.seen.length, 3);
});

test('a vendor that asks for more time than the call has is not waited for, and the words say how long', async (t) => {
  const at = await vendor(t, json(429, {}, { 'retry-after': '3600' }));
  const { vendor: v } = await client(t, at);
  const e = await refusal(v.send({ method: 'GET', path: '/' }));
  assert.equal(e.says, 'Vendor has had too many requests; it asks to wait 3600 seconds');
  assert.equal(at.seen.length, 1);
});

test('a vendor that always asks to wait is asked four times', async (t) => {
  const at = await vendor(t, json(429, {}, { 'retry-after': '0' }));
  const { vendor: v } = await client(t, at);
  await refusal(v.send({ method: 'GET', path: '/' }));
  assert.equal(at.seen.length, 4);
});

test('a manifest says what the vendor means where the status does not', async (t) => {
  const at = await vendor(
    t,
    json(200, { ok: false, error: 'token_expired' }),
    json(403, { slow: 0 }),
    json(200, { ok: false, error: 'channel_not_found' }),
  );
  const { vendor: v, asked } = await client(t, at, {
    manifest: {
      errorsInAnswers: ['api'],
      readError: ({ status, body }) => {
        const b = body as { ok?: boolean; error?: string; slow?: number };
        if (b.slow !== undefined) return { means: 'throttled', afterSeconds: b.slow };
        if (status < 300 && b.ok !== false) return undefined;
        return { code: b.error, ...(b.error === 'token_expired' ? { means: 'credential' as const } : {}) };
      },
    },
  });
  const e = await refusal(v.send({ method: 'POST', path: '/w', json: {} }));
  assert.equal(e.code, 'channel_not_found');
  assert.equal(e.says, 'Vendor refuses that (channel_not_found)');
  assert.equal(asked.length, 2);
  assert.equal(at.seen.length, 3);
});

test('a status that the tool takes is an answer', async (t) => {
  const at = await vendor(t, json(404, { gone: true }));
  const { vendor: v } = await client(t, at);
  assert.deepEqual((await v.send({ method: 'GET', path: '/', takes: [404] })).json(), { gone: true });
  const e = await refusal(v.send({ method: 'GET', path: '/' }));
  assert.equal(e.says, 'Vendor has nothing there that this account may see');
});

test('an address that the vendor gives is followed under the connector’s origins and nowhere else', async (t) => {
  const at = await vendor(t, ok);
  const other = await vendor(t, ok);
  const { vendor: v } = await client(t, at);
  await v.send({ method: 'GET', path: `${at.url}/next?cursor=1` });
  assert.equal(at.seen[0]!.url, '/next?cursor=1');
  for (const path of [`${other.url}/next`, at.url.replace('http://', 'http://user@'), 'nonsense'])
    assert.equal((await refusal(v.send({ method: 'GET', path }))).code, 'foreign_address', path);
  assert.equal(other.seen.length, 0);
});

test('a redirect is not followed', async (t) => {
  const other = await vendor(t, ok);
  const at = await vendor(t, json(302, {}, { location: `${other.url}/` }));
  const { vendor: v } = await client(t, at, { others: { files: other.url } });
  assert.equal((await refusal(v.send({ method: 'GET', path: '/' }))).status, 302);
  assert.equal(other.seen.length, 0);
});

test('a download is followed once and without the credential', async (t) => {
  const other = await vendor(
    t,
    (res) => res.writeHead(200, { 'content-type': 'application/pdf' }).end('PDF'),
    json(302, {}, { location: '/again' }),
  );
  const at = await vendor(t, json(302, {}, { location: `${other.url}/blob?sig=1` }));
  const { vendor: v } = await client(t, at, { others: { files: other.url } });
  const a = await v.send({ method: 'GET', path: '/content', followDownload: true });
  assert.equal(a.bytes.toString(), 'PDF');
  assert.equal(other.seen[0]!.url, '/blob?sig=1');
  assert.equal(other.seen[0]!.headers.authorization, undefined);
  assert.equal((await refusal(v.send({ method: 'GET', path: '/content', followDownload: true }))).status, 302);
});

test('a download inside the network is not fetched because a vendor says so', async (t) => {
  const inside = await vendor(t, ok);
  const at = await vendor(t, json(302, {}, { location: `${inside.url}/` }));
  const { vendor: v } = await client(t, at);
  await assert.rejects(
    v.send({ method: 'GET', path: '/', followDownload: true }),
    (e) => e instanceof Problem && e.code.startsWith('egress/'),
  );
  assert.equal(inside.seen.length, 0);
});

test('a download at something that is no address is refused in words that do not repeat it', async (t) => {
  const at = await vendor(t, json(302, {}, { location: 'https://[files/blob?sig=permission' }));
  const { vendor: v } = await client(t, at);
  const e = await refusal(v.send({ method: 'GET', path: '/content', followDownload: true }));
  assert.deepEqual([e.status, e.code], [302, 'foreign_address']);
  assert.doesNotMatch(inspect(e), /permission/);
});

test('a fact that is an address is believed if it is the connector’s or a host that the manifest names', async (t) => {
  const at = await vendor(t, ok);
  const mine = await client(t, at, { tokens: [{ token: 't', facts: { base: `${at.url}/na1` } }] });
  await mine.vendor.send({ method: 'GET', path: '/x', at: 'fact:base' });
  assert.equal(at.seen[0]!.url, '/na1/x');
  const theirs = await client(t, at, {
    tokens: [{ token: 't', facts: { base: 'https://vendor.example.evil.test' } }],
    manifest: { factHosts: { base: ['.vendor.example'] } },
  });
  assert.equal(
    (await refusal(theirs.vendor.send({ method: 'GET', path: '/x', at: 'fact:base' }))).code,
    'foreign_address',
  );
});

test('an answer above what is taken ends with that, and a write is said to be done', async (t) => {
  const at = await vendor(t, json(200, { text: 'x'.repeat(2000) }));
  const { vendor: v } = await client(t, at);
  assert.equal((await refusal(v.send({ method: 'GET', path: '/', maxBytes: 1000 }))).code, 'too_large');
  assert.match(
    (await refusal(v.send({ method: 'POST', path: '/', json: {}, maxBytes: 1000 }))).says,
    /done all the same/,
  );
});

test('a write whose answer never came is said to have an unknown outcome; a read is a failure like any', async (t) => {
  const at = await vendor(t, (res) => res.destroy());
  const { vendor: v } = await client(t, at);
  assert.equal((await refusal(v.send({ method: 'POST', path: '/', json: {} }))).code, 'outcome_unknown');
  assert.equal(at.seen.length, 1);
  await assert.rejects(
    v.send({ method: 'GET', path: '/' }),
    (e) => e instanceof Problem && e.code.startsWith('egress/'),
  );
});

test('an answer in JSON that means two things is refused', async (t) => {
  const at = await vendor(t, (res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{"a":1,"a":2}'));
  const { vendor: v } = await client(t, at);
  const a = await v.send({ method: 'GET', path: '/' });
  assert.throws(
    () => a.json(),
    (e) => e instanceof VendorRefusal && e.code === 'not_json',
  );
});

test('credentials that a vendor sends along are not shown to tools', async (t) => {
  const at = await vendor(t, json(200, {}, { 'set-cookie': 's=1', 'x-csrf-token': 'c', 'x-ratelimit-remaining': '5' }));
  const { vendor: v } = await client(t, at);
  const { headers } = await v.send({ method: 'GET', path: '/' });
  assert.deepEqual(
    [headers.get('set-cookie'), headers.get('x-csrf-token'), headers.get('x-ratelimit-remaining')],
    [null, null, '5'],
  );
});

test('a narrowed client asks for its own credential and keeps what is known meanwhile', async (t) => {
  const at = await vendor(t, ok);
  const { vendor: v, asked } = await client(t, at, {
    tokens: [{ token: 'wide', facts: { f: '1' } }, { token: 'narrow' }],
  });
  const less = v.narrowed({ repositories: ['a'] });
  assert.equal(less.facts['f'], '1');
  await less.send({ method: 'GET', path: '/' });
  assert.deepEqual(asked[1], { refused: undefined, narrow: { repositories: ['a'] } });
  assert.equal(at.seen[0]!.headers.authorization, 'Bearer narrow');
});

test('who leaves ends a wait and a request', async (t) => {
  const end = new AbortController();
  const at = await vendor(t, json(429, {}, { 'retry-after': '30' }));
  const { vendor: v } = await client(t, at, { signal: end.signal });
  const p = v.send({ method: 'GET', path: '/' });
  while (at.seen.length === 0) await new Promise((r) => setTimeout(r, 5));
  end.abort(new Error('the client left'));
  await assert.rejects(p, /the client left/);
});

const bad = ['', '.', '..', 'a\u0000b', 'a\nb', '\ud800'];
for (const value of bad)
  test(`${JSON.stringify(value)} is no segment of a path`, () => {
    assert.throws(
      () => segment(value),
      (e) => e instanceof Problem && e.code === 'connectors/path-segment',
    );
  });

test('a segment stays one, whatever is in it', async (t) => {
  assert.equal(segment('../x'), '..%2Fx');
  assert.equal(segments('/src/a b.ts/'), 'src/a%20b.ts');
  assert.throws(
    () => segments('src/../.env'),
    (e) => e instanceof Problem && e.code === 'connectors/path-segment',
  );
  const at = await vendor(t, ok);
  const { vendor: v } = await client(t, at);
  for (const path of ['//evil.example/', '/a/../b', '/a?b=c', '/a#b', '/a\\b', '/%2e%2e/b'])
    await assert.rejects(
      v.send({ method: 'GET', path }),
      (e) => e instanceof Error && !(e instanceof VendorRefusal),
      path,
    );
  assert.equal(at.seen.length, 0);
});
