import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { findApproval } from '#approvals/approval.sql.ts';
import { callBody, gatewayHouse, raw, saidOf, type GatewayHouse, type RawAnswer } from '#dev/gateway-house.ts';
import { register, signIn, type HousePerson } from '#dev/oauth-house.ts';
import { testWorld } from '#dev/test-world.ts';
import { tool, wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { scopeOf, type World } from '#kernel/ctx.ts';
import { connect, type Db } from '#kernel/db.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { changePolicies } from '#policy/change-policies.ts';
import type { Wish } from '#policy/wish.ts';
import { startGateway, type Gateway } from './start-gateway.ts';

/** A stand-in for a code host: issues that anybody can write, files that are the organization's, and ways to publish. */
const names = ['get_issue', 'get_file', 'get_time', 'create_pull_request', 'create_draft', 'delete_branch'];
let g: GatewayHouse;
let hub: WildUpstream;
let drive: WildUpstream;
let con: Id<'con'>;
before(async () => {
  [g, hub, drive] = await Promise.all([
    gatewayHouse(),
    wildUpstream(names.map((n) => tool(n))),
    wildUpstream([tool('search'), tool('share')]),
  ]);
  con = await g.connect('hub', hub.url, {
    classes: { create_pull_request: 'write', create_draft: 'write', delete_branch: 'destructive' },
    flows: {
      get_issue: { brings: ['untrusted'] },
      get_file: { brings: ['private'] },
      get_time: { brings: [] },
      create_pull_request: { outward: true },
      create_draft: { outward: false },
    },
  });
  await g.connect('drive', drive.url, { classes: { share: 'write' }, flows: { share: { outward: true } } });
});
after(async () => {
  await hub[Symbol.asyncDispose]();
  await drive[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

const call = (token: string, name: string, args: unknown = {}, path = '/mcp/hub'): Promise<RawAnswer> =>
  raw(g, { path, token, body: callBody(name, args) });
const sent = (name: string): number => hub.seen.filter((s) => s.message.params?.['name'] === name).length;
let n = 0;
/** A person with a session that has read nothing. */
const fresh = async (): Promise<{ who: HousePerson; token: string }> => {
  const who = await g.house.addPerson(`Rea${++n}`);
  return { who, token: await g.token(who) };
};
function held(a: RawAnswer): Id<'apr'> {
  const id = parseId('apr', /(apr_[0-9a-f]{32})/.exec(saidOf(a))?.[1] ?? '');
  assert.ok(id && saidOf(a).startsWith('Waiting for approval:'), a.text);
  return id;
}
const ran = (a: RawAnswer, name: string): void => assert.equal(saidOf(a), `did ${name}`);
const change = async (wish: Wish): Promise<void> => {
  await changePolicies(g.ctx, wish, {}, { hasConnector: () => Promise.resolve(true) });
  await new Promise((done) => setTimeout(done, 1000));
};

test('an issue that tells the agent to publish a private file does not get it published: the pull request waits for a person', async () => {
  const { token } = await fresh();
  ran(await call(token, 'get_issue'), 'get_issue');
  ran(await call(token, 'get_file', { path: 'salaries.csv' }), 'get_file');
  const before = sent('create_pull_request');
  const answer = await call(token, 'create_pull_request', { body: 'salaries' });
  const id = held(answer);
  assert.equal(sent('create_pull_request'), before);
  assert.match(
    saidOf(answer),
    /this session has read text that outsiders can have written \(get_issue of hub\) and private content \(get_file of hub\), and this call can carry it out, so a person must approve/,
  );
  const asked = await g.house.world.db.read(scopeOf(g.ctx), (db) => findApproval(db, id));
  assert.equal(asked?.askedFor, 'session');
  assert.deepEqual(asked.hasRead?.map((s) => [s.connector, s.tool, s.untrusted, s.private]).sort(), [
    [con, 'get_file', false, true],
    [con, 'get_issue', true, false],
  ]);
  await g.decide(id, 'approved', g.house.ada);
  ran(await call(token, 'create_pull_request', { body: 'salaries' }), 'create_pull_request');
  held(await call(token, 'create_pull_request', { body: 'salaries, once more' }));
});

for (const [what, reads] of [
  ['nothing', []],
  ['only what outsiders wrote', ['get_issue', 'get_time']],
  ['only private content', ['get_file', 'get_time']],
] as const)
  test(`a session that has read ${what} publishes without asking`, async () => {
    const { token } = await fresh();
    for (const name of reads) ran(await call(token, name), name);
    ran(await call(token, 'create_pull_request', { of: what }), 'create_pull_request');
  });

test('what cannot carry anything out goes on after reading both', async () => {
  const { token } = await fresh();
  for (const name of ['get_issue', 'get_file']) ran(await call(token, name), name);
  ran(await call(token, 'create_draft'), 'create_draft');
  ran(await call(token, 'get_file'), 'get_file');
});

test('a tool of which its reviewer said nothing counts as the worst of its class: a read brings both, a destructive one is outward', async () => {
  const { token } = await fresh();
  ran(await call(token, 'search', {}, '/mcp/drive'), 'search');
  held(await call(token, 'delete_branch'));
});

test('what was read from one system counts for what goes out to another, whichever consents the client has', async () => {
  const { who, token } = await fresh();
  ran(await call(token, 'search', {}, '/mcp/drive'), 'search');
  const again = await g.token(who, `${g.house.origin}/mcp/hub`);
  held(await call(again, 'create_pull_request'));
});

test('what one client has read does not count for another client of the person, unless both name the same run', async () => {
  const { who, token } = await fresh();
  const client = await register(g.house, { client_name: 'Another' });
  const other = (await signIn(g.house, client, {}, who)).access_token;
  const inRun = (t: string, name: string, run?: string): Promise<RawAnswer> =>
    raw(g, {
      path: '/mcp/hub',
      token: t,
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name, arguments: { run }, ...(run ? { _meta: { 'io.gatehouse/run': run } } : {}) },
      }),
    });
  for (const name of ['get_issue', 'get_file']) ran(await inRun(token, name, 'task-7'), name);
  ran(await inRun(other, 'create_pull_request'), 'create_pull_request');
  ran(await inRun(other, 'create_pull_request', 'task-8'), 'create_pull_request');
  held(await inRun(other, 'create_pull_request', 'task-7'));
  // Another name for its task gives nobody a clean slate.
  held(await inRun(token, 'create_pull_request', 'task-9'));
});

test('what one person’s agent has read does not count for a colleague with the same client', async () => {
  const [one, two] = [await fresh(), await fresh()];
  for (const name of ['get_issue', 'get_file']) ran(await call(one.token, name), name);
  ran(await call(two.token, 'create_pull_request'), 'create_pull_request');
});

test('nobody may approve the call of his own session', async () => {
  const { who, token } = await fresh();
  for (const name of ['get_issue', 'get_file']) await call(token, name);
  const id = held(await call(token, 'create_pull_request', { own: true }));
  await assert.rejects(g.decide(id, 'approved', who), { code: 'approvals/own-request' });
});

test('what a session has read on one node is known to another node at once', async () => {
  const db: Db = connect({ url: g.house.t.url, role: 'gatehouse_app', log: silentLog });
  const world: World = await testWorld(db, { origin: g.house.origin, trustedProxies: ['127.0.0.0/8'] });
  const other: Gateway = await startGateway(world);
  const server: Server = createServer((req, res) => other.handle(req, res)).listen(0, '127.0.0.1');
  try {
    const { token } = await fresh();
    for (const name of ['get_issue', 'get_file']) ran(await call(token, name), name);
    const { port } = server.address() as AddressInfo;
    const text = await new Promise<string>((resolve, reject) => {
      const req = request(
        {
          host: '127.0.0.1',
          port,
          path: '/mcp/hub',
          method: 'POST',
          agent: false,
          headers: {
            host: new URL(g.house.origin).host,
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
          },
        },
        (res) =>
          void res
            .setEncoding('utf8')
            .toArray()
            .then((parts) => resolve(parts.join('')), reject),
      );
      req.on('error', reject).end(callBody('create_pull_request', { node: 2 }));
    });
    assert.match(text, /Waiting for approval: this session has read/);
  } finally {
    server.closeAllConnections();
    server.close();
    await other.stop();
    await world.egress.close();
    await db.end();
  }
});

test('a call whose answer was kept from the agent brings nothing into its session, and one that failed on the way does not either', async () => {
  const { token } = await fresh();
  ran(await call(token, 'get_issue'), 'get_issue');
  hub.act = (m, res) => (m.method === 'tools/call' ? void res.destroy() : false);
  assert.match(saidOf(await call(token, 'get_file')), /^Failed/);
  hub.act = undefined;
  ran(await call(token, 'create_pull_request', { after: 'failure' }), 'create_pull_request');
});

test('a call of which something came before it broke off counts as read', async () => {
  const { token } = await fresh();
  ran(await call(token, 'get_issue'), 'get_issue');
  hub.act = (m, res) => {
    if (m.method !== 'tools/call') return false;
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const said = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'half of a file' } };
    res.write(`data: ${JSON.stringify(said)}\n\n`, () => setTimeout(() => res.destroy(), 50));
    return true;
  };
  await call(token, 'get_file').catch(() => undefined);
  hub.act = undefined;
  held(await call(token, 'create_pull_request', { after: 'half' }));
});

test('where it cannot be known what a session has read, what could go out does not', async () => {
  const { token } = await fresh();
  await g.house.t.super('revoke select on session_read from gatehouse_app');
  try {
    assert.match(
      saidOf(await call(token, 'create_pull_request', { blind: true })),
      /^Not allowed: what this session has read could not be looked up/,
    );
    ran(await call(token, 'create_draft'), 'create_draft');
  } finally {
    await g.house.t.super('grant select on session_read to gatehouse_app');
  }
});

test('an administrator can make it forbidden, or switch it off, and both hold from the next second on', async () => {
  const { token } = await fresh();
  for (const name of ['get_issue', 'get_file']) ran(await call(token, name), name);
  const waiting = held(await call(token, 'create_pull_request', { v: 1 }));
  await change({ kind: 'set_after_reading', afterReading: { outward: 'forbid', hours: 8 } });
  const no = saidOf(await call(token, 'create_pull_request', { v: 1 }));
  assert.match(
    no,
    /^Not allowed: the rule "who has read untrusted text and private content in the last 8 hours may not take outward actions"/,
  );
  await assert.rejects(g.decide(waiting, 'approved', g.house.ada), { code: 'approvals/superseded' });
  await change({ kind: 'set_after_reading', afterReading: { outward: 'off', hours: 8 } });
  ran(await call(token, 'create_pull_request', { v: 2 }), 'create_pull_request');
  await change({ kind: 'set_after_reading', afterReading: { outward: 'ask', hours: 8 } });
  held(await call(token, 'create_pull_request', { v: 3 }));
});

test('an expert’s policy can ask about the session of any call', async () => {
  const { token } = await fresh();
  await change({
    kind: 'save_cedar',
    policy: {
      name: 'no drafts after strangers',
      cedar:
        'forbid (principal, action, resource) when { resource.name == "create_draft" && context has session && context.session.read_untrusted };',
    },
  });
  ran(await call(token, 'create_draft'), 'create_draft');
  ran(await call(token, 'get_issue'), 'get_issue');
  assert.match(saidOf(await call(token, 'create_draft')), /"no drafts after strangers"/);
});

test('what was read longer ago than the organization’s hours does not count any more', async () => {
  const { who, token } = await fresh();
  for (const name of ['get_issue', 'get_file']) ran(await call(token, name), name);
  await g.house.t.super(
    `update session_read set at = at - interval '8 hours 6 minutes' where session in (select session from session_read where connector = $1)`,
    con,
  );
  ran(await call(await g.token(who), 'create_pull_request', { later: true }), 'create_pull_request');
});
