import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSES, type Verdict } from '#dlp/judge.ts';
import type { Redaction } from '#dlp/verdict.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { callTool, type Stages } from './call-tool.ts';
import { limitsOf } from './limits/call-limits.ts';
import { stagesOf, type CallScene } from './stages.ts';
import type { ToolCall } from './tool-call.ts';

const call: ToolCall = {
  id: newId('tcl'),
  connector: newId('con'),
  tool: 'look',
  method: 'tools/call',
  known: { name: 'look', state: 'reviewed', class: 'read', pin: 'a', reviewedPin: 'a', paramHeaders: [] },
  args: {},
  toolArgs: {},
  bytes: 1,
};
const script = (over: Partial<Stages>): { the: Stages; trace: string[] } => {
  const trace: string[] = [];
  const plain: Stages = {
    open: () => Promise.resolve(),
    admit: () => ({ kind: 'admitted', needsApproval: true, policies: [] }),
    approve: () => Promise.resolve({ kind: 'granted', approval: newId('apr'), hash: 'a'.repeat(64) }),
    kept: () => undefined,
    inspect: () => PASSES,
    redactArguments: (c) => ({ ...c, args: {} }),
    redactResult: () => 1,
    keep: () => Promise.resolve(undefined),
    take: () => Promise.resolve({ bytes: 1, error: false }),
    send: () => Promise.resolve({ ok: true, result: {}, bytes: 2, error: false }),
    close: (_c, outcome) => {
      trace.push(`= ${outcome.kind}`);
      return Promise.resolve();
    },
    ...over,
  };
  const said =
    <A extends unknown[], R>(name: string, f: (...a: A) => R) =>
    (...a: A): R => {
      trace.push(name);
      return f(...a);
    };
  return {
    trace,
    the: {
      open: said('open', plain.open),
      admit: said('admit', plain.admit),
      approve: said('approve', plain.approve),
      kept: plain.kept,
      inspect: said('inspect', plain.inspect),
      redactArguments: said('redact', plain.redactArguments),
      redactResult: said('redact', plain.redactResult),
      keep: said('keep', plain.keep),
      take: said('take', plain.take),
      send: said('send', plain.send),
      close: plain.close,
    },
  };
};

const says = (v: Partial<Verdict>): Verdict => ({ ...PASSES, ...v });
const span: Redaction = { at: '/a', start: 0, end: 1, says: 'x' };
/** One verdict on the way out, another on the way back. */
const looks =
  (out: Verdict, back: Verdict): Stages['inspect'] =>
  (phase) =>
    phase === 'arguments' ? out : back;
const unattended: Stages['admit'] = () => ({ kind: 'admitted', needsApproval: false, policies: [] });
const earlier = (phase: 'arguments' | 'result', state: 'waiting' | 'released'): Pick<Stages, 'kept'> => ({
  kept: () => Promise.resolve({ phase, state, findings: [] } as never),
});

const stories: [string, Partial<Stages>, string][] = [
  ['an approved call goes through every stage', {}, 'open admit inspect approve send inspect = answered'],
  [
    'a denied call asks nobody and shows nobody its content',
    { admit: () => ({ kind: 'denied', why: 'policy', says: '', policies: [] }) },
    'open admit = denied',
  ],
  [
    'a call that waits sends nothing',
    { approve: () => Promise.resolve({ kind: 'waits', approval: {} as never, round: 0 }) },
    'open admit inspect approve = held',
  ],
  [
    'what is blocked on the way out is not sent, and nobody is asked about it',
    { inspect: () => says({ action: 'block' }) },
    'open admit inspect = blocked',
  ],
  [
    'what is quarantined on the way out is kept and not sent',
    { inspect: () => says({ action: 'quarantine' }) },
    'open admit inspect keep = blocked',
  ],
  [
    'what is quarantined on the way back is kept and not given out',
    { admit: unattended, inspect: looks(PASSES, says({ action: 'quarantine' })) },
    'open admit inspect send inspect keep = blocked',
  ],
  [
    'what must be approved because of its content is, though the rules would let it run',
    { admit: unattended, inspect: looks(says({ action: 'require_approval' }), PASSES) },
    'open admit inspect approve send inspect = answered',
  ],
  [
    'a call from which something was taken out is judged again as it goes on',
    { admit: unattended, inspect: looks(says({ action: 'redact', redactions: [span] }), PASSES) },
    'open admit inspect redact admit send inspect = answered',
  ],
  [
    'a call that the rules do not let go on without what was taken out is denied',
    {
      admit: (c) => (c.tool === 'left' ? { kind: 'denied', why: 'policy', says: '', policies: [] } : unattended(c)),
      redactArguments: (c) => ({ ...c, tool: 'left' }),
      inspect: looks(says({ action: 'redact', redactions: [span] }), PASSES),
    },
    'open admit inspect redact admit = denied',
  ],
  [
    'a call from which something cannot be taken out is not sent',
    { inspect: () => says({ action: 'redact', redactions: [span] }), redactArguments: () => undefined },
    'open admit inspect redact = blocked',
  ],
  [
    'a result from which something cannot be taken out is not given out',
    {
      admit: unattended,
      inspect: looks(PASSES, says({ action: 'redact', redactions: [span] })),
      redactResult: () => undefined,
    },
    'open admit inspect send inspect redact = blocked',
  ],
  [
    'a call that was kept and released goes through, and its release is used up just before',
    { ...earlier('arguments', 'released'), inspect: looks(says({ action: 'quarantine' }), PASSES) },
    'open admit inspect approve take send inspect = answered',
  ],
  [
    'a release that another call used meanwhile sends nothing',
    {
      ...earlier('arguments', 'released'),
      inspect: () => says({ action: 'quarantine' }),
      take: () => Promise.resolve(undefined),
    },
    'open admit inspect approve take = blocked',
  ],
  ['a call whose result is kept does not run again', earlier('result', 'waiting'), 'open admit = blocked'],
  [
    'a call whose result was released gets it and does not run again',
    earlier('result', 'released'),
    'open admit take = answered',
  ],
  [
    'a call that fails is closed',
    { send: () => Promise.resolve({ ok: false, ended: { kind: 'failed', why: 'timeout', says: '' } }) },
    'open admit inspect approve send = failed',
  ],
  ['a call that nobody must agree to asks nobody', { admit: unattended }, 'open admit inspect send inspect = answered'],
];
for (const [claim, over, trace] of stories)
  test(claim, async () => {
    const s = script(over);
    await callTool(call, s.the);
    assert.equal(s.trace.join(' '), trace);
  });

test('a call that cannot be opened goes no further', async () => {
  const s = script({ open: () => Promise.reject(new Error('no disk')) });
  await assert.rejects(callTool(call, s.the));
  assert.equal(s.trace.join(' '), 'open');
});

test('an answer whose end cannot be recorded is not given out', async () => {
  const s = script({ close: () => Promise.reject(new Error('no disk')) });
  await assert.rejects(callTool(call, s.the));
});

test('when the policy engine breaks, the answer is no', () => {
  const broken = { program: undefined } as never;
  const scene: Partial<CallScene> = {
    ctx: { now: new Date() } as OrgCtx,
    who: {
      token: { scopes: ['mcp:read', 'mcp:write'] } as never,
      caller: { user: newId('usr'), member: newId('mem'), client: 'c', groups: [] } as never,
      address: undefined,
    },
    view: { connectors: new Map(), policies: broken, dlp: {} as never, limits: limitsOf([]) },
  };
  const admission = stagesOf(scene as CallScene).admit(call);
  assert.deepEqual([admission.kind, admission.kind === 'denied' && admission.why], ['denied', 'cannot_decide']);
});

test('what is recorded as decided is the call as it went on, not what was taken out of it', async () => {
  const recorded: unknown[] = [];
  let asked = 0;
  const { the } = script({
    admit: () => ({ kind: 'admitted', needsApproval: false, policies: [`answer ${++asked}`] }),
    inspect: looks(says({ action: 'redact', redactions: [span] }), PASSES),
    close: (_c, _o, admission) => {
      recorded.push(admission?.policies);
      return Promise.resolve();
    },
  });
  await callTool(call, the);
  assert.deepEqual(recorded, [['answer 2']]);
});

test('an argument that rules look at and cannot read refuses the call before any rule is asked', () => {
  const scene: Partial<CallScene> = {
    ctx: { now: new Date() } as OrgCtx,
    who: {
      token: { scopes: ['mcp:read', 'mcp:write'] } as never,
      caller: { user: newId('usr'), member: newId('mem'), client: 'c', groups: [] } as never,
      address: undefined,
    },
    view: { connectors: new Map(), policies: { zone: 'UTC' } as never, dlp: {} as never, limits: limitsOf([]) },
  };
  const known = {
    name: 'read',
    state: 'reviewed',
    class: 'read',
    projection: [{ kind: 'path', at: '/path' }],
  } as never;
  const admission = stagesOf(scene as CallScene).admit({
    ...call,
    method: 'tools/call',
    known,
    toolArgs: { path: '/Reports/../Secret' },
  });
  assert.ok(admission.kind === 'denied');
  assert.equal(admission.why, 'unreadable_argument');
  assert.equal(admission.says, 'the argument at /path has ".." in it; write where it leads');
});
