import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { callTool, type Stages } from './call-tool.ts';
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
    approve: () => Promise.resolve({ kind: 'granted', approval: newId('apr') }),
    inspect: () => ({ kind: 'clean' }),
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
      inspect: said('inspect', plain.inspect),
      send: said('send', plain.send),
      close: plain.close,
    },
  };
};

const stories: [string, Partial<Stages>, string][] = [
  ['an approved call goes through every stage', {}, 'open admit approve inspect send inspect = answered'],
  [
    'a denied call asks nobody',
    { admit: () => ({ kind: 'denied', why: 'policy', says: '', policies: [] }) },
    'open admit = denied',
  ],
  [
    'a call that waits sends nothing',
    { approve: () => Promise.resolve({ kind: 'waits', approval: {} as never }) },
    'open admit approve = held',
  ],
  [
    'what is blocked on the way out is not sent',
    { inspect: () => ({ kind: 'blocked', findings: [] }) },
    'open admit approve inspect = blocked',
  ],
  [
    'what is quarantined on the way out is not sent',
    { inspect: () => ({ kind: 'quarantined', findings: [] }) },
    'open admit approve inspect = blocked',
  ],
  [
    'a call that fails is closed',
    { send: () => Promise.resolve({ ok: false, ended: { kind: 'failed', why: 'timeout', says: '' } }) },
    'open admit approve inspect send = failed',
  ],
  [
    'a call that nobody must agree to asks nobody',
    { admit: () => ({ kind: 'admitted', needsApproval: false, policies: [] }) },
    'open admit inspect send inspect = answered',
  ],
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
    view: { connectors: new Map(), policies: broken, dlp: [] },
  };
  const admission = stagesOf(scene as CallScene).admit(call);
  assert.deepEqual([admission.kind, admission.kind === 'denied' && admission.why], ['denied', 'cannot_decide']);
});

test('an argument that rules look at and cannot read refuses the call before any rule is asked', () => {
  const scene: Partial<CallScene> = {
    ctx: { now: new Date() } as OrgCtx,
    who: {
      token: { scopes: ['mcp:read', 'mcp:write'] } as never,
      caller: { user: newId('usr'), member: newId('mem'), client: 'c', groups: [] } as never,
      address: undefined,
    },
    view: { connectors: new Map(), policies: { zone: 'UTC' } as never, dlp: [] },
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
