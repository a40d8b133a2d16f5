import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { threats } from './threats.ts';

const root = new URL('../', import.meta.url);
const text = (file: string): string => readFileSync(new URL(file, root), 'utf8');
/** Names of tests as they are written, templates too. */
const namesIn = (file: string): Set<string> =>
  new Set([...text(file).matchAll(/\btest\(\s*(['"`])((?:\\.|(?!\1)[^])*)\1/g)].map((m) => m[2] ?? ''));

test('each of the 52 attacks is proven by tests that are there, or says of which part it is that is not built', () => {
  assert.deepEqual(
    threats.map((t) => t.case),
    Array.from({ length: 52 }, (_, i) => i + 1),
  );
  const missing = threats.flatMap((t) => {
    if ('notOurs' in t) return t.notOurs.length > 20 ? [] : [`${t.case} says nothing`];
    return t.proofs.length === 0
      ? [`${t.case} has no proof`]
      : t.proofs.flatMap(([file, name]) =>
          namesIn(file).has(name) ? [] : [`${t.case}: ${file} has no test "${name}"`],
        );
  });
  assert.deepEqual(missing, []);
});

test('what is not ours yet is of the plugins, and of nothing that stands', () => {
  const open = threats.flatMap((t) => ('notOurs' in t ? [t.case] : []));
  assert.deepEqual(
    open.filter((n) => n !== 50),
    [],
  );
});

test('nothing but the embedded PostgreSQL starts a process, and no operation takes a command, its arguments or its environment', () => {
  const starts = globSync('**/*.ts', {
    cwd: root.pathname,
    exclude: ['**/node_modules/**', 'dev/**', 'bench/**', 'walls/**'],
  })
    .filter((f) => !f.endsWith('.test.ts') && /['"](?:node:)?(?:child_process|cluster)['"]/.test(text(f)))
    .toSorted();
  assert.deepEqual(starts, ['kernel/embedded-files.ts', 'kernel/embedded-init.ts', 'kernel/embedded-process.ts']);
  const taken = globSync('**/*.http.ts', { cwd: root.pathname, exclude: ['**/node_modules/**'] }).filter((f) =>
    /^\s*(?:command|argv|env|cwd|executable):\s*z\./m.test(text(f)),
  );
  assert.deepEqual(taken, []);
});
