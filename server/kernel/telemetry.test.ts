import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { makeMetrics, span, startTracing } from './telemetry.ts';

test('metrics show what was counted and how the process is', async () => {
  const m = makeMetrics();
  const calls = m.counter('gatehouse_calls_total', 'Tool calls by their ending.', ['ending']);
  calls.inc({ ending: 'denied' }, 2);
  m.gauge('gatehouse_open_streams', 'Streams open now.').set(3);
  m.histogram('gatehouse_call_seconds', 'Time of a call.').observe(0.004);
  const text = await m.text();
  assert.match(text, /gatehouse_calls_total\{ending="denied"\} 2/);
  assert.match(text, /gatehouse_open_streams 3/);
  assert.match(text, /gatehouse_call_seconds_bucket\{le="0.005"\} 1/);
  assert.match(text, /process_resident_memory_bytes \d+/);
  assert.match(m.contentType, /^text\/plain/);
});

test('two sets of metrics in one process do not share figures', async () => {
  const [a, b] = [makeMetrics(), makeMetrics()];
  a.counter('gatehouse_x_total', 'x').inc();
  b.counter('gatehouse_x_total', 'x');
  assert.match(await b.text(), /gatehouse_x_total 0/);
});

test('a metric whose name is not ours, or is taken, is refused', () => {
  const m = makeMetrics();
  assert.throws(() => m.counter('calls', 'x'), /gatehouse_/);
  m.counter('gatehouse_once_total', 'x');
  assert.throws(() => m.counter('gatehouse_once_total', 'x'), /already been registered/);
});

test('without a collector the tracing libraries are not even loaded, and a span only runs its work', async () => {
  const script = `
    import { startTracing, span } from ${JSON.stringify(new URL('telemetry.ts', import.meta.url).href)};
    await startTracing({ endpoint: undefined, version: '1' });
    const got = await span('x', {}, async () => 7);
    const { createRequire } = await import('node:module');
    const loaded = Object.keys(createRequire('/').cache);
    console.log(got, loaded.some((f) => f.includes('prom-client')), loaded.some((f) => /otlp|sdk-trace/.test(f)));`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(out.trim(), '7 true false');
});

test('a collector receives the spans, with the name of the service and the error of a failure but not its text', async () => {
  const bodies: Buffer[] = [];
  const server = createServer((q, r) => {
    q.on('data', (c: Buffer) => bodies.push(c));
    q.on('end', () => r.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const tracing = await startTracing({ endpoint, version: '0.1.0' });
    assert.equal(await span('gateway.call', { connector: 'crm' }, async () => 'done'), 'done');
    const failing = span('gateway.send', {}, () => Promise.reject(new RangeError('secret of Luca')));
    await assert.rejects(failing, /secret of Luca/);
    await tracing.stop();
    const sent = Buffer.concat(bodies).toString('latin1');
    for (const part of ['gateway.call', 'connector', 'crm', 'gateway.send', 'RangeError', 'gatehouse', '0.1.0'])
      assert.ok(sent.includes(part), part);
    assert.equal(sent.includes('secret of Luca'), false);
  } finally {
    await new Promise((r) => server.close(r));
  }
});
