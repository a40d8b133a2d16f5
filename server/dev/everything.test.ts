import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runConformance } from './conformance.ts';
import { startStandIn, type StandIn } from './stand-in.ts';

let fixture: StandIn<{ url: string; mcp: string }>;
before(async () => {
  fixture = await startStandIn('everything.ts');
});
after(() => fixture.stop());

test('the fixture passes all that the suite requires of a server of 2025-11-25', async () => {
  const { passed, failed, warned } = await runConformance(fixture.ready.mcp, ['--requirements', '2025-11-25']);
  assert.deepEqual({ failed, warned }, { failed: [], warned: [] });
  assert.equal(passed, 84);
});

test('the fixture passes the whole suite for 2026-07-28', async () => {
  const { passed, failed, warned } = await runConformance(fixture.ready.mcp, [
    '--suite',
    'all',
    '--spec-version',
    '2026-07-28',
  ]);
  assert.deepEqual({ failed, warned }, { failed: [], warned: [] });
  assert.equal(passed, 152);
});

test('the suite finds fault with a server that is not the fixture, so its silence means something', async () => {
  const crm = await startStandIn<{ url: string; mcp: string }>('crm.ts');
  try {
    const { failed } = await runConformance(crm.ready.mcp, ['--requirements', '2025-11-25']);
    assert.ok(failed.includes('tools-call-simple-text: tools-call-simple-text'), failed.join('\n'));
  } finally {
    await crm.stop();
  }
});

test('a suite that cannot reach its server is an error and not a pass', async () => {
  const { failed, passed } = await runConformance('http://127.0.0.1:9/mcp', ['--scenario', 'ping']).catch(
    (e: unknown) => ({
      failed: [String(e)],
      passed: 0,
    }),
  );
  assert.equal(passed, 0);
  assert.notDeepEqual(failed, []);
});
