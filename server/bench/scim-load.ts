// The load generator of bench/scim.ts: keeps N connections busy with one request each. It writes and reads sockets itself, because an HTTP
// client library would take more of the shared processor than what is measured.
import { connect } from 'node:net';

export type Sent = { method: string; path: string; body?: unknown };
export type Figures = { rate: number; p50: number; p99: number; statuses: Map<number, number>; done: number };
type Target = { url: string; token?: string; cookie?: string };

/** One request by itself; the body as text. */
export async function ask(t: Target, r: Sent): Promise<{ status: number; text: string; ms: number }> {
  const from = performance.now();
  const res = await fetch(t.url + r.path, {
    method: r.method,
    headers: {
      ...(t.token ? { authorization: `Bearer ${t.token}` } : {}),
      ...(t.cookie ? { cookie: t.cookie } : {}),
      ...(r.body === undefined ? {} : { 'content-type': 'application/scim+json' }),
    },
    ...(r.body === undefined ? {} : { body: JSON.stringify(r.body) }),
  });
  const text = await res.text();
  return { status: res.status, text, ms: performance.now() - from };
}

function bytesOf(t: Target, r: Sent): Buffer {
  const url = new URL(t.url + r.path);
  const body = r.body === undefined ? '' : JSON.stringify(r.body);
  return Buffer.from(
    [
      `${r.method} ${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${url.host}`,
      ...(t.token ? [`Authorization: Bearer ${t.token}`] : []),
      ...(body ? ['Content-Type: application/scim+json', `Content-Length: ${Buffer.byteLength(body)}`] : []),
      '',
      body,
    ].join('\r\n'),
  );
}

/** Whether `text` (latin1) has a whole answer. */
function whole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return false;
  if (text.startsWith('HTTP/1.1 204')) return true;
  const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1];
  return length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= head + 4 + Number(length);
}

/** Sends what `next` gives until it gives nothing more or the time is up. */
export async function load(
  t: Target,
  connections: number,
  next: (i: number) => Sent | undefined,
  seconds = Infinity,
): Promise<Figures> {
  const { hostname, port } = new URL(t.url);
  const times: number[] = [];
  const statuses = new Map<number, number>();
  let i = 0;
  const from = performance.now();
  const until = from + seconds * 1000;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const s = connect(Number(port), hostname);
      s.setNoDelay(true);
      let text = '';
      let at = 0;
      const send = (): void => {
        const r = performance.now() < until ? next(i++) : undefined;
        if (!r) {
          s.end();
          resolve();
          return;
        }
        text = '';
        at = performance.now();
        s.write(bytesOf(t, r));
      };
      s.on('connect', send);
      s.on('data', (d) => {
        text += d.toString('latin1');
        if (!whole(text)) return;
        times.push(performance.now() - at);
        const status = Number(text.slice(9, 12));
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        send();
      });
      s.on('error', reject);
    });
  await Promise.all(Array.from({ length: connections }, one));
  const took = (performance.now() - from) / 1000;
  times.sort((a, b) => a - b);
  const at = (q: number): number => times[Math.min(times.length - 1, Math.floor(times.length * q))] ?? 0;
  return { rate: times.length / took, p50: at(0.5), p99: at(0.99), statuses, done: times.length };
}
