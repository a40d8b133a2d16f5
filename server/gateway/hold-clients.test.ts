import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { gatewayHouse, type GatewayHouse } from '#dev/gateway-house.ts';
import type { HousePerson } from '#dev/oauth-house.ts';
import { startStandIn, type StandIn } from '#dev/stand-in.ts';
import type { Id } from '#kernel/id.ts';

let g: GatewayHouse;
let crm: StandIn<{ url: string; mcp: string }>;
let sue: HousePerson;
let token: string;
before(async () => {
  [g, crm] = await Promise.all([
    gatewayHouse(),
    startStandIn<{ url: string; mcp: string }>('crm.ts', ['--bearer', 'crm-secret']),
  ]);
  const connector = await g.connect('crm', crm.ready.mcp, {
    bearer: 'crm-secret',
    classes: { add_note: 'write' },
    rules: false,
  });
  await g.rule({
    name: 'writing asks',
    who: { kind: 'everyone' },
    connector,
    tools: { classes: ['write'] },
    effect: 'allow',
    asks: 'always',
  });
  sue = await g.house.addPerson('Sue');
  token = await g.token(sue);
});
after(async () => {
  await crm.stop();
  await g[Symbol.asyncDispose]();
});

const approve = (id: Id<'apr'>): Promise<void> => g.decide(id, 'approved', g.house.ada);
let note = 0;
/** A call that needs a yes, of which there is no second one. */
const call = () => ({ name: 'add_note', arguments: { id: 'deal-1', note: `the lamp of row ${++note}` } });

/** An unmodified client of the npm package. */
async function client(mode: 'legacy' | 'auto', url = false): Promise<Client> {
  const c = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode }, ...(url ? { capabilities: { elicitation: { url: {} } } } : {}) },
  );
  await c.connect(
    new StreamableHTTPClientTransport(new URL(`${g.house.origin}/mcp/crm`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  );
  return c;
}
const textOf = (r: unknown): string => (r as { content: { text: string }[] }).content[0]!.text;

test('an unmodified client of the new revision shows its person the address, comes again by itself, and gets the answer', async () => {
  const c = await client('auto', true);
  const shown: string[] = [];
  c.setRequestHandler('elicitation/create', async (request) => {
    const { params } = request;
    assert.ok(params.mode === 'url');
    shown.push(params.url);
    await approve(/apr_[0-9a-f]{32}/.exec(params.url)![0] as Id<'apr'>);
    return { action: 'accept' };
  });
  const r = await c.callTool(call());
  assert.ok(textOf(r).includes(`row ${note}`), textOf(r));
  assert.equal(shown.length, 1);
  await c.close();
});

test('an unmodified client of the new revision that shows nothing waits by itself until somebody approved', async () => {
  const c = await client('auto');
  const waiting = c.callTool(call());
  let id: Id<'apr'> | undefined;
  while (!id) {
    const [found] = await g.house.t.super<{ id: Id<'apr'> }>(`select id from approval where state = 'pending'`);
    id = found?.id;
  }
  await approve(id);
  const done = textOf(await waiting);
  assert.ok(done.includes(`row ${note}`), done);
  await c.close();
});

test('an unmodified older client reads where to decide, and the same call goes through after it was approved', async () => {
  const c = await client('legacy');
  const same = call();
  const first = textOf(await c.callTool(same));
  const id = /apr_[0-9a-f]{32}/.exec(first)![0] as Id<'apr'>;
  assert.match(
    first,
    /^Waiting for approval: a person must approve this exact call of add_note first\. It has not run\./,
  );
  await approve(id);
  const done = textOf(await c.callTool(same));
  assert.ok(done.includes(`row ${note}`), done);
  await c.close();
});
