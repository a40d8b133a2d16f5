// How fast text is inspected with every detector on: clean and dense prose and logs, beside each of 40 plain patterns run by itself over the same
// text, and beside secretlint's recommended rules; how long one text takes; what is found and missed; and a hundred million clean characters.
import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';
import { cleanLog, cleanProse } from '#dev/dlp-clean.ts';
import { corpus, scores } from '#dev/dlp-corpus.ts';
import { random } from '#dev/random-cedar.ts';
import { detectors } from '#dlp/detectors.ts';
import { scanText } from '#dlp/scan.ts';
import { makeScanner } from '#dlp/scanner.ts';

const ids = detectors.map((d) => d.id);
const all = makeScanner({ detectors: ids });
const MB = 1_000_000;

/** Text with something to find in one line of fifty. */
function dense(text: string): string {
  const r = random(5);
  const lines = text.split(/(?<=\n)/);
  return lines
    .map((line) => {
      const d = detectors[r(detectors.length)];
      return r(50) === 0 && d ? `${line.trimEnd()} ${d.catches[r(d.catches.length)]}\n` : line;
    })
    .join('');
}

const prose = cleanProse(random(1), 4 * MB);
const logs = cleanLog(random(2), 4 * MB);
const texts: readonly [what: string, text: string][] = [
  ['prose, clean', prose],
  ['prose, dense', dense(prose)],
  ['logs, clean', logs],
  ['logs, dense', dense(logs)],
];

// One pattern for each kind of thing, as a list of patterns would be written: no check digits, no folding, no layers.
const plain: readonly RegExp[] = [
  /\b(?:\d[ -]?){13,19}\b/g,
  /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g,
  /\b\d{3}-\d{2}-\d{4}\b/g,
  /\b9\d{2}-[5-9]\d-\d{4}\b/g,
  /\b\d{3} \d{3} \d{4}\b/g,
  /\b[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b/g,
  /\b\d{2} ?\d{3} ?\d{3} ?\d{3}\b/g,
  /\bDE ?\d{9}\b/g,
  /\b[12]\d{2}[01]\d\d{2}\d{8}\b/g,
  /\b\d{8}[A-Z]\b/g,
  /\b[XYZ]\d{7}[A-Z]\b/g,
  /\b[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]\b/g,
  /\b\d{6}[-+A]\d{3}[0-9A-Z]\b/g,
  /\b\d{6}-\d{4}\b/g,
  /\b[2-9]\d{3} ?\d{4} ?\d{4}\b/g,
  /\b\d{2}[A-Z]{5}\d{4}[A-Z]\d[A-Z]\d\b/g,
  /\b\d{6}-[1-4]\d{6}\b/g,
  /\b[STFGM]\d{7}[A-Z]\b/g,
  /\b\d{3}\.\d{3}\.\d{3}-\d{2}\b/g,
  /\b(?:bc1|[13])[a-zA-HJ-NP-Z0-9]{25,39}\b/g,
  /\b[\w.+-]+@[\w-]+\.[\w.-]+\b/g,
  /\+\d[\d ().-]{7,14}\d/g,
  /\b(?:dob|born|birth)\W+\d{1,2}[./-]\d{1,2}[./-]\d{2,4}/gi,
  /\bpassport\W+[A-Z0-9]{6,9}\b/gi,
  /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g,
  /\bgh[pousr]_[A-Za-z0-9]{36}\b/g,
  /\bglpat-[\w-]{20}\b/g,
  /\bxox[baprs]-[\w-]{10,}\b/g,
  /\b[sr]k_(?:live|test)_\w{16,}\b/g,
  /\bsk-(?:proj-)?[\w-]{40,}\b/g,
  /\bsk-ant-[\w-]{40,}\b/g,
  /\bAIza[\w-]{35}\b/g,
  /\bAccountKey=[A-Za-z0-9+/=]{88}/g,
  /\bnpm_\w{36}\b/g,
  /\bSK[0-9a-f]{32}\b/g,
  /\bSG\.[\w-]{22}\.[\w-]{43}\b/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/g,
  /\beyJ[\w-]+\.[\w-]+\.[\w-]+/g,
  /\b[a-z]+:\/\/[^\s:@/]+:[^\s@/]+@/gi,
  /\b(?:password|secret|token)["' ]*[:=]["' ]*\S{8,}/gi,
];

/** Processor time of this thread, because the machine has other things to do. */
const cpu = (): number => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;
function best(times: number, one: () => void): number {
  let least = Infinity;
  for (let i = 0; i < times; i++) {
    const from = cpu();
    one();
    least = Math.min(least, cpu() - from);
  }
  return least;
}
const rate = (chars: number, ms: number): string => `${(chars / MB / (ms / 1000)).toFixed(1).padStart(7)} MB/s`;

console.log(`${detectors.length} detectors, ${plain.length} plain patterns; MB/s of one core, best of several`);
for (const [what, text] of texts) {
  const ours = best(5, () => scanText(text, all));
  const each = plain.map((p) => best(2, () => void text.match(p)));
  const together = each.reduce((a, b) => a + b, 0);
  const part = text.slice(0, 300_000);
  const from = cpu();
  await lintSource({
    source: { filePath: 'a.txt', content: part, ext: '.txt', contentType: 'text' },
    options: { config: { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: creator }] } },
  });
  const theirs = cpu() - from;
  console.log(
    `${what.padEnd(14)} ours ${rate(text.length, ours)}   plain patterns, one after the other ${rate(text.length, together)} (slowest ${rate(text.length, Math.max(...each)).trim()})   secretlint ${rate(part.length, theirs)}   ${scanText(text, all).length} found`,
  );
}

for (const size of [2000, 16_000, 256_000, 1_900_000]) {
  const took: number[] = [];
  const runs = Math.min(400, Math.ceil((60 * MB) / size));
  for (let i = 0; i < runs; i++) {
    const [, text] = texts[i % texts.length] ?? ['', ''];
    const at = (i * 7919) % (text.length - size);
    const part = text.slice(at, at + size);
    const from = performance.now();
    scanText(part, all);
    took.push(performance.now() - from);
  }
  took.sort((a, b) => a - b);
  const p = (q: number): string => (took[Math.floor(runs * q)] ?? 0).toFixed(2).padStart(8);
  console.log(`${String(size).padStart(9)} characters   p50 ${p(0.5)} ms   p99 ${p(0.99)} ms   of ${runs}`);
}

const measured = scores(corpus(20261120, 500), (text) => scanText(text, all).map((m) => m.detector)).scores;
console.log(`\n${'detector'.padEnd(24)} class        recall  precision`);
for (const s of measured) {
  const d = detectors.find((x) => x.id === s.detector);
  if (d && s.found + s.missed > 0)
    console.log(`${s.detector.padEnd(24)} ${d.class.padEnd(12)} ${s.recall.toFixed(3)}   ${s.precision.toFixed(3)}`);
}

const grave = makeScanner({
  detectors: detectors.filter((d) => d.severity === 'high' || d.severity === 'critical').map((d) => d.id),
});
let clean = 0;
let wrong = 0;
for (let i = 0; clean < 100 * MB; i++) {
  const text = (i % 2 === 0 ? cleanProse : cleanLog)(random(1000 + i), MB);
  clean += text.length;
  for (const m of scanText(text, grave)) {
    wrong++;
    if (wrong <= 20) console.log(`wrong: ${m.detector} in ${JSON.stringify(text.slice(m.start - 30, m.end + 30))}`);
  }
}
console.log(`\n${(clean / MB).toFixed(0)} MB of clean text: ${wrong} findings of detectors that block`);
