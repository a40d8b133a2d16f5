import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanLog, cleanProse } from '#dev/dlp-clean.ts';
import { corpus, generated, scores } from '#dev/dlp-corpus.ts';
import { random } from '#dev/random-cedar.ts';
import { detectors } from './detectors.ts';
import { scanText } from './scan.ts';
import { makeScanner } from './scanner.ts';

const all = makeScanner({ detectors: detectors.map((d) => d.id) });
const said = (text: string): string[] => scanText(text, all).map((m) => m.detector);
const TIMES = 200;
const result = scores(corpus(20261120, TIMES), said);

/** Recall and precision that each class promises. */
const promises = { checksum: [0.98, 0.99], prefix: [0.98, 0.98], contextual: [0.9, 0.9], customer: [1, 1] } as const;
for (const d of detectors.filter((x) => generated.includes(x.id))) {
  const [recall, precision] = promises[d.class];
  test(`${d.id} finds ${recall * 100} % of ${TIMES} in eight languages and many forms, and is right ${precision * 100} % of the time beside as many that only look alike`, () => {
    const s = result.scores.find((x) => x.detector === d.id);
    assert.ok(
      s && s.recall >= recall,
      `recall ${s?.recall}: ${JSON.stringify(result.misses.find((m) => m.detector === d.id))}`,
    );
    assert.ok(
      s.precision >= precision,
      `precision ${s.precision}: ${JSON.stringify(result.wrongs.find((m) => m.said === d.id))}`,
    );
  });
}

test('a detector that the corpus has no texts of is one of three whose values nobody checks', () => {
  assert.deepEqual(
    detectors.map((d) => d.id).filter((id) => !generated.includes(id)),
    ['dk_cpr', 'bitcoin_address', 'classification_marking'],
  );
});

const grave = makeScanner({
  detectors: detectors.filter((d) => d.severity === 'critical' || d.severity === 'high').map((d) => d.id),
});
for (const [what, make] of [
  ['prose', cleanProse],
  ['logs', cleanLog],
] as const)
  test(`in four million characters of clean ${what} nothing grave is found (npm run bench -- dlp looks at a hundred million)`, () => {
    const r = random(3);
    for (let i = 0; i < 8; i++) {
      const text = make(r, 500_000);
      assert.deepEqual(
        scanText(text, grave).map((m) => `${m.detector} in ${text.slice(m.start - 40, m.end + 40)}`),
        [],
      );
    }
  });
