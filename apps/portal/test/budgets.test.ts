import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { buildPortal } from '@gatehouse/portal/build.ts';

/** What a browser fetches before a page can be used, in KB (1,024 bytes) of gzip. */
const INITIAL_KB = 180;
const ROUTE_KB = 60;

type Chunk = { file: string; isEntry?: boolean; imports?: string[]; src?: string; dynamicImports?: string[] };
const dist = new URL('../dist/', import.meta.url);
let chunks: Record<string, Chunk>;
before(async () => {
  await buildPortal();
  chunks = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8')) as Record<string, Chunk>;
});

const kb = (files: Iterable<string>): number =>
  [...files].reduce((n, f) => n + gzipSync(readFileSync(new URL(f, dist)), { level: 9 }).length / 1024, 0);

/** The files that a chunk needs before it runs, itself among them. */
function needed(name: string, seen = new Set<string>()): Set<string> {
  const chunk = chunks[name];
  if (!chunk || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const i of chunk.imports ?? []) needed(i, seen);
  return seen;
}

test(`what every page needs is at most ${INITIAL_KB} KB of script`, () => {
  const [entry] = Object.entries(chunks).find(([, c]) => c.isEntry) ?? [];
  assert.ok(entry);
  const size = kb(needed(entry));
  assert.ok(size > 0 && size <= INITIAL_KB, `it is ${size.toFixed(1)} KB`);
});

test(`a page brings at most ${ROUTE_KB} KB of script of its own, and no part that pages share is heavier`, () => {
  const [entry] = Object.entries(chunks).find(([, c]) => c.isEntry) ?? [];
  const first = needed(entry ?? '');
  const pages = Object.keys(chunks).filter((name) => name.startsWith('src/pages/'));
  assert.ok(pages.length > 0);
  const times = new Map<string, number>();
  for (const name of pages) for (const f of needed(name)) times.set(f, (times.get(f) ?? 0) + 1);
  // What several pages need is fetched once, with the first of them.
  const own = (name: string): string[] => [...needed(name)].filter((f) => times.get(f) === 1);
  const heavy = [
    ...pages.map((name) => [name, kb(own(name))] as const),
    ...Object.values(chunks).map(
      (c) => [c.file, first.has(c.file) || !c.file.endsWith('.js') ? 0 : kb([c.file])] as const,
    ),
  ].filter(([, n]) => n > ROUTE_KB);
  assert.deepEqual(heavy, []);
});

test('charts that explore are loaded when somebody looks at one, never before', () => {
  const charting = Object.entries(chunks).filter(
    ([name]) => name.includes('recharts') || name.endsWith('/chart-view.tsx'),
  );
  const lazily = new Set(Object.values(chunks).flatMap((c) => c.dynamicImports ?? []));
  for (const [name] of charting) assert.ok(lazily.has(name), `${name} is loaded with a page`);
});

test('the portal imports nothing of the server', () => {
  const root = new URL('../src/', import.meta.url);
  const bad = globSync('**/*.{ts,tsx}', { cwd: root.pathname }).filter((f) =>
    /from '(?:@gatehouse\/server|#|(?:\.\.\/)+server)/.test(readFileSync(new URL(f, root), 'utf8')),
  );
  assert.deepEqual(bad, []);
});

test('no page has markup from text, a style in its text, or an address of elsewhere', () => {
  const root = new URL('../src/', import.meta.url);
  const bad = globSync('**/*.{ts,tsx}', { cwd: root.pathname }).filter((f) =>
    /dangerouslySetInnerHTML|innerHTML|\beval\(|new Function|src="https?:/.test(readFileSync(new URL(f, root), 'utf8')),
  );
  assert.deepEqual(bad, []);
});
