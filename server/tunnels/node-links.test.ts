import assert from 'node:assert/strict';
import { createServer, request, type Server } from 'node:http';
import { connect as tcp, createServer as plain, type AddressInfo, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { connect as tls } from 'node:tls';
import { encode, WINDOW, type Reason } from '@gatehouse/contract/tunnel/frame.ts';
import { Line, type Stream } from '@gatehouse/contract/tunnel/line.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { until } from '#dev/tunnel-house.ts';
import type { World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { listenTo, portOf } from './framed-socket.ts';
import { LocalAgents, type LocalAgent } from './local-agents.ts';
import { NODE_PATH, nodeLinks, type NodeLinks } from './node-links.ts';

/** Two nodes on real sockets; one of them has an agent in the test's hand. */
let t: TestDb;
let world: World;
let server: Server;
let address: string;
let asking: NodeLinks;
let answering: NodeLinks;
const agents = new LocalAgents();
const sockets: Socket[] = [];
before(async () => {
  t = await testDb();
  world = await t.world();
  asking = nodeLinks(world, 'nod_a', new LocalAgents());
  answering = nodeLinks(world, 'nod_b', agents);
  server = createServer((_q, res) => void res.end('a page'));
  server.on('connection', (s) => sockets.push(s));
  server.on('upgrade', (req, socket, head) => answering.upgrade(req, socket, head));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  asking.stop();
  answering.stop();
  for (const s of sockets) s.destroy();
  server.close();
  await t.close();
});

const GET = { method: 'GET', url: 'http://crm.inside/', headers: [] };
const deaf = { head() {}, data() {}, end() {}, drain() {}, reset() {} };
const agentOf = (tunnel: string, line: Line): LocalAgent => ({ id: 'tag_1' as Id<'tag'>, org: 'org_1' as Id<'org'>, parent: 'par_1' as Id<'par'>, tunnel: tunnel as Id<'tun'>, generation: 1, allow: ['http://crm.inside'], line }); // prettier-ignore

test('a node that does not derive the key is nobody, and a page is no node', async () => {
  const stranger = nodeLinks(
    { ...world, seal: { ...world.seal, derive: (_p, n = 32) => Buffer.alloc(n, 7) } },
    'nod_x',
    new LocalAgents(),
  );
  await assert.rejects(stranger.to('nod_b', address));
  await assert.rejects(
    asking.to('nod_c', address),
    'an address that another node took over is not the node that is meant',
  );
  const page = createServer((_q, res) => void res.end('a page'));
  await new Promise<void>((resolve) => void page.listen(0, '127.0.0.1', resolve));
  await assert.rejects(
    asking.to('nod_d', `http://127.0.0.1:${(page.address() as AddressInfo).port}`),
    /the node answered 200/,
  );
  page.close();
  await assert.rejects(asking.to('nod_e', 'http://127.0.0.1:1'));
});

test('who speaks before it proved the key is heard by nobody', async () => {
  const before = agents.all().length;
  const { port } = server.address() as AddressInfo;
  const said = await new Promise<string>((resolve) => {
    const s = tcp(port, '127.0.0.1', () => {
      s.write(`GET ${NODE_PATH} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: gatehouse-node\r\n\r\n`);
      const frame = encode({ type: 'open', stream: 1, head: { ...GET, via: 'tun_1' } });
      const length = Buffer.alloc(4);
      length.writeUInt32BE(frame.length);
      s.write(Buffer.concat([length, frame]));
    });
    let text = '';
    s.on('data', (c: Buffer) => (text += c.toString('latin1')));
    s.on('error', () => undefined).on('close', () => resolve(text));
  });
  assert.ok(said.startsWith('HTTP/1.1 101'));
  assert.ok(!said.includes('node_without_agent'));
  assert.equal(agents.all().length, before);
});

test('what passes between nodes is not to be read on the wire', async () => {
  const seen: Buffer[] = [];
  const { port } = server.address() as AddressInfo;
  const between = plain((s) => {
    const to = tcp(port, '127.0.0.1');
    s.on('data', (c) => {
      seen.push(c);
      to.write(c);
    });
    to.on('data', (c) => {
      seen.push(c);
      s.write(c);
    });
    s.on('error', () => to.destroy()).on('close', () => to.destroy());
    to.on('error', () => s.destroy()).on('close', () => s.destroy());
  });
  await new Promise<void>((resolve) => void between.listen(0, '127.0.0.1', resolve));
  const third = nodeLinks(world, 'nod_f', new LocalAgents());
  const line = await third.to('nod_b', `http://127.0.0.1:${(between.address() as AddressInfo).port}`);
  const reset = await new Promise<Reason>((resolve) => {
    line.request({ ...GET, headers: [['authorization', 'Bearer hush']], via: 'tun_none' }, { ...deaf, reset: resolve }).end(); // prettier-ignore
  });
  assert.equal(reset.code, 'node_without_agent');
  const wire = Buffer.concat(seen).toString('latin1');
  assert.ok(wire.includes('gatehouse-node') && !wire.includes('hush') && !wire.includes('crm.inside'));
  third.stop();
  between.close();
});

/** An agent that is a line in this process: what it is asked lands in `onOpen`. */
function inProcess(onOpen: (s: Stream) => void): { line: Line; bytes: () => number } {
  let bytes = 0;
  const server: Line = new Line({
    port: { send: (b) => void setImmediate(() => agent.receive(b)), close: () => undefined },
    role: 'asks',
    onEnd: () => undefined,
  });
  const agent: Line = new Line({
    port: {
      send(b) {
        bytes += b.length;
        setImmediate(() => server.receive(b));
      },
      close: () => undefined,
    },
    role: 'answers',
    onOpen(_h, s) {
      onOpen(s);
      return { ...deaf, data: (b) => s.took(b.length) };
    },
    onEnd: () => undefined,
  });
  return { line: server, bytes: () => bytes };
}

test('a slow reader at one node holds back the agent at another, and gets every byte', async () => {
  const whole = Buffer.alloc(3_000_000, 'gatehouse');
  const { line: agent, bytes } = inProcess((s) => {
    s.head({ status: 200, headers: [] });
    s.write(whole);
    s.end();
  });
  const held = agentOf('tun_slow', agent);
  agents.add(held);
  const line = await asking.to('nod_b', address);
  const got: Uint8Array[] = [];
  let size = 0;
  let ended = false;
  const s = line.request({ ...GET, via: 'tun_slow' }, {
    ...deaf,
    data(b) {
      got.push(b.slice());
      size += b.length;
    },
    end: () => (ended = true),
  }); // prettier-ignore
  s.end();
  await until(() => size === WINDOW, 'a window is here');
  await new Promise((r) => setTimeout(r, 200));
  assert.equal(size, WINDOW, 'and no more');
  assert.ok(bytes() < 3 * WINDOW, `${bytes()} bytes have left the agent`);
  for (let taken = 0; !ended;) {
    if (size > taken) {
      s.took(size - taken);
      taken = size;
    }
    await new Promise((r) => setImmediate(r));
  }
  assert.ok(Buffer.concat(got).equals(whole));
  agents.remove(held);
});

test('a frame that is none ends the line between two nodes, and the next request makes another', async () => {
  const line = await asking.to('nod_b', address);
  const reset = new Promise<Reason>((resolve) => {
    const { line: agent } = inProcess((s) => s.head({ status: 200, headers: [] }));
    const held = agentOf('tun_open', agent);
    agents.add(held);
    line.request({ ...GET, via: 'tun_open' }, { ...deaf, reset: resolve }).end();
  });
  line.end({ code: 'silent', says: 'as if the node did not answer' });
  assert.equal((await reset).code, 'silent');
  const next = await asking.to('nod_b', address);
  assert.notEqual(next, line);
  assert.ok(next.free);
});

test('lengths that no frame has end a line at once', async () => {
  for (const length of [0, 4, 70_000, 2 ** 32 - 1]) {
    const { port } = server.address() as AddressInfo;
    const psk = world.seal.derive('tunnels between nodes');
    const req = request({ host: '127.0.0.1', port, path: NODE_PATH, headers: { connection: 'Upgrade', upgrade: 'gatehouse-node' } }); // prettier-ignore
    const ended = new Promise<string>((resolve, reject) => {
      req.on('upgrade', (_r, socket) => {
        const s = tls({ socket, ciphers: 'ECDHE-PSK-CHACHA20-POLY1305', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', pskCallback: () => ({ psk, identity: 'nod_z>nod_b' }), checkServerIdentity: () => undefined }); // prettier-ignore
        s.once('secureConnect', () => {
          const head = Buffer.alloc(4);
          head.writeUInt32BE(length);
          s.write(Buffer.concat([head, Buffer.alloc(100)]));
        });
        const l = new Line({ port: portOf(s), role: 'asks', onEnd: (r) => resolve(r.code), onLeaving: (r) => resolve(`bye ${r.code}`) }); // prettier-ignore
        listenTo(s, l);
        s.on('error', reject);
      });
      req.on('error', reject).end();
    });
    assert.equal(await ended, 'bye frame', String(length));
  }
});
