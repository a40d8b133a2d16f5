import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { gatewayHouse, raw, type GatewayHouse } from '#dev/gateway-house.ts';
import { oneEra, type OneEra } from '#dev/one-era.ts';
import { startStandIn, type StandIn } from '#dev/stand-in.ts';
import type { Id } from '#kernel/id.ts';
import { answer, tool, wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';

/** Everything that a person may use, at one address, for clients of both revisions. */
let g: GatewayHouse;
let everything: StandIn<{ url: string; mcp: string }>;
let older: OneEra;
let wild: WildUpstream;
let dead: WildUpstream;
let wildId: Id<'con'>;
before(async () => {
  [g, everything, wild, dead] = await Promise.all([
    gatewayHouse(),
    startStandIn<{ url: string; mcp: string }>('everything.ts'),
    wildUpstream([tool('look'), tool('a/b'), tool('x'.repeat(126))]),
    wildUpstream([tool('asleep')]),
  ]);
  older = await oneEra(everything.ready.mcp, 'older');
  await g.connect('older', older.url);
  wildId = await g.connect('wild', wild.url);
  await g.connect('dead', dead.url);
  dead.act = () => true; // takes requests and never answers
  wild.act = (m, res) =>
    m.method === 'tools/call'
      ? answer(res, m, {
          resultType: 'complete',
          content: [{ type: 'text', text: `did ${String(m.params?.['name'])}` }],
        })
      : false;
});
after(async () => {
  older.close();
  await everything.stop();
  await wild[Symbol.asyncDispose]();
  await dead[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

type Mode = 'legacy' | { pin: '2026-07-28' };
async function client(mode: Mode): Promise<Client> {
  const token = await g.token();
  const c = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode }, capabilities: { elicitation: {}, sampling: {} } },
  );
  c.setRequestHandler('elicitation/create', () => ({
    action: 'accept',
    content: { username: 'ada', email: 'ada@acme.example' },
  }));
  await c.connect(
    new StreamableHTTPClientTransport(new URL(`${g.house.origin}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  );
  return c;
}
const modes: readonly Mode[] = ['legacy', { pin: '2026-07-28' }];
const textOf = (r: unknown): string => JSON.stringify((r as { content: unknown }).content);

for (const mode of modes) {
  const who = mode === 'legacy' ? 'an older client' : 'a client of the stateless revision';
  test(`${who} finds the tools of every connector under its name, sorted, also of one that does not answer`, async () => {
    const c = await client(mode);
    const names = (await c.listTools()).tools.map((t) => t.name);
    assert.deepEqual(names, names.toSorted());
    assert.ok(names.includes('older__test_simple_text'));
    assert.ok(names.includes('wild__look'));
    assert.ok(names.includes('dead__asleep'), 'the reviewed catalogue stands in for it');
    for (const n of names) assert.match(n, /^[A-Za-z0-9_.-]{1,128}$/);
    await c.close();
  });
  test(`${who} calls them, and each connector hears its own name of the tool`, async () => {
    const c = await client(mode);
    assert.match(textOf(await c.callTool({ name: 'wild__look', arguments: {} })), /did look/);
    const { tools } = await c.listTools();
    for (const [begins, own] of [
      ['wild__a-b_', 'a/b'],
      ['wild__xxx', 'x'.repeat(126)],
    ] as const) {
      const { name } = tools.find((t) => t.name.startsWith(begins))!;
      await c.callTool({ name, arguments: {} });
      assert.equal(wild.seen.at(-1)?.message.params?.['name'], own);
    }
    await c.close();
  });
  test(`${who} is asked what an older server asks, and answers it`, async () => {
    const c = await client(mode);
    const said = textOf(await c.callTool({ name: 'older__test_elicitation', arguments: { message: 'Who?' } }));
    assert.match(said, /action=accept/);
    await c.close();
  });
  test(`${who} reads resources and prompts of every connector`, async () => {
    const c = await client(mode);
    const { resources } = await c.listResources();
    assert.ok(resources.every((r) => r.uri.startsWith('gatehouse+older:')));
    assert.equal((await c.readResource({ uri: resources[0]!.uri })).contents.length, 1);
    const { prompts } = await c.listPrompts();
    assert.ok(prompts.some((p) => p.name === 'older__test_simple_prompt'));
    assert.ok((await c.getPrompt({ name: 'older__test_simple_prompt' })).messages.length > 0);
    await c.close();
  });
}

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
async function modern(
  method: string,
  params: object,
  headers: Record<string, string> = {},
): Promise<Awaited<ReturnType<typeof raw>>> {
  return raw(g, {
    path: '/mcp',
    token: await g.token(),
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
  });
}

test('a name that begins with no connector is no tool: gateway/unknown-tool', async () => {
  for (const name of ['look', 'nobody__look', '__look', 'wild_look']) {
    const r = await modern('tools/call', { name, arguments: {} }, { 'mcp-name': name });
    assert.equal((r.json['error'] as { data: { code: string } }).data.code, 'gateway/unknown-tool', name);
  }
});

test('only the name of the call changes on its way: every other byte is as it came', async () => {
  wild.seen.length = 0;
  const args = '{"a" : 1.0,  "b":"\\u00e9"}';
  await raw(g, {
    path: '/mcp',
    token: await g.token(),
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'wild__look' },
    body: `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"wild__look","arguments":${args},"_meta":${JSON.stringify(meta)}}}`,
  });
  const came = wild.seen.at(-1)!;
  assert.ok(came.body.includes(`"name":"look","arguments":${args}`), came.body);
  assert.equal(came.headers['mcp-name'], 'look');
});

test('a list says that it is this person’s alone, and a connector more renames nothing', async () => {
  const before = (await modern('tools/list', {})).json['result'] as { cacheScope: string; tools: { name: string }[] };
  assert.equal(before.cacheScope, 'private');
  const more = await wildUpstream([tool('look')]);
  await g.connect('more', more.url);
  const after = (await modern('tools/list', {})).json['result'] as { tools: { name: string }[] };
  const names = after.tools.map((t) => t.name);
  for (const t of before.tools) assert.ok(names.includes(t.name));
  assert.ok(names.includes('more__look'));
  await more[Symbol.asyncDispose]();
});

test('who listens hears what a connector says and what a rule of ours changes, after the acknowledgement', async () => {
  const end = new AbortController();
  const events: { method?: string; params?: Record<string, unknown> }[] = [];
  const res = await fetch(`${g.house.origin}/mcp`, {
    method: 'POST',
    signal: end.signal,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${await g.token()}`,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 9,
      method: 'subscriptions/listen',
      params: { notifications: { toolsListChanged: true }, _meta: meta },
    }),
  });
  void (async () => {
    for await (const piece of res.body!.pipeThrough(new TextDecoderStream()))
      for (const [, data = ''] of piece.matchAll(/^data: (.*)$/gm)) events.push(JSON.parse(data));
  })().catch(() => undefined);
  const until = async (n: number): Promise<void> => {
    for (let i = 0; events.length < n && i < 200; i++) await new Promise((r) => setTimeout(r, 50));
  };
  await until(1);
  assert.equal(events[0]?.method, 'notifications/subscriptions/acknowledged');
  await g.rule({
    name: 'nobody looks',
    who: { kind: 'everyone' },
    connector: wildId,
    tools: { names: ['look'] },
    effect: 'forbid',
  });
  await until(2);
  assert.equal(events[1]?.method, 'notifications/tools/list_changed');
  assert.deepEqual(events[1]?.params?.['_meta'], { 'io.modelcontextprotocol/subscriptionId': 9 });
  end.abort();
});
