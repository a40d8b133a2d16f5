import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { doorsInside, outside, rooms } from './rooms.ts';

const root = new URL('../', import.meta.url);
const text = (file: string): string => readFileSync(new URL(file, root), 'utf8');
const files = globSync('**/*.ts', { cwd: root.pathname, exclude: ['**/node_modules/**'] });
const inRoom = files.filter((f) => f.includes('/') && !outside.some((o) => f.startsWith(`${o}/`)));

/** What a text imports from other rooms: `#room/file.ts`, statically, dynamically or by a relative path that leaves the room. */
export function imports(file: string, source: string): { to: string; spelled: string }[] {
  return [...source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].flatMap(([, spelled = '']) => {
    if (spelled.startsWith('#')) return [{ to: spelled.slice(1).split('/')[0] ?? '', spelled }];
    if (!spelled.startsWith('.')) return [];
    const path = new URL(spelled, new URL(file, 'file:///')).pathname.slice(1);
    const to = path.includes('/') ? (path.split('/')[0] ?? '') : 'top';
    return [{ to, spelled }];
  });
}

/** Violations of the table in one file. */
export function violations(file: string, source: string): string[] {
  const room = file.split('/')[0] ?? '';
  const may = rooms[room];
  if (!may) return [`${file}: ${room} is not a room of the table`];
  const test = file.endsWith('.test.ts');
  const bad: string[] = [];
  for (const { to, spelled } of imports(file, source)) {
    const own = to === room;
    const low = to === 'kernel' || (to === 'audit' && room !== 'kernel') || may.includes(to);
    const inTest = test && (outside.some((o) => o === to) || Object.keys(rooms).includes(to));
    if (!own && !low && !inTest)
      bad.push(`${file} imports ${spelled}: ${room} may import ${['kernel', 'audit', ...may].join(', ')}`);
  }
  if (!test)
    for (const d of doorsInside)
      if (d.uses.test(source) && !d.only.test(file)) bad.push(`${file} uses ${d.name}: ${d.why}`);
  return bad;
}

test('every import goes down the table, and each door inside the house is opened only by those it names', () => {
  assert.deepEqual(
    inRoom.flatMap((f) => violations(f, text(f))),
    [],
  );
});

test('the table has no cycle: a room lists only rooms above which it stands', () => {
  const seen: string[] = [];
  for (const [room, may] of Object.entries(rooms)) {
    for (const m of may) assert.ok(seen.includes(m), `${room} lists ${m}, which is above it`);
    seen.push(room);
  }
});

test('nothing in a room imports the top files, the stand-ins or the benchmarks', () => {
  for (const planted of [
    "import { x } from '../main.ts';",
    "import { x } from '#dev/people.ts';",
    "import { x } from '#bench/gateway.ts';",
  ])
    assert.equal(violations('org/planted.ts', planted).length, 1, planted);
});

test('a planted violation is seen, however it is spelt', () => {
  const planted: [string, string][] = [
    ['directory/x.ts', "import { a } from '#gateway/call-tool.ts';"],
    ['directory/x.ts', "import type { a } from '#identity/session.ts';"],
    ['directory/x.ts', "const a = await import('#gateway/call-tool.ts');"],
    ['directory/x.ts', "import { a } from '../identity/session.ts';"],
    ['kernel/x.ts', "import { change } from '#audit/change.ts';"],
    ['org/x.ts', "import { read, write } from '#kernel/db.ts';"],
    ['org/x.ts', 'await ctx.db.transact(scope, work);'],
    ['org/x.ts', 'const a = process.env;'],
    ['org/x.ts', "import { Hono } from 'hono';"],
    ['org/x.ts', "console.log('x');"],
    ['somewhere/x.ts', ''],
  ];
  for (const [file, source] of planted) assert.notDeepEqual(violations(file, source), [], `${file}: ${source}`);
});

test('no folder is called utils, common, services, types or helpers', () => {
  assert.deepEqual(
    files.filter((f) => /(^|\/)(utils?|common|services?|types|helpers?)(\/|\.ts$)/.test(f)),
    [],
  );
});

test('a file over 300 lines says why in its first comment', () => {
  const long = inRoom.filter(
    (f) =>
      !f.endsWith('.test.ts') &&
      text(f).split('\n').length > 300 &&
      !/^(?:\/\/|\/\*\*?)[^]{0,400}\b(long|lines|one file)\b/.test(text(f)),
  );
  assert.deepEqual(long, []);
});

test('every room has a README that says what it owns, believes, never does and keeps', () => {
  const names = [...new Set(inRoom.map((f) => f.split('/')[0] ?? ''))];
  for (const room of names) {
    const readme = text(`${room}/README.md`);
    for (const heading of ['Owns', 'Believes', 'Never does', 'Tables'])
      assert.match(readme, new RegExp(`^#+ ${heading}`, 'm'), `${room}/README.md lacks "${heading}"`);
  }
});
