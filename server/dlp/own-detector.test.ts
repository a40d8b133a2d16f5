import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type Answer, type DoorHouse } from '#dev/door-house.ts';
import { newId } from '#kernel/id.ts';
import { dlpOperations } from './dlp.http.ts';
import { inspectOperations } from './inspect.http.ts';
import { ownDetectorOperations } from './own-detector.http.ts';

let h: DoorHouse;
before(async () => {
  h = await doorHouse({
    operations: [
      ...dlpOperations({ hasConnector: () => Promise.resolve(false) }),
      ...ownDetectorOperations,
      ...inspectOperations(),
    ],
  });
});
after(() => h[Symbol.asyncDispose]());

const org = (path: string): string => `/orgs/${h.acme.org}/dlp${path}`;
const add = (name: string, finds: unknown, severity = 'high'): Promise<Answer> =>
  h.api('POST', org('/detectors'), { name, severity, finds });
const judged = async (content: unknown): Promise<{ action: unknown; found: string[] }> => {
  const a = await h.api('POST', org('/inspect'), { phase: 'prompt', content });
  assert.equal(a.status, 200, a.text);
  return {
    action: a.body['action'],
    found: (a.body['findings'] as { detector: string }[]).map((f) => f.detector),
  };
};

const kinds: [kind: string, finds: unknown, has: string, hasNot: string][] = [
  ['terms', { kind: 'terms', terms: ['Project Lantern'] }, 'about PROJECT lantern, then', 'a project about a lantern'],
  ['a pattern', { kind: 'pattern', pattern: 'NWL-[0-9]{6}' }, 'drawing NWL-482910.', 'drawing NWL-4829'],
  [
    'a dictionary',
    { kind: 'dictionary', phrases: ['tungsten', 'argon fill', 'filament coil'], atLeast: 2 },
    'a filament coil and argon fill',
    'a filament coil alone',
  ],
  [
    'exact values',
    {
      kind: 'exact',
      rows: [
        ['Bianca Beacon', 'PX-774411'],
        ['Luca Lumen', 'PX-990022'],
      ],
    },
    'Bianca Beacon has PX-774411',
    'Bianca Beacon has PX-990022',
  ],
];
for (const [kind, finds, has, hasNot] of kinds)
  test(`${kind} of an organization's own are found from the next content on, until they are removed`, async () => {
    assert.equal((await judged(has)).action, 'allow');
    const made = await add(`own ${kind}`, finds);
    assert.equal(made.status, 201, made.text);
    const id = String(made.body['id']);
    assert.deepEqual(await judged({ deep: [{ text: has }] }), { action: 'block', found: [id] });
    assert.equal((await judged(hasNot)).action, 'allow');
    const baseline = (await h.api('GET', org('/baseline?limit=100'))).body['items'] as {
      data: string;
      finds: string;
    }[];
    assert.equal(baseline.find((b) => b.data === id)?.finds, `own ${kind}`);
    assert.equal((await h.api('PUT', org(`/baseline/${id}`), { prompt: 'redact' })).status, 204);
    const redacted = await h.api('POST', org('/inspect'), { phase: 'prompt', content: `a ${has} b` });
    assert.match(String(redacted.body['content']), new RegExp(`\\[redacted: own ${kind}\\]`));
    assert.equal((await h.api('DELETE', org(`/detectors/${id}`))).status, 204);
    assert.equal((await judged(has)).action, 'allow');
    assert.equal((await h.api('DELETE', org(`/detectors/${id}`))).body['code'], 'dlp/no-detector');
  });

test('the values of an exact table are nowhere in the database, and no answer shows what a detector looks for', async () => {
  const finds = { kind: 'exact', rows: [['Wilhelmina Wattage', 'ZX-551177']] };
  const made = await add('customers', finds);
  const listed = await h.api('GET', org('/detectors?q=custom'));
  assert.equal((listed.body['items'] as unknown[]).length, 1);
  for (const value of ['Wattage', '551177']) {
    for (const answer of [made, listed]) assert.ok(!answer.text.includes(value));
    for (const { name } of await h.t.super<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`,
    ))
      assert.equal(
        (await h.t.super(`select from public.${name} r where r::text ilike $1`, `%${value}%`)).length,
        0,
        `${name} has ${value}`,
      );
  }
});

test('what a removed detector looked for is forgotten', async () => {
  const made = await add('soon gone', { kind: 'terms', terms: ['evanescent'] });
  await h.api('DELETE', org(`/detectors/${String(made.body['id'])}`));
  const rows = await h.t.super(`select from dlp_detector where spec::text like '%evanescent%'`);
  assert.equal(rows.length, 0);
});

test('a detector can be tried on a text before it is added; neither is kept', async () => {
  const a = await h.api('POST', org('/detectors/try'), {
    finds: { kind: 'pattern', pattern: 'lamp [a-z]+' },
    text: 'one lamp black, one lamp white',
  });
  assert.deepEqual(
    (a.body['findings'] as { start: number; end: number }[]).map((f) => [f.start, f.end]),
    [
      [4, 14],
      [20, 30],
    ],
  );
  assert.equal((await h.t.super(`select from dlp_detector where spec::text like '%lamp%'`)).length, 0);
  const [e] = await h.events('dlp.detector_tried');
  assert.deepEqual(e?.data, { kind: 'pattern', findings: 2 });
});

test('a pattern that is not linear in time, or finds everything, is refused when it is added', async () => {
  for (const pattern of ['(a)\\1', '(?=x)y', 'x*', '('])
    assert.equal((await add(`bad ${pattern}`, { kind: 'pattern', pattern })).body['code'], 'dlp/pattern-refused');
});

test('a name is used once, and another organization sees nothing of it', async () => {
  await add('Names', { kind: 'terms', terms: ['lampshade'] });
  const twice = await add('NAMES', { kind: 'terms', terms: ['chandelier'] });
  assert.equal(twice.body['code'], 'dlp/detector-name-taken');
  assert.equal((await h.api('DELETE', org(`/detectors/${newId('ddt')}`))).body['code'], 'dlp/no-detector');
  assert.equal((await h.api('DELETE', org('/detectors/nonsense'))).body['code'], 'dlp/no-detector');
});

test('an organization can have so many detectors and no more', async () => {
  await h.t.super(
    `insert into dlp_detector (org, id, name, kind, severity, entries, spec, created_by, created_at)
     select $1, 'ddt_' || lpad(to_hex(n), 32, '0'), 'many ' || n, 'terms', 'low', 1, '{"kind":"terms","terms":["rarely"]}', 'test', now()
       from generate_series(1, 100) n`,
    h.acme.org,
  );
  const a = await add('one too many', { kind: 'terms', terms: ['excess'] });
  assert.equal(a.body['code'], 'dlp/too-many-detectors');
});
