import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { after, afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, createGzip, gzipSync } from 'node:zlib';
import { Readable } from 'node:stream';
import { makeEgress, type Egress, type EgressOptions, type EgressRules } from './egress.ts';
import { asEgressProblem } from './egress-fetch.ts';
import { KiB, MiB } from './limits.ts';
import { silentLog } from './log.ts';
import { Problem } from './problem.ts';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});
const watchdog = setInterval(() => undefined, 1000);
after(() => clearInterval(watchdog));

const egress = (over: Partial<EgressOptions> = {}): Egress => {
  const e = makeEgress({ log: silentLog, ...over });
  open.push(() => e.close());
  return e;
};

async function serve(
  listener: RequestListener,
  host = '127.0.0.1',
  port = 0,
): Promise<{ server: Server; port: number; connections: () => number }> {
  let count = 0;
  const server = createServer(listener);
  server.on('connection', () => count++);
  server.listen(port, host);
  await once(server, 'listening');
  open.push(async () => {
    server.closeAllConnections();
    await new Promise((r) => server.close(r));
  });
  return { server, port: (server.address() as AddressInfo).port, connections: () => count };
}

const code = (c: string) => (e: unknown) => e instanceof Problem && e.code === c;
const named: EgressRules = { allowPrivate: ['127.0.0.1'] };

test('a host that the configuration names is reached on its private address, by http', async () => {
  const s = await serve((q, r) => void r.setHeader('x-lamp', 'on').end(`${q.method} ${q.url}`));
  const r = await egress().fetch(`http://127.0.0.1:${s.port}/a?b=1`, { method: 'DELETE' }, named);
  assert.equal(r.status, 200);
  assert.equal(r.headers.get('x-lamp'), 'on');
  assert.equal(await r.text(), 'DELETE /a?b=1');
  assert.equal(r.url, `http://127.0.0.1:${s.port}/a?b=1`);
});

test('a body that is sent arrives with its length, and a form with its type', async () => {
  const s = await serve((q, r) => {
    const chunks: Buffer[] = [];
    q.on('data', (c: Buffer) => chunks.push(c));
    q.on('end', () =>
      r.end(JSON.stringify([q.headers['content-length'], q.headers['content-type'], Buffer.concat(chunks).toString()])),
    );
  });
  const body = new URLSearchParams({ grant_type: 'refresh_token' });
  const r = await egress().fetch(`http://127.0.0.1:${s.port}/`, { method: 'POST', body }, named);
  assert.deepEqual(await r.json(), [
    '24',
    'application/x-www-form-urlencoded;charset=UTF-8',
    'grant_type=refresh_token',
  ]);
});

for (const host of [
  '127.0.0.1',
  '0x7f.1',
  '2130706433',
  '017700000001',
  '127.1',
  '[::1]',
  '[::ffff:10.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::a00:1]',
  '[fd00::1]',
  '10.0.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '１２７.０.０.１',
])
  test(`https://${host}/ is a private address that nothing allows`, async () => {
    await assert.rejects(egress().fetch(`https://${host}/`, undefined), code('egress/private-address'));
  });

for (const host of ['169.254.169.254', '[fe80::1]', '0.0.0.0', '[::]', '224.0.0.1', '192.0.2.1', '[fd00:ec2::254]'])
  test(`${host} is refused even when the configuration names it`, async () => {
    const rules = { allowPrivate: [host] };
    await assert.rejects(
      egress().fetch(`http://${host}/latest/meta-data/`, undefined, rules),
      code('egress/forbidden-address'),
    );
  });

test('a public name that resolves to a private address is refused, and the address is told to the log only', async () => {
  const e = egress({ lookup: async () => ['10.1.2.3'] });
  await assert.rejects(e.fetch('https://localtest.example/', undefined), (p: Problem) => {
    assert.equal(p.code, 'egress/private-address');
    assert.equal(p.says.includes('10.1.2.3') || String(p.fix).includes('10.1.2.3'), false);
    assert.equal(p.cause, '10.1.2.3');
    return true;
  });
});

test('a name with one public and one private address is refused', async () => {
  const e = egress({ lookup: async () => ['93.184.216.34', '127.0.0.1'] });
  await assert.rejects(e.fetch('https://mixed.example/', undefined), code('egress/private-address'));
});

test('localhost in its own name is refused', async () => {
  await assert.rejects(egress().fetch('https://localhost/', undefined), code('egress/private-address'));
});

test('a name without addresses, and a resolver that fails, say that the name has no address', async () => {
  await assert.rejects(
    egress({ lookup: async () => [] }).fetch('https://a.example/', undefined),
    code('egress/no-address'),
  );
  const failing = egress({ lookup: () => Promise.reject(new Error('SERVFAIL')) });
  await assert.rejects(failing.fetch('https://a.example/', undefined), code('egress/no-address'));
});

test('a resolver that answers the second time with a private address is not asked a second time', async () => {
  const victim = await serve((_q, r) => void r.end('inside'));
  let asked = 0;
  const e = egress({ lookup: async () => (asked++ === 0 ? ['127.0.0.2'] : ['127.0.0.1']) });
  const host = `rebind.example:${victim.port}`;
  // The name may be private here, so that the connection is really made: to the first answer, where nobody listens.
  await assert.rejects(e.fetch(`http://${host}/`, undefined, { allowPrivate: [host] }), code('egress/unreachable'));
  assert.equal(asked, 1);
  assert.equal(victim.connections(), 0);
});

test('a host named with a port is not allowed on another port', async () => {
  const s = await serve((_q, r) => void r.end('ok'));
  const e = egress();
  const rules = { allowPrivate: [`127.0.0.1:${s.port}`] };
  assert.equal((await e.fetch(`http://127.0.0.1:${s.port}/`, undefined, rules)).status, 200);
  await assert.rejects(e.fetch(`https://127.0.0.1:${s.port + 1}/`, undefined, rules), code('egress/private-address'));
});

test('an IPv6 host is named with brackets and port, and its last group is not taken for a port', async () => {
  const e = egress();
  await assert.rejects(e.fetch('http://[::1]:9/', undefined, { allowPrivate: ['::1:9'] }), code('egress/plain-http'));
  await assert.rejects(
    e.fetch('http://[::1]:9/', undefined, { allowPrivate: ['[::1]:9'] }),
    code('egress/unreachable'),
  );
});

test('a name is the same in capitals and with the dot of the root', async () => {
  const s = await serve((_q, r) => void r.end('ok'));
  const e = egress({ lookup: async () => ['127.0.0.1'] });
  const r = await e.fetch(`http://CRM.internal.:${s.port}/`, undefined, { allowPrivate: ['crm.Internal'] });
  assert.equal(await r.text(), 'ok');
});

for (const [url, refusal] of [
  ['ftp://files.example/', 'egress/scheme'],
  ['file:///etc/passwd', 'egress/scheme'],
  ['javascript:alert(1)', 'egress/scheme'],
  ['data:text/plain,hi', 'egress/scheme'],
  ['https://user:secret@vendor.example/', 'egress/userinfo'],
  ['https://user@vendor.example/', 'egress/userinfo'],
  ['http://vendor.example/', 'egress/plain-http'],
  ['//vendor.example/', 'egress/url'],
  ['https://', 'egress/url'],
] as const)
  test(`${url} is refused with ${refusal}, before anything is looked up`, async () => {
    const e = egress({ lookup: () => assert.fail('looked up') });
    await assert.rejects(e.fetch(url, undefined), code(refusal));
  });

test('a redirect is handed back and not followed, so a credential never leaves with it', async () => {
  const other = await serve((_q, r) => void r.end('elsewhere'));
  const s = await serve((_q, r) => void r.writeHead(302, { location: `http://127.0.0.1:${other.port}/` }).end());
  const init = { headers: { authorization: 'Bearer lamp' } };
  const r = await egress().fetch(`http://127.0.0.1:${s.port}/`, init, named);
  assert.equal(r.status, 302);
  assert.equal(r.headers.get('location'), `http://127.0.0.1:${other.port}/`);
  assert.equal(other.connections(), 0);
  await r.body?.cancel();
});

test('a caller that cannot bear redirects gets a refusal', async () => {
  const s = await serve((_q, r) => void r.writeHead(307, { location: '/x' }).end());
  const asked = egress().fetch(`http://127.0.0.1:${s.port}/`, { redirect: 'error' }, named);
  await assert.rejects(asked, code('egress/redirect'));
});

test('an answer that declares too many bytes is refused before its body is read', async () => {
  const s = await serve((_q, r) => void r.writeHead(200, { 'content-length': String(2 * MiB) }).write('x'));
  const asked = egress().fetch(`http://127.0.0.1:${s.port}/`, undefined, { ...named, maxBytes: MiB });
  await assert.rejects(asked, code('egress/too-large'));
});

test('an answer that never ends is cut at the cap, and the far end sees the connection close', async () => {
  let closed = false;
  const s = await serve((_q, r) => {
    Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(64 * KiB);
      })(),
    ).pipe(r);
    r.on('close', () => (closed = true));
  });
  const r = await egress().fetch(`http://127.0.0.1:${s.port}/`, undefined, { ...named, maxBytes: MiB });
  await assert.rejects(
    r.arrayBuffer(),
    (e: TypeError | Problem) => code('egress/too-large')(e) || code('egress/too-large')(e.cause),
  );
  await sleep(50);
  assert.equal(closed, true);
});

for (const [name, pack] of [
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
] as const) {
  test(`an answer packed as ${name} arrives unpacked and without the length of the packed one`, async () => {
    const s = await serve((_q, r) => void r.writeHead(200, { 'content-encoding': name }).end(pack('a lamp')));
    const r = await egress().fetch(`http://127.0.0.1:${s.port}/`, undefined, named);
    assert.equal(await r.text(), 'a lamp');
    assert.equal(r.headers.get('content-encoding'), null);
  });
  test(`a ${name} bomb is cut at the cap and does not fill the memory`, async () => {
    const bomb = pack(Buffer.alloc(200 * MiB));
    const s = await serve((_q, r) => void r.writeHead(200, { 'content-encoding': name }).end(bomb));
    const before = process.memoryUsage().rss;
    const r = await egress().fetch(`http://127.0.0.1:${s.port}/`, undefined, { ...named, maxBytes: MiB });
    await assert.rejects(r.arrayBuffer(), code('egress/too-large'));
    assert.ok(process.memoryUsage().rss - before < 60 * MiB);
  });
}

test('packed bytes count too: an endless stream that unpacks to nothing is cut', async () => {
  const empty = gzipSync('');
  const s = await serve((_q, r) => {
    r.writeHead(200, { 'content-encoding': 'gzip' });
    Readable.from(
      (function* () {
        for (;;) yield Buffer.concat(Array.from({ length: 1000 }, () => empty));
      })(),
    ).pipe(r);
  });
  const r = await egress().fetch(`http://127.0.0.1:${s.port}/`, undefined, { ...named, maxBytes: 256 * KiB });
  await assert.rejects(r.arrayBuffer(), code('egress/too-large'));
});

test('a packing that was not asked for is refused', async () => {
  const s = await serve((_q, r) => void r.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end('x'));
  await assert.rejects(egress().fetch(`http://127.0.0.1:${s.port}/`, undefined, named), code('egress/broken-answer'));
});

test('an answer that is cut in the middle of its packing fails instead of looking complete', async () => {
  const s = await serve(
    (_q, r) => void r.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('lamp'.repeat(999)).subarray(0, 30)),
  );
  const r = await egress().fetch(`http://127.0.0.1:${s.port}/`, undefined, named);
  await assert.rejects(r.text(), code('egress/broken-answer'));
});

test('a server that never answers is left after the time that the caller gave', async () => {
  const s = await serve(() => undefined);
  const started = Date.now();
  const asked = egress().fetch(`http://127.0.0.1:${s.port}/`, undefined, { ...named, timeoutMs: 150 });
  await assert.rejects(asked, code('egress/timeout'));
  assert.ok(Date.now() - started < 1000);
});

test('a server that drips its headers is left in time', async () => {
  const tcp = createTcpServer((c) => {
    c.on('error', () => undefined).write('HTTP/1.1 200 OK\r\n');
    const drip = setInterval(() => c.write('x-a: b\r\n'), 20);
    c.on('close', () => clearInterval(drip));
  }).listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  open.push(() => new Promise((r) => tcp.close(r)));
  const { port } = tcp.address() as AddressInfo;
  const asked = egress().fetch(`http://127.0.0.1:${port}/`, undefined, { ...named, timeoutMs: 200 });
  await assert.rejects(asked, code('egress/timeout'));
});

test('a server that drips its body is left in time: the clock covers the whole answer', async () => {
  const s = await serve((_q, r) => {
    const drip = setInterval(() => r.write('.'), 20);
    r.on('close', () => clearInterval(drip));
  });
  const started = Date.now();
  const r = await egress().fetch(`http://127.0.0.1:${s.port}/`, undefined, { ...named, timeoutMs: 200 });
  await assert.rejects(r.text(), code('egress/timeout'));
  assert.ok(Date.now() - started < 1000);
});

test('a caller that gives up gets its own reason back, and the connection closes', async () => {
  let closed = false;
  const s = await serve((q) => void q.on('close', () => (closed = true)));
  const signal = AbortSignal.timeout(100);
  await assert.rejects(egress().fetch(`http://127.0.0.1:${s.port}/`, { signal }, named), { name: 'TimeoutError' });
  await sleep(50);
  assert.equal(closed, true);
});

test('a stream of events arrives piece by piece, while it is still being written', async () => {
  const s = await serve((_q, r) => {
    r.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    setTimeout(() => r.end('data: 2\n\n'), 150);
  });
  const r = await egress().fetch(`http://127.0.0.1:${s.port}/`, undefined, named);
  const reader = r.body!.getReader();
  const first = await reader.read();
  assert.equal(Buffer.from(first.value ?? []).toString(), 'data: 1\n\n');
  const second = await reader.read();
  assert.equal(Buffer.from(second.value ?? []).toString(), 'data: 2\n\n');
});

test('answers without a body have none, whatever the server declares', async () => {
  const s = await serve((_q, r) => void r.writeHead(204).end());
  const e = egress();
  assert.equal((await e.fetch(`http://127.0.0.1:${s.port}/`, undefined, named)).body, null);
  const head = await e.fetch(`http://127.0.0.1:${s.port}/`, { method: 'HEAD' }, { ...named, maxBytes: 1 });
  assert.equal(head.body, null);
});

test('a connection is used again under the same rules, and never under others', async () => {
  const s = await serve((_q, r) => void r.end('ok'));
  const e = egress({ lookup: async () => ['127.0.0.1'] });
  const url = `http://crm.internal:${s.port}/`;
  const rules = { allowPrivate: ['crm.internal'] };
  for (let i = 0; i < 3; i++) {
    await (await e.fetch(url, undefined, rules)).text();
    await sleep(10); // until the pool has it back
  }
  assert.equal(s.connections(), 1);
  await (await e.fetch(url, undefined, { allowPrivate: ['crm.internal', 'wiki.internal'] })).text();
  assert.equal(s.connections(), 2);
  await assert.rejects(e.fetch(url.replace('http:', 'https:'), undefined), code('egress/private-address'));
  assert.equal(s.connections(), 2);
});

test('the dispatcher of the hot path checks like fetch does', async () => {
  const s = await serve((_q, r) => void r.end('ok'));
  const e = egress();
  const ask = (rules?: EgressRules, origin = `http://127.0.0.1:${s.port}`) =>
    e.dispatcher(rules).request({ origin, path: '/', method: 'GET' });
  assert.equal(await (await ask(named)).body.text(), 'ok');
  await assert.rejects(ask(), code('egress/plain-http'));
  await assert.rejects(ask({}, 'https://127.0.0.1:1'), code('egress/private-address'));
  await assert.rejects(
    ask({ allowPrivate: ['169.254.169.254'] }, 'http://169.254.169.254'),
    code('egress/forbidden-address'),
  );
  assert.equal(e.dispatcher(named), e.dispatcher({ allowPrivate: ['127.0.0.1'] }));
});

test('what the dispatcher fails with can be said in the words of a Problem', async () => {
  const e = egress();
  const closedPort = await serve(() => undefined).then(async (s) => {
    await new Promise((r) => s.server.close(r));
    return s.port;
  });
  const host = `127.0.0.1:${closedPort}`;
  const failed = await e
    .dispatcher(named)
    .request({ origin: `http://${host}`, path: '/', method: 'GET' })
    .catch((x: unknown) => x);
  assert.ok(code('egress/unreachable')(asEgressProblem(failed, host)));
  assert.ok(
    code('egress/certificate')(
      asEgressProblem(Object.assign(new Error('x'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), host),
    ),
  );
  assert.ok(
    code('egress/certificate')(
      asEgressProblem(Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), host),
    ),
  );
});

test('after close nothing is open any more', async () => {
  const s = await serve((_q, r) => void r.end('ok'));
  const e = makeEgress({ log: silentLog });
  await (await e.fetch(`http://127.0.0.1:${s.port}/`, undefined, named)).text();
  await e.close();
  const count = await new Promise<number>((resolve) => s.server.getConnections((_e, n) => resolve(n)));
  await sleep(20);
  assert.ok(count <= 1);
  const probe = connect(s.port, '127.0.0.1');
  await once(probe, 'connect');
  probe.destroy();
});

test('a stream of packed events arrives piece by piece, too', async () => {
  const s = await serve((_q, r) => {
    r.writeHead(200, { 'content-encoding': 'gzip' });
    const gz = createGzip();
    gz.pipe(r);
    gz.write('one');
    gz.flush();
    setTimeout(() => gz.end('two'), 150);
  });
  const r = await egress().fetch(`http://127.0.0.1:${s.port}/`, undefined, named);
  const reader = r.body!.getReader();
  assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), 'one');
  assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), 'two');
});
