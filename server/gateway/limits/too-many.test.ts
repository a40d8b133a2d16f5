import assert from 'node:assert/strict';
import { request, type ServerResponse } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { addConnector } from '#connectors/add-connector.ts';
import { reviewTools } from '#connectors/review-tools.ts';
import { listToolsOf } from '#connectors/tool.sql.ts';
import { callBody, codeOf, gatewayHouse, raw, saidOf, type GatewayHouse, type RawAnswer } from '#dev/gateway-house.ts';
import { answer, wildUpstream, type Message, type WildUpstream } from '#dev/wild-upstream.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { makeMetrics } from '#kernel/telemetry.ts';
import { addRule } from '#policy/add-rule.ts';
import type { LimitsSet } from './call-limits.ts';
import { setCallLimits } from './set-call-limits.ts';

const metrics = makeMetrics();
let g: GatewayHouse;
let up: WildUpstream;
/** Calls that the upstream has and does not answer before it is told. */
let waiting: { m: Message; res: ServerResponse }[] = [];
before(async () => {
  [g, up] = await Promise.all([gatewayHouse({ deps: { metrics } }), wildUpstream()]);
  await g.connect('up', up.url);
});
after(async () => {
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});
beforeEach(() => {
  waiting = [];
  up.act = undefined;
});

const until = async (what: string, yes: () => boolean | Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 2000; i++) {
    if (await yes()) return;
    await new Promise((r) => setTimeout(r, 10));
  }
  assert.fail(`never: ${what}`);
};
const hang = (): void => {
  up.act = (m, res) => {
    if (m.method !== 'tools/call') return false;
    waiting.push({ m, res });
    return true;
  };
};
const letGo = (): void => {
  up.act = undefined;
  for (const { m, res } of waiting.splice(0)) answer(res, m, { content: [{ type: 'text', text: 'late' }] });
};
const set = async (s: LimitsSet, ctx: OrgCtx = g.ctx): Promise<void> => {
  await setCallLimits(ctx, undefined, s);
  await new Promise((done) => setTimeout(done, 1000));
};
const call = (token: string, tool = 'look', path = '/mcp/up'): Promise<RawAnswer> =>
  raw(g, { token, path, body: callBody(tool, {}, 7) });
const dataOf = (a: RawAnswer): Record<string, unknown> =>
  (a.json['error'] as { data: Record<string, unknown> } | undefined)?.data ?? {};
const refusals = (): Promise<{ data: Record<string, unknown>; header: Record<string, unknown> }[]> =>
  g.events('tool.refused_as_too_many');

test('a person with as many calls under way as may be is refused with 429, the limit, what was found and when to come again; another is not', async () => {
  await set({ personAtOnce: 2 });
  const [ben, eve] = [await g.house.addPerson('Ben'), await g.house.addPerson('Eve')];
  const [token, other] = [await g.token(ben), await g.token(eve)];
  hang();
  const under = [call(token), call(token)];
  await until('two are at the upstream', () => waiting.length === 2);
  const refused = await call(token);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers['retry-after'], '1');
  assert.equal(refused.json['id'], 7);
  assert.deepEqual(
    { ...dataOf(refused), request: undefined },
    {
      limit: 'person.atOnce',
      found: 2,
      expected: 2,
      retryAfterSeconds: 1,
      code: 'gateway/too-many',
      fix: 'try again in 1 second; an administrator can set the limit',
      request: undefined,
    },
  );
  assert.equal(
    (refused.json['error'] as { message: string }).message,
    'you have 2 calls under way, and at most 2 may be at once',
  );
  const eves = call(other);
  await until('the other person’s call is at the upstream', () => waiting.length === 3);
  assert.equal(codeOf(await call(token, 'look', '/mcp/up')), 'gateway/too-many');
  assert.equal(codeOf(await raw(g, { token, path: '/mcp', body: callBody('up__look') })), 'gateway/too-many');
  letGo();
  assert.deepEqual((await Promise.all([...under, eves])).map(saidOf), ['late', 'late', 'late']);
  assert.equal(saidOf(await call(token)), 'did look');
});

test('refusals leave one event for a person, limit and minute, however many they were, no call, and are all counted', async () => {
  await set({ personAtOnce: 1 });
  const person = await g.house.addPerson('Gus');
  const token = await g.token(person);
  const calls = async (): Promise<number> => (await g.events('tool.called')).length;
  const counted = async (): Promise<number> =>
    Number(
      /gatehouse_too_many_calls_total\{limit="person",measure="atOnce"\} (\d+)/.exec(await metrics.text())?.[1] ?? 0,
    );
  hang();
  const under = call(token);
  await until('it is at the upstream', () => waiting.length === 1);
  const [callsBefore, countedBefore] = [await calls(), await counted()];
  const all = await Promise.all(Array.from({ length: 30 }, () => call(token)));
  assert.deepEqual(new Set(all.map((a) => a.status)), new Set([429]));
  assert.equal(await counted(), countedBefore + 30);
  const mine = async (): Promise<Record<string, unknown>[]> =>
    (await refusals()).filter((e) => e.data['member'] === person.member).map((e) => e.data);
  await until('it is written down', async () => (await mine()).length > 0);
  letGo();
  await under;
  assert.equal(await calls(), callsBefore);
  const [first, ...more] = await mine();
  assert.ok(more.length <= 1, 'two, if a minute ended in between');
  assert.deepEqual(
    [first?.['limit'], first?.['measure'], first?.['found'], first?.['most']],
    ['person', 'atOnce', 1, 1],
  );
});

test('a call that its client gave up, that the upstream broke or that a rule denied gives its place back', async () => {
  await set({ personAtOnce: 1 });
  const token = await g.token(await g.house.addPerson('Hal'));
  hang();
  const left = request(new URL('/mcp/up', g.house.origin), {
    method: 'POST',
    agent: false,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
  });
  left.on('error', () => undefined);
  left.end(callBody('look'));
  await until('it is at the upstream', () => waiting.length === 1);
  assert.equal((await call(token)).status, 429);
  left.destroy();
  up.act = undefined;
  await until('its place is free', async () => (await call(token)).status === 200);
  up.act = (m, res) => m.method === 'tools/call' && !!res.destroy();
  assert.equal((await call(token)).status, 200);
  up.act = undefined;
  assert.equal((await call(token, 'no_such_tool')).status, 200);
  const wrong = await raw(g, { token, body: callBody('look'), headers: { 'mcp-protocol-version': '2026-07-28' } });
  assert.notEqual(wrong.status, 429);
  assert.equal(saidOf(await call(token)), 'did look');
});

test('of a tool with a limit per minute no more begin, the refusal says when, and after that time it is let in', async () => {
  await set({ toolPerMinute: 3 });
  const token = await g.token(await g.house.addPerson('Ida'));
  const all: RawAnswer[] = [];
  for (let i = 0; i < 10; i++) all.push(await call(token, 'change'));
  const through = all.filter((a) => a.status === 200).length;
  assert.ok(through >= 3 && through <= 6, `${through} (three, or more where a minute ended)`);
  const refused = all.find((a) => a.status === 429);
  assert.ok(refused);
  const { limit, expected, retryAfterSeconds } = dataOf(refused);
  assert.deepEqual([limit, expected], ['tool.perMinute', 3]);
  assert.equal(refused.headers['retry-after'], String(retryAfterSeconds));
  assert.match(
    (refused.json['error'] as { message: string }).message,
    /^the tool "change" of the connector up has begun \d calls within a minute, and at most 3 may be$/,
  );
  assert.equal(saidOf(await call(token, 'look')), 'did look', 'another tool has its own');
  g.house.advance((Number(retryAfterSeconds) + 60) * 1000);
  const late = await call(await g.token(await g.house.addPerson('Jo')), 'change');
  assert.equal(saidOf(late), 'did change');
});

test('who has no token learns nothing of limits, and one who has tries names of tools no faster than any other', async () => {
  await set({ toolPerMinute: 2 });
  assert.equal((await raw(g, { body: callBody('look') })).status, 401);
  const token = await g.token(await g.house.addPerson('Kim'));
  const codes: number[] = [];
  for (let i = 0; i < 12; i++) codes.push((await call(token, `guess_${i}`)).status);
  assert.ok(codes.filter((c) => c === 429).length >= 8, codes.join());
  await set({});
});

test('while one organization floods its connector, calls of another go through, and what is beyond its limits is refused and not queued', async () => {
  await set({ personAtOnce: 64, connectorAtOnce: 128 });
  const org = await g.house.addOrg('Beta');
  const ctx: OrgCtx = { ...g.ctx, org };
  const calm = await wildUpstream();
  const { connector } = await addConnector(ctx, { slug: 'calm', name: 'calm', url: calm.url, allowPrivate: true });
  const tools = await ctx.db.read(scopeOf(ctx), (db) => listToolsOf(db, connector.id));
  await reviewTools(
    ctx,
    connector.id,
    tools.map((t) => ({ name: t.name, pin: t.pin, class: 'read' as const })),
  );
  await addRule(
    ctx,
    {
      name: 'everyone',
      who: { kind: 'everyone' },
      connector: connector.id,
      tools: { classes: ['read'] },
      effect: 'allow',
      asks: 'never',
    },
    { hasConnector: () => Promise.resolve(true) },
  );
  const other = await g.token(await g.house.addPerson('Lea', [org]));
  const flooding = await Promise.all(['Max', 'Nia', 'Oli'].map(async (name) => g.token(await g.house.addPerson(name))));
  hang();
  const flood = flooding.flatMap((token) => Array.from({ length: 100 }, () => call(token)));
  const ended = { refused: 0 };
  for (const f of flood) void f.then((a) => (a.status === 429 ? ended.refused++ : 0));
  await until('the limits are reached', () => waiting.length === 128 && ended.refused === 300 - 128);
  for (let i = 0; i < 20; i++) assert.equal(saidOf(await call(other, 'look', '/mcp/calm')), 'did look');
  letGo();
  const all = await Promise.all(flood);
  assert.deepEqual(
    [all.filter((a) => a.status === 200).length, all.filter((a) => a.status === 429).length],
    [128, 172],
  );
  assert.deepEqual(
    new Set(all.filter((a) => a.status === 429).map((a) => dataOf(a)['limit'])),
    new Set(['person.atOnce', 'connector.atOnce']),
  );
  await calm[Symbol.asyncDispose]();
  await set({});
});
