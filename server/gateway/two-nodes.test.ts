import assert from 'node:assert/strict';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { Hono } from 'hono';
import { createHash, randomBytes } from 'node:crypto';
import { ask } from '#approvals/ask.ts';
import { asking } from '#dev/asking.ts';
import { findReviewedTool } from '#connectors/find-reviewed-tool.ts';
import { approvalOperations } from '#approvals/approvals.http.ts';
import { gatewayHouse, type GatewayHouse } from '#dev/gateway-house.ts';
import type { HousePerson } from '#dev/oauth-house.ts';
import { testWorld } from '#dev/test-world.ts';
import { wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { changeOrgAccess } from '#identity/access/change-org-access.ts';
import { apiGate } from '#identity/gate.ts';
import { identityOperations } from '#identity/identity.http.ts';
import type { World } from '#kernel/ctx.ts';
import { connect, type Db } from '#kernel/db.ts';
import { problemJson } from '#kernel/dialect.ts';
import { newId } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { removeMember } from '#org/remove-member.ts';
import { setUserState } from '#org/set-user-state.ts';
import { startGateway, type Gateway } from './start-gateway.ts';

/** What one node decides holds on the other: a second gateway and a second API over the same database, with nothing of the first in memory. */
let g: GatewayHouse;
let up: WildUpstream;
let db: Db;
let world: World;
let other: Gateway;
let server: Server;
let api: Hono;
before(async () => {
  [g, up] = await Promise.all([gatewayHouse(), wildUpstream()]);
  await g.connect('up', up.url);
  db = connect({ url: g.house.t.url, role: 'gatehouse_app', log: silentLog });
  world = await testWorld(db, { origin: g.house.origin, trustedProxies: ['127.0.0.0/8'] });
  other = await startGateway(world);
  server = createServer((req, res) => other.handle(req, res)).listen(0, '127.0.0.1');
  api = new Hono();
  const upstairs = {
    findTool: findReviewedTool,
    connectorName: () => Promise.resolve(undefined),
    homeDomains: () => Promise.resolve([]),
  };
  const operations = [...identityOperations, ...approvalOperations(upstairs)];
  mount(api, { prefix: '/api', gate: apiGate(world), dialect: problemJson, operations }, silentLog);
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await other.stop();
  await world.egress.close();
  await db.end();
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

type Got = { status: number; code: string | undefined; ended: Promise<void>; res: IncomingMessage };
/** To the other node, under the name that both have. */
function there(token: string, method: string, headers: Record<string, string> = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    const req = request(
      {
        host: '127.0.0.1',
        port,
        path: '/mcp/up',
        method,
        agent: false,
        headers: {
          host: new URL(g.house.origin).host,
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
      },
      (res) => {
        let text = '';
        res.on('data', (c: Buffer) => {
          text += c.toString();
        });
        const ended = new Promise<void>((done) => res.once('close', () => done()).on('error', () => undefined));
        const give = (): void =>
          resolve({ status: res.statusCode ?? 0, code: /"code":"([a-z/-]+)"/.exec(text)?.[1], ended, res });
        if (method === 'GET' && res.statusCode === 200) give();
        else void ended.then(give);
      },
    );
    req.on('error', reject);
    req.end(method === 'POST' ? '{"jsonrpc":"2.0","id":1,"method":"ping"}' : undefined);
  });
}
const began = (res: ServerResponse): void =>
  void res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');

async function sessionOf(p: HousePerson): Promise<string> {
  const secret = randomBytes(32).toString('base64url');
  await g.house.t.super(
    `insert into session (parent, id, user_id, hash, method, user_agent, created_at, last_seen_at, expires_at) values ($1, $2, $3, $4, 'setup_link', 't', now(), now(), now() + interval '1 day')`,
    g.house.parent,
    newId('ses'),
    p.user,
    createHash('sha256').update(secret).digest(),
  );
  return `__Host-gatehouse=${secret}`;
}
const memberOf = async (p: HousePerson) => {
  const found = await g.house.world.db.read({ parent: g.house.parent, org: g.house.org }, (r) =>
    findMemberByUser(r, p.user),
  );
  assert.ok(found);
  return found.id;
};

for (const [what, leave, sessionEnds] of [
  ['suspended', (p: HousePerson) => setUserState(g.ctx, p.user, 'suspended'), true],
  ['removed', async (p: HousePerson) => removeMember(g.ctx, await memberOf(p)), false],
] as const)
  test(`a person who is ${what} on one node loses token, stream, session and request for approval on the other within a second`, async () => {
    const p = await g.house.addPerson(`Tess-${what}`);
    const token = await g.token(p);
    const cookie = await sessionOf(p);
    const org = `/api/orgs/${g.house.org}`;
    const lead = await g.house.addPerson(`Boss-${what}`);
    await g.house.t.super(`update member set role = 'admin' where user_id = $1`, lead.user);
    const boss = await sessionOf(lead);
    up.act = (_m, res, req) => (req.method === 'GET' ? began(res) : false);
    const stream = await there(token, 'GET');
    assert.equal(stream.status, 200);
    assert.equal(
      (await api.request(`${org}/approvals`, { headers: { cookie } })).status,
      403,
      'signed in, and a user only',
    );
    const member = await memberOf(p);
    const waits = await ask(g.ctx, asking({ user: p.user, member, client: 'test', consent: null }, g.house.org));

    const at = performance.now();
    await leave(p);
    await stream.ended;
    assert.ok(performance.now() - at < 1000, `the stream lasted ${performance.now() - at} ms`);
    const next = await there(token, 'POST');
    assert.deepEqual([next.status, next.code], [401, 'gateway/not-let-in']);
    const page = await api.request(`${org}/approvals`, { headers: { cookie } });
    assert.deepEqual(
      [page.status, ((await page.json()) as { code: string }).code],
      sessionEnds ? [401, 'identity/suspended'] : [404, 'org/no-such-org'],
    );
    const shown = await api.request(`${org}/approvals/${waits.id}`, { headers: { cookie: boss } });
    assert.equal(((await shown.json()) as { state: string }).state, 'cancelled');
    assert.ok(performance.now() - at < 1000, `${performance.now() - at} ms for all`);
  });

test('an organization that shuts out an address on one node has its agents refused from there on the other within a second', async () => {
  const token = await g.token(await g.house.addPerson('Uma'));
  up.act = (_m, res, req) => (req.method === 'GET' ? began(res) : false);
  const from = (address: string) => there(token, 'POST', { 'x-forwarded-for': address });
  assert.notEqual((await from('198.51.100.7')).status, 403);
  const stream = await there(token, 'GET', { 'x-forwarded-for': '198.51.100.7' });
  const inside = await there(token, 'GET', { 'x-forwarded-for': '192.0.2.9' });
  let insideEnded = false;
  void inside.ended.then(() => (insideEnded = true));
  const at = performance.now();
  await changeOrgAccess(
    { ...g.ctx, address: '192.0.2.1' },
    { addresses: ['192.0.2.0/24'] },
    { evenIfItShutsMeOut: false },
  );
  await stream.ended;
  assert.ok(performance.now() - at < 1000, 'a stream that was open from there ends, too');
  assert.equal(insideEnded, false);
  const out = await from('198.51.100.7');
  assert.deepEqual([out.status, out.code], [403, 'identity/address-not-allowed']);
  assert.notEqual((await from('192.0.2.9')).status, 403);
  inside.res.destroy();
});
