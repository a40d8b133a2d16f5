// The load generator of bench/gateway.ts, in a process of its own: keeps N connections busy with one request each and measures every answer.
// It writes and reads sockets itself, because an HTTP client library would take more of the shared processor than what is measured.
import { connect } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    token: { type: 'string' },
    body: { type: 'string' },
    connections: { type: 'string' },
    seconds: { type: 'string' },
  },
});
const url = new URL(values.url ?? '');
const body = values.body ?? '';
const request = Buffer.from(
  [
    `POST ${url.pathname} HTTP/1.1`,
    `Host: ${url.host}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Method: tools/call',
    'Mcp-Name: echo',
    ...(values.token ? [`Authorization: Bearer ${values.token}`] : []),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n'),
);

const seconds = Number(values.seconds);
const warm = performance.now() + 1000;
const until = warm + seconds * 1000;
const times: number[] = [];
let wrong: string | undefined;

function complete(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1];
  return length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= head + 4 + Number(length);
}

await Promise.all(
  Array.from(
    { length: Number(values.connections) },
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(Number(url.port), url.hostname).setNoDelay(true);
        let began = 0;
        let text = '';
        const send = (): void => {
          text = '';
          began = performance.now();
          socket.write(request);
        };
        socket.on('connect', send).on('error', reject);
        socket.on('close', () =>
          performance.now() < until ? reject(new Error('the server closed the connection')) : resolve(),
        );
        socket.on('data', (chunk) => {
          text += chunk.toString('latin1');
          if (!complete(text)) return;
          const now = performance.now();
          if (!/^HTTP\/1.1 200/.test(text) || !text.includes('"result"') || text.includes('"isError":true'))
            wrong ??= text;
          if (now > warm && now <= until) times.push(now - began);
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
console.log(JSON.stringify({ rate: times.length / seconds, p50: at(0.5), p99: at(0.99) }));
