import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { newId } from '#kernel/id.ts';
import { detectors } from './detectors.ts';
import { dlpView, type DlpView } from './dlp-view.ts';
import type { ContentClass, DlpEngine, EngineVerdict, Inspected } from './engine.ts';
import { ENGINE_MS, judge, PASSES, type Verdict } from './judge.ts';
import { makeScanner } from './scanner.ts';
import { phases, type DlpAction, type Phase } from './verdict.ts';

const CARD = '4111111111111111';
const org = newId('org');
const viewWith = (engines: readonly DlpEngine[], card: DlpAction = 'block'): DlpView =>
  dlpView({
    org,
    classes: detectors,
    baseline: phases.map((phase) => ({ data: 'payment_card', phase, action: card })),
    policies: [],
    failModes: [],
    scanner: makeScanner({ detectors: detectors.map((d) => d.id) }),
    engines,
    kept: [],
    hashKey: Buffer.alloc(32, 1),
  });
const asked = (content: unknown, of: ContentClass | undefined = 'read', phase: Phase = 'arguments'): Inspected => ({
  phase,
  org,
  connector: newId('con'),
  tool: 'look',
  class: of,
  actor: { type: 'agent', id: 'usr_1', email: undefined },
  session: undefined,
  call: 'tcl_1',
  content,
});
const engine = (id: string, says: () => Promise<EngineVerdict>, on: readonly Phase[] = phases): DlpEngine => ({
  id,
  phases: on,
  inspect: says,
});
const saying = (id: string, action: DlpAction, more: Partial<EngineVerdict & { ok: true }> = {}): DlpEngine =>
  engine(id, () => Promise.resolve({ ok: true, engine: id, action, findings: [], ...more }));
const verdict = async (view: DlpView, what: Inspected): Promise<Verdict> => judge(view, what, []);

test('clean content without outside engines costs no promise and no verdict of its own', () => {
  assert.equal(judge(viewWith([]), asked({ a: 'clean' }), []), PASSES);
  assert.ok(!(judge(viewWith([]), asked({ a: CARD }), []) instanceof Promise));
});

test('an engine is asked about its own phases only', () => {
  const view = viewWith([engine('late', () => Promise.reject(new Error('asked')), ['result'])]);
  assert.equal(judge(view, asked('clean'), []), PASSES);
});

test('of all engines the most severe counts, and its words are the ones given', async () => {
  const view = viewWith([
    saying('a', 'alert', { reason: 'mild' }),
    saying('b', 'quarantine', { reason: 'grave', reference: 'INC-7' }),
  ]);
  const v = await verdict(view, asked('clean'));
  assert.deepEqual([v.action, v.reason, v.reference], ['quarantine', 'grave', 'INC-7']);
});

test('what our own detectors block is shown to nobody outside', async () => {
  const view = viewWith([engine('outside', () => Promise.reject(new Error('asked')))]);
  assert.deepEqual((await verdict(view, asked(CARD))).failed, []);
});

test('what an engine would do in shadow mode is told and not done', async () => {
  const v = await verdict(viewWith([saying('s', 'allow', { shadow: 'block' })]), asked('clean'));
  assert.deepEqual([v.action, v.shadow], ['allow', [{ engine: 's', action: 'block' }]]);
});

test('an engine that wants something taken out and does not say what stops it', async () => {
  assert.equal((await verdict(viewWith([saying('r', 'redact')]), asked('clean'))).action, 'block');
});

test('nobody is asked about what is there already: it is kept instead', async () => {
  const view = viewWith([saying('a', 'require_approval')]);
  assert.equal((await verdict(view, asked('clean', 'read', 'result'))).action, 'quarantine');
  assert.equal((await verdict(view, asked('clean', 'read', 'arguments'))).action, 'require_approval');
});

const broken: [what: string, engine: DlpEngine, why: string][] = [
  ['throws', engine('e', () => Promise.reject(new Error('broke'))), 'broken'],
  [
    'throws before it promises anything',
    engine('e', () => {
      throw new Error('broke');
    }),
    'broken',
  ],
  [
    'says that it failed',
    engine('e', () => Promise.resolve({ ok: false, engine: 'e', why: 'unreachable' })),
    'unreachable',
  ],
];
const modes: [ContentClass | undefined, DlpAction][] = [
  ['read', 'alert'],
  ['write', 'block'],
  ['destructive', 'block'],
  [undefined, 'block'],
];
for (const [what, e, why] of broken)
  for (const [of, action] of modes)
    test(`an engine that ${what}, in a call of class ${of ?? 'none'}: ${action}`, async () => {
      const v = await verdict(viewWith([saying('fine', 'allow'), e]), { ...asked('clean'), class: of });
      assert.equal(v.action, action);
      assert.deepEqual(v.failed, [{ engine: 'e', why }]);
      assert.deepEqual(
        v.findings.map((f) => f.detector),
        ['not_inspected'],
      );
    });

test('an engine that is silent counts as failed when its time is over', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    let ended = false;
    const silent: DlpEngine = {
      id: 'silent',
      phases,
      inspect: (_what, signal) => {
        signal.addEventListener('abort', () => (ended = true));
        return new Promise(() => undefined);
      },
    };
    const said = verdict(viewWith([silent]), asked('clean', 'write'));
    mock.timers.tick(ENGINE_MS);
    const v = await said;
    assert.deepEqual([v.action, v.failed], ['block', [{ engine: 'silent', why: 'timeout' }]]);
    assert.ok(ended, 'and it is told that nobody waits any more');
  } finally {
    mock.timers.reset();
  }
});

test('when whoever waits leaves, the engine is let go at once and nothing passes unseen', async () => {
  const end = new AbortController();
  const silent = engine('silent', () => new Promise(() => undefined));
  const said = judge(viewWith([silent]), asked('clean', 'write'), [], end.signal);
  end.abort();
  assert.equal((await said).action, 'block');
});

test('when our own scanner breaks, the class of the tool decides, and other engines are still asked', async () => {
  const view: DlpView = {
    ...viewWith([saying('outside', 'quarantine')]),
    looking: () => {
      throw new Error('broke');
    },
  };
  assert.equal((await verdict(view, asked('clean', 'write'))).action, 'block');
  const v = await verdict(view, asked('clean', 'read'));
  assert.deepEqual([v.action, v.failed], ['quarantine', [{ engine: 'detectors', why: 'broken' }]]);
});

test('when the thread that looks at long text breaks, the class of the tool decides', async () => {
  const view = viewWith([]);
  const way = view.looking({ phase: 'arguments', connector: undefined, groups: [] });
  // A scanner that a thread cannot make: an id that does not exist.
  const looking = {
    ...way,
    scanner: { ...way.scanner, key: 'broken', spec: { ...way.scanner.spec, detectors: ['none'] } },
  };
  const v = await verdict({ ...view, looking: () => looking }, asked('x '.repeat(100_000), 'write'));
  assert.deepEqual([v.action, v.failed], ['block', [{ engine: 'detectors', why: 'broken' }]]);
});

test('an organization may open or close what fails, per class', async () => {
  const base = viewWith([engine('e', () => Promise.reject(new Error('broke')))]);
  const view: DlpView = { ...base, failModes: { ...base.failModes, read: 'closed', write: 'open' } };
  assert.equal((await verdict(view, asked('clean', 'read'))).action, 'block');
  assert.equal((await verdict(view, asked('clean', 'write'))).action, 'alert');
});
