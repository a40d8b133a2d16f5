import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { startStandIn, type StandIn } from './stand-in.ts';

type Ready = { url: string; mcp: string };
let crm: StandIn<Ready>;
before(async () => {
  crm = await startStandIn<Ready>('crm.ts', ['--bearer', 'crm-key']);
});
after(() => crm.stop());

async function client(mode: 'legacy' | 'auto', bearer = 'crm-key'): Promise<Client> {
  const c = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const headers = { authorization: `Bearer ${bearer}` };
  await c.connect(new StreamableHTTPClientTransport(new URL(crm.ready.mcp), { requestInit: { headers } }));
  return c;
}

for (const [era, mode] of [
  ['2026-07-28', 'auto'],
  ['2025-11-25', 'legacy'],
] as const) {
  test(`the CRM offers a client of ${era} tools to read, write and destroy`, async () => {
    const c = await client(mode);
    const { tools } = await c.listTools();
    assert.deepEqual(
      tools.map((t) => [t.name, t.annotations?.readOnlyHint, t.annotations?.destructiveHint ?? null]),
      [
        ['search_accounts', true, null],
        ['get_deal', true, null],
        ['update_deal', false, false],
        ['add_note', false, false],
        ['delete_deal', false, true],
        ['watch_deals', true, null],
      ],
    );
    const changed = await c.callTool({ name: 'update_deal', arguments: { id: 'deal-1', stage: 'won' } });
    assert.deepEqual((changed.structuredContent as { deal: { stage: string } }).deal.stage, 'won');
    const none = await c.callTool({ name: 'get_deal', arguments: { id: 'deal-99' } });
    assert.equal(none.isError, true);
    await c.close();
  });

  test(`a client of ${era} that watches sees progress while the call runs, and the CRM notices when it hangs up`, async () => {
    const c = await client(mode);
    const seen: number[] = [];
    const stop = new AbortController();
    const watching = c.callTool(
      { name: 'watch_deals', arguments: { seconds: 30 } },
      { onprogress: (p) => seen.push(p.progress), signal: stop.signal },
    );
    const rejected = assert.rejects(watching);
    while (seen.length < 2) await sleep(20);
    const before = crm.lines.filter((l) => l.includes('closed by the client')).length;
    // An older client that gives up only says so in a second request; the connection ends when the client does.
    if (mode === 'auto') stop.abort();
    else await c.close();
    await rejected;
    for (let i = 0; i < 50 && crm.lines.filter((l) => l.includes('closed by the client')).length === before; i++)
      await sleep(20);
    assert.equal(crm.lines.filter((l) => l.includes('closed by the client')).length, before + 1);
    await c.close();
  });
}

test('the CRM refuses a credential that is not its own, and shows which one it saw', async () => {
  await assert.rejects(client('auto', 'token-of-the-client'));
  assert.ok(crm.lines.some((l) => l.includes('authorization=Bearer token-of-the-client')));
});

test('a stand-in ends when the process that started it is killed', async () => {
  const script = `
    import { startStandIn } from ${JSON.stringify(new URL('stand-in.ts', import.meta.url).href)};
    console.log((await startStandIn('crm.ts')).ready.url);
    setInterval(() => undefined, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const url = line.toString().trim();
  assert.equal((await fetch(url)).status, 404);
  parent.kill('SIGKILL');
  let gone = false;
  for (let i = 0; i < 100 && !gone; i++) {
    await sleep(20);
    gone = await fetch(url).then(
      () => false,
      () => true,
    );
  }
  assert.equal(gone, true);
});

test('a stand-in that cannot start says why instead of being waited for', async () => {
  const port = new URL(crm.ready.url).port;
  await assert.rejects(startStandIn('crm.ts', ['--port', port]), /EADDRINUSE/);
  await assert.rejects(startStandIn('crm.ts', ['--prot', '1']), /Unknown option '--prot'/);
});
