import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { testDirectory, type TestDirectory } from '#dev/test-directory.ts';

/**
 * What vendors send, one file each in fixtures/: a sequence of requests with what they must get. `{{name}}` is what an earlier step saved.
 * In `body`, a path of dots leads to a value ("|" ends an extension's URN); null: it must not be there.
 */
const Step = z.strictObject({
  says: z.string(),
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional(),
  expect: z.strictObject({ status: z.number(), body: z.record(z.string(), z.unknown()).optional() }),
  save: z.record(z.string(), z.string()).optional(),
});
const Fixture = z.strictObject({ vendor: z.string(), about: z.string(), steps: z.array(Step) });

const folder = new URL('./fixtures/', import.meta.url);
const fixtures = readdirSync(folder)
  .filter((f) => f.endsWith('.json') && f !== 'okta-scim-20-spec-test.json')
  .map((f) => Fixture.parse(JSON.parse(readFileSync(new URL(f, folder), 'utf8'))));

let first: TestDirectory;
before(async () => {
  first = await testDirectory();
});
after(() => first.t.close());

function at(body: unknown, path: string): unknown {
  const [urn, rest] = path.includes('|') ? path.split('|') : [undefined, path];
  let now: unknown = urn === undefined ? body : Object(body)[urn];
  for (const part of (rest ?? '').split('.')) now = now === undefined || now === null ? undefined : Object(now)[part];
  return now;
}

test('every vendor of the matrix has its fixture', () =>
  assert.deepEqual(fixtures.map((f) => f.vendor.replace(/[ :].*$/, '')).sort(), [
    'ConductorOne',
    'Google',
    'JumpCloud',
    'Microsoft',
    'Okta',
    'OneLogin',
    'PingOne',
  ]));

for (const { vendor, steps } of fixtures)
  test(`${vendor}: all ${steps.length} requests get what the vendor expects`, async () => {
    const d = await first.another('another parent');
    const saved = new Map<string, string>();
    const filled = (text: string): string =>
      text.replaceAll(
        /\{\{(\w+)\}\}/g,
        (_, name: string) => saved.get(name) ?? assert.fail(`nothing saved as ${name}`),
      );
    for (const s of steps) {
      const [path = '', query] = filled(s.path).split('?');
      const where =
        query === undefined
          ? path
          : `${path}?${new URLSearchParams(query.split('&').map((p): [string, string] => [p.slice(0, p.indexOf('=')), p.slice(p.indexOf('=') + 1)])).toString()}`;
      const a = await d.send(
        s.method,
        where,
        s.body === undefined ? undefined : filled(JSON.stringify(s.body)),
        Object.fromEntries(Object.entries(s.headers ?? {}).map(([k, v]) => [k.toLowerCase(), v])),
      );
      assert.equal(a.status, s.expect.status, `${s.says}: ${a.text}`);
      for (const [p, expected] of Object.entries(s.expect.body ?? {}))
        assert.deepEqual(
          at(a.body, p),
          expected === null ? undefined : typeof expected === 'string' ? filled(expected) : expected,
          `${s.says}: ${p} in ${a.text}`,
        );
      for (const [name, p] of Object.entries(s.save ?? {})) saved.set(name, String(at(a.body, p)));
    }
  });
