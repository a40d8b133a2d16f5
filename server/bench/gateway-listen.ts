// Opens many listen streams for bench/gateway.ts and keeps them open. Prints how many began, once no more do; ends with its stdin.
import { connect } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    headers: { type: 'string', default: '{}' },
    body: { type: 'string' },
    streams: { type: 'string' },
  },
});
const url = new URL(values.url ?? '');
const body = values.body ?? '';
const request = [
  `POST ${url.pathname} HTTP/1.1`,
  `Host: ${url.host}`,
  'Content-Type: application/json',
  'Accept: application/json, text/event-stream',
  ...Object.entries(JSON.parse(values.headers) as Record<string, string>).map(([name, value]) => `${name}: ${value}`),
  `Content-Length: ${Buffer.byteLength(body)}`,
  '',
  body,
].join('\r\n');

const began = performance.now();
let open = 0;
let why = '';
const one = (): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(Number(url.port), url.hostname);
    let text = '';
    const look = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const begins = text.includes('subscriptions/acknowledged');
      if (begins) open++;
      else if (text.startsWith('HTTP/1.1 200') || !text.includes('\r\n\r\n')) return;
      else why = text.slice(0, 300);
      socket.off('data', look).on('data', () => undefined);
      text = '';
      resolve();
    };
    socket.once('connect', () => void socket.write(request)).on('data', look);
    socket.on('error', (e) => {
      why = String(e);
      resolve();
    });
    socket.on('close', () => resolve());
  });
const wanted = Number(values.streams);
let asked = 0;
await Promise.all(
  Array.from({ length: 64 }, async () => {
    while (asked < wanted && why === '') {
      asked++;
      await one();
    }
  }),
);
console.log(JSON.stringify({ open, why, ms: performance.now() - began }));
process.stdin.once('end', () => process.exit(0)).resume();
