// The load generator of bench/gateway.ts, in a process of its own: keeps N connections busy with one request each and measures every answer.
// It writes and reads sockets itself, because an HTTP client library would take more of the shared processor than what is measured.
import { connect } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    headers: { type: 'string', default: '{}' },
    body: { type: 'string' },
    expect: { type: 'string', default: '"result"' },
    connections: { type: 'string' },
    seconds: { type: 'string' },
  },
});
const url = new URL(values.url ?? '');
const body = values.body ?? '';
const headers = {
  'Content-Type': 'application/json',
  Accept: 'application/json, text/event-stream',
  ...(JSON.parse(values.headers) as Record<string, string>),
};
const request = Buffer.from(
  [
    `POST ${url.pathname} HTTP/1.1`,
    `Host: ${url.host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n'),
);

const seconds = Number(values.seconds);
const warm = performance.now() + 1000;
const until = warm + seconds * 1000;
const times: number[] = [];
let bytes = 0;
let wrong: string | undefined;

/** What of one answer has come. The whole of it is kept only for the first of each connection, which is looked at. */
type Answer = { head: string; at: number; length: number; tail: string; whole: string | undefined };

await Promise.all(
  Array.from(
    { length: Number(values.connections) },
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(Number(url.port), url.hostname).setNoDelay(true);
        let began = 0;
        let first = true;
        let a: Answer;
        const send = (): void => {
          a = { head: '', at: -1, length: -1, tail: '', whole: first ? '' : undefined };
          began = performance.now();
          socket.write(request);
        };
        socket.on('connect', send).on('error', reject);
        socket.on('close', () =>
          performance.now() < until ? reject(new Error('the server closed the connection')) : resolve(),
        );
        socket.on('data', (chunk) => {
          if (a.whole !== undefined) a.whole += chunk.toString('latin1');
          let rest = chunk;
          if (a.at < 0) {
            a.head += chunk.toString('latin1');
            const end = a.head.indexOf('\r\n\r\n');
            if (end < 0) return;
            rest = chunk.subarray(chunk.length - (a.head.length - end - 4));
            a.head = a.head.slice(0, end);
            a.at = 0;
            a.length = Number(/\r\ncontent-length: *(\d+)/i.exec(a.head)?.[1] ?? -1);
          }
          a.at += rest.length;
          if (a.length < 0) a.tail = (a.tail + rest.toString('latin1')).slice(-5);
          if (a.length < 0 ? a.tail !== '0\r\n\r\n' : a.at < a.length) return;
          const now = performance.now();
          const good =
            a.head.startsWith('HTTP/1.1 200') &&
            (a.whole === undefined || (a.whole.includes(values.expect) && !a.whole.includes('"isError":true')));
          if (!good) wrong ??= `${a.head}\r\n\r\n${a.whole ?? ''}`;
          first = false;
          if (now > warm && now <= until) {
            times.push(now - began);
            bytes += a.at;
          }
          if (now > until || wrong !== undefined) {
            socket.destroy();
            resolve();
          } else send();
        });
      }),
  ),
);
if (wrong !== undefined) {
  console.error(`not an answer to the call:\n${wrong.slice(0, 2000)}`);
  process.exit(1);
}
times.sort((a, b) => a - b);
const at = (q: number): number => times[Math.floor(times.length * q)] ?? NaN;
console.log(JSON.stringify({ rate: times.length / seconds, p50: at(0.5), p99: at(0.99), mbs: bytes / seconds / 1e6 }));
