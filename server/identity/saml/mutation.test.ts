import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { MutationResult, MutationRun } from '#dev/saml-mutate.ts';

const RUNS = 100_000;
const WORKERS = 2;

const run = (workerData: MutationRun): Promise<MutationResult> =>
  new Promise((resolve, reject) => {
    const w = new Worker(new URL('../../dev/saml-mutate.ts', import.meta.url), { workerData });
    w.once('message', resolve).once('error', reject);
  });

test(`of ${RUNS.toLocaleString('en')} random edits of good signed responses, none makes the server believe anything else than what was signed`, async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const results = await Promise.all(
    Array.from({ length: WORKERS }, (_, i) => run({ runs: RUNS / WORKERS, seed: seed + i })),
  );
  const runs = results.reduce((sum, r) => sum + r.runs, 0);
  const accepted = results.reduce((sum, r) => sum + r.accepted, 0);
  const codes = new Set(results.flatMap((r) => Object.keys(r.codes)));
  t.diagnostic(
    `seed ${seed}: ${accepted} of ${runs} accepted, each with the claims that were signed; ${codes.size} reasons to refuse`,
  );
  assert.deepEqual(
    results.flatMap((r) => r.wrong),
    [],
    `seed ${seed}`,
  );
  assert.equal(runs, RUNS);
  // The edits must reach the judge's inside, and some must change nothing, or they would prove nothing.
  assert.ok(accepted > 100, `${accepted} accepted`);
  assert.ok(codes.size > 30, `${codes.size} reasons`);
});
