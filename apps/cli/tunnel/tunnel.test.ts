import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { WebSocketServer, type WebSocket } from 'ws';
import { decode, encode, type AnswerHead, type Hello, type Reason } from '@gatehouse/contract/tunnel/frame.ts';
import { Line } from '@gatehouse/contract/tunnel/line.ts';
import { knowing, until } from '@gatehouse/server/dev/tunnel-house.ts';
import { isForbidden } from './forbidden.ts';
import { pauseOf } from './pause.ts';
import { settingsOf } from './tunnel.ts';

/** A real agent, and a server that is in the test's hand: it says what it likes. */
const folder = mkdtempSync(join(tmpdir(), 'agent-'));
const secret = `ght_${'0'.repeat(32)}_${'s'.repeat(43)}`;
const secretFile = join(folder, 'secret');
writeFileSync(secretFile, `${secret}\n`);

type Came = { ws: WebSocket; req: IncomingMessage; hello: Hello };
let front: Server;
let inside: Server;
let url: string;
let behind: string;
let act: (req: IncomingMessage, res: ServerResponse) => void = (_req, res) => void res.end('inside');
const came: Came[] = [];

const listening = async (s: Server): Promise<string> => {
  await new Promise<void>((resolve) => void s.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(s.address() as AddressInfo).port}`;
};
before(async () => {
  front = createServer();
  const sockets = new WebSocketServer({ server: front });
  sockets.on('connection', (ws, req) =>
    ws.once('message', (data) => {
      const first = decode(data as Buffer);
      assert.equal(first.type, 'hello');
      if (first.type === 'hello') came.push({ ws, req, hello: first.hello });
    }),
  );
  inside = createServer((req, res) => act(req, res));
  [url, behind] = await Promise.all([listening(front), listening(inside)]);
});
after(() => {
  for (const s of [front, inside]) {
    s.closeAllConnections();
    s.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

type Agent = {
  text(): string;
  line: Line;
  leavings: Reason[];
  ends: Reason[];
  came: Came;
  stop(): Promise<number | null>;
  term(): void;
};
async function agent(allow: string[], names: Record<string, string> = {}): Promise<Agent> {
  const args = ['tunnel', '--url', url, '--secret-file', secretFile, ...allow.flatMap((a) => ['--allow', a])];
  const cli = new URL('../gatehouse.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [knowing(names), cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const out of [child.stdout, child.stderr]) out.on('data', (c: Buffer) => (text += c.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const n = came.length;
  await until(() => came.length > n, 'the agent comes');
  const ends: Reason[] = [];
  const leavings: Reason[] = [];
  const line = welcomed(came[n]!, ends, leavings);
  return {
    text: () => text,
    line,
    ends,
    leavings,
    came: came[n]!,
    term: () => void child.kill('SIGTERM'),
    async stop() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}
function welcomed({ ws }: Came, ends: Reason[] = [], leavings: Reason[] = []): Line {
  const line = new Line({
    port: { send: (b) => ws.send(b), close: () => ws.close() },
    role: 'asks',
    onEnd: (r) => void ends.push(r),
    onLeaving: (r) => void leavings.push(r),
  });
  ws.on('message', (data) => line.receive(data as Buffer));
  ws.on('close', () => line.closed({ code: 'gone', says: '' }));
  ws.send(encode({ type: 'welcome', welcome: { protocol: 1, tunnel: 'tun_1', name: 'plant', agent: 'tag_1', pingSeconds: 15 } })); // prettier-ignore
  return line;
}
type Answer = { head: AnswerHead; text: string } | { reset: Reason };
const ask = (line: Line, to: string, headers: [string, string][] = [], body = ''): Promise<Answer> =>
  new Promise((resolve) => {
    let head: AnswerHead | undefined;
    const chunks: Uint8Array[] = [];
    const s = line.request(
      { method: body === '' ? 'GET' : 'POST', url: to, headers },
      {
        head: (h) => (head = h),
        data(b) {
          chunks.push(b.slice());
          s.took(b.length);
        },
        end: () => resolve({ head: head!, text: Buffer.concat(chunks).toString() }),
        drain: () => undefined,
        reset: (r) => resolve({ reset: r }),
      },
    );
    if (body !== '') s.write(Buffer.from(body));
    s.end();
  });
const codeOf = (a: Answer): string => ('reset' in a ? a.reset.code : `status ${a.head.status}`);

test('the secret is in the first frame, and in no address, header or line that the agent writes', async () => {
  const a = await agent([behind]);
  assert.equal(a.came.hello.secret, secret);
  assert.deepEqual(a.came.hello.allow, [behind]);
  assert.equal(a.came.req.url, '/tunnel');
  assert.ok(!JSON.stringify(a.came.req.rawHeaders).includes('sss'));
  await until(() => a.text().includes('connected to the tunnel'), 'it says so');
  assert.ok(!a.text().includes('sss'), a.text());
  await a.stop();
});

test('what its command line does not allow the agent refuses, whatever the server wants', async () => {
  let hits = 0;
  act = (_req, res) => {
    hits++;
    res.end('inside');
  };
  const a = await agent([`${behind}/mcp`, 'http://elsewhere.inside'], { 'elsewhere.inside': '127.0.0.1' });
  const port = new URL(behind).port;
  for (const to of [
    `${behind}/admin`,
    `${behind}/mcp2`,
    `${behind}/mcp/../admin`,
    `${behind}/mcp/..%2fadmin`,
    `http://localhost:${port}/mcp`,
    `http://elsewhere.inside:${port}/`,
    `https://127.0.0.1:${port}/mcp`,
    'http://169.254.169.254/latest/meta-data/',
  ])
    assert.equal(codeOf(await ask(a.line, to)), 'not_allowed', to);
  assert.equal(hits, 0);
  assert.equal(codeOf(await ask(a.line, `${behind}/mcp/x`)), 'status 200');
  assert.equal(hits, 1);
  await a.stop();
});

test('a name that resolves to a metadata or link-local address is refused, also when the name is allowed', async () => {
  const names = { 'meta.inside': '169.254.169.254', 'six.inside': 'fe80::1', 'mapped.inside': '::ffff:169.254.169.254', 'ali.inside': '100.100.100.200' }; // prettier-ignore
  const a = await agent(Object.keys(names).map((n) => `http://${n}`), names); // prettier-ignore
  for (const name of Object.keys(names)) {
    const r = await ask(a.line, `http://${name}/`);
    assert.equal(codeOf(r), 'address', name);
    assert.match('reset' in r ? r.reset.says : '', /which no name may lead to/);
  }
  await a.stop();
});

const places: [string, boolean][] = [
  ['169.254.169.254', true], ['169.254.0.1', true], ['fd00:ec2::254', true], ['100.100.100.200', true], ['168.63.129.16', true], ['192.0.0.192', true],
  ['::ffff:a9fe:a9fe', true], ['64:ff9b::a9fe:a9fe', true], ['2002:a9fe:a9fe::1', true], ['::a9fe:a9fe', true], ['fe80::1%eth0', true], ['0.0.0.0', true], ['::', true], ['224.0.0.1', true],
  ['not an address', true], ['127.0.0.1', false], ['::1', false], ['10.0.0.1', false], ['fd12::1', false], ['192.168.1.1', false], ['2606:4700::1111', false],
]; // prettier-ignore
for (const [address, no] of places)
  test(`${address} is ${no ? 'an address that no name may lead to' : 'an address like any other'}`, () =>
    assert.equal(isForbidden(address), no));

test('a redirect comes back as it is, and headers of one connection go neither way', async () => {
  let got: IncomingMessage['headers'] = {};
  act = (req, res) => {
    got = req.headers;
    res.writeHead(302, { location: 'http://169.254.169.254/', 'keep-alive': 'timeout=5', 'x-own': 'a' }).end();
  };
  const a = await agent([behind]);
  const r = await ask(a.line, `${behind}/`, [['Proxy-Authorization', 'x'], ['Upgrade', 'h2c'], ['Host', 'evil.example'], ['X-Mine', 'b']]); // prettier-ignore
  assert.ok('head' in r && r.head.status === 302);
  const headers = new Map(r.head.headers.map(([k, v]) => [k.toLowerCase(), v]));
  assert.equal(headers.get('x-own'), 'a');
  assert.equal(headers.has('keep-alive'), false);
  assert.deepEqual([got.host, got['x-mine'], got.upgrade, got['proxy-authorization']], [new URL(behind).host, 'b', undefined, undefined]); // prettier-ignore
  await a.stop();
});

const troubles: [string, (req: IncomingMessage, res: ServerResponse) => void, string][] = [
  ['breaks off in the middle', (_q, res) => void res.writeHead(200, { 'content-length': '10' }).write('half', () => res.destroy()), 'broken'],
  ['breaks off before its answer', (q) => void q.socket.destroy(), 'broken'],
  ['speaks no HTTP', (q) => void q.socket.end('hello\r\n\r\n'), 'malformed'],
  ['has headers without end', (q) => void q.socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`), 'too_large'],
  ['wants another protocol', (q) => void q.socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'), 'malformed'],
]; // prettier-ignore
test('each way in which a server inside can fail is told by its own word, and the line goes on', async () => {
  const a = await agent([behind, 'http://127.0.0.1:1', 'http://nowhere.inside.invalid']);
  for (const [what, how, code] of troubles) {
    act = how;
    assert.equal(codeOf(await ask(a.line, `${behind}/`)), code, what);
  }
  assert.equal(codeOf(await ask(a.line, 'http://127.0.0.1:1/')), 'unreachable');
  assert.equal(codeOf(await ask(a.line, 'http://nowhere.inside.invalid/')), 'unreachable');
  act = (_q, res) => void res.end('well');
  const last = await ask(a.line, `${behind}/`);
  assert.ok('text' in last && last.text === 'well');
  assert.deepEqual(a.ends, []);
  await a.stop();
});

test('an answer that nobody takes stops where it is: the server inside is held back, and nothing piles up', async () => {
  let written = 0;
  act = (_req, res) => {
    res.writeHead(200);
    const more = (): void => {
      while (!res.destroyed && written < 200_000_000) {
        written += 65_536;
        if (!res.write(Buffer.alloc(65_536))) return void res.once('drain', more);
      }
      res.end();
    };
    more();
  };
  const a = await agent([behind]);
  let taken = 0;
  const s = a.line.request(
    { method: 'GET', url: `${behind}/`, headers: [] },
    { head() {}, data: (b) => void (taken += b.length), end() {}, drain() {}, reset() {} },
  );
  s.end();
  let last = -1;
  await until(async () => {
    await new Promise((r) => setTimeout(r, 300));
    const still = written === last && taken > 0;
    last = written;
    return still;
  }, 'the server inside waits');
  assert.equal(taken, 128 * 1024, 'a window and no more');
  assert.ok(written < 30_000_000, `${written} bytes: what sockets hold, and a window`);
  s.took(taken);
  await until(() => taken === 256 * 1024, 'another window when it is taken');
  s.reset({ code: 'cancelled', says: '' });
  await a.stop();
});

test('a frame that may not come ends the connection with a reason, and the agent comes again', async () => {
  const a = await agent([behind]);
  const n = came.length;
  a.came.ws.send(Buffer.from([99, 0, 0, 0, 1]));
  await until(() => came.length > n, 'it comes again');
  assert.match(a.text(), /there is no frame of type 99/);
  const again = welcomed(came[n]!);
  act = (_q, res) => void res.end('well');
  assert.equal(codeOf(await ask(again, `${behind}/`)), 'status 200');
  await a.stop();
});

test('an agent that is told to stop takes nothing new, ends what is under way, and goes', async () => {
  let release: (() => void) | undefined;
  act = (_q, res) => {
    res.writeHead(200).write('begun');
    release = () => void res.end(' and ended');
  };
  const a = await agent([behind]);
  const under = ask(a.line, `${behind}/`);
  await until(() => release !== undefined, 'it is under way');
  a.term();
  await until(() => a.leavings.length === 1, 'it says that it goes');
  assert.equal(a.line.free, false, 'nothing new is asked of it');
  release!();
  const r = await under;
  assert.ok('text' in r && r.text === 'begun and ended');
  await until(() => a.ends.length === 1, 'it is gone');
  await a.stop();
});

test('pauses between attempts grow to half a minute, and half of each is chance', () => {
  assert.deepEqual([0, 1, 2, 20].map((n) => pauseOf(n, 1)), [250, 500, 1000, 30_000]); // prettier-ignore
  assert.deepEqual([0, 1, 2, 20].map((n) => pauseOf(n, 0)), [125, 250, 500, 15_000]); // prettier-ignore
});

const good = ['--url', 'https://gate.example', '--secret-file', secretFile, '--allow', 'http://crm.internal:8080/'];
test('a command line says what may be reached', () => {
  assert.deepEqual(settingsOf(good).allow, [{ origin: 'http://crm.internal:8080', path: '' }]);
});
for (const [what, args, says] of [
  ['no address of the server', good.slice(2), /--url must be the address/],
  ['plain http to another machine', ['--url', 'http://gate.example', ...good.slice(2)], /must begin with https/],
  ['no secret file', [...good.slice(0, 2), ...good.slice(4)], /--secret-file/],
  ['nothing to be reached', good.slice(0, 4), /--allow must name/],
  ['a wildcard', [...good, '--allow', 'http://*.internal'], /--allow/],
  ['a secret on the command line', [...good, '--secret', secret], /Unknown option '--secret'/],
] as const)
  test(`a command line with ${what} is refused`, () => assert.throws(() => settingsOf([...args]), says));
