import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, hash as digest, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { actionHash, challengeOf, decisionHash } from './action-hash.ts';
import {
  parseAction,
  parseApprovalRequest,
  parseDecision,
  parseGrant,
  type Action,
  type Decision,
} from './approval.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const vectors = JSON.parse(readFileSync(path('./approval-vectors.json'), 'utf8')) as {
  actions: { name: string; action: unknown; hash: string }[];
  decisions: { name: string; decision: unknown; hash: string }[];
  challenges: { name: string; actions: string[]; challenge: string }[];
};
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-approval-'));
after(() => rmSync(folder, { recursive: true }));
const verify = (...args: string[]): { status: number | null; says: string } => {
  const r = spawnSync(process.execPath, [path('./verify-approval.mjs'), ...args], { encoding: 'utf8' });
  return { status: r.status, says: `${r.stdout}${r.stderr}` };
};

for (const { name, action, hash } of vectors.actions)
  test(`an action hashes as the vectors say: ${name}`, () => {
    assert.equal(actionHash(parseAction(action)).toString('hex'), hash);
  });
for (const { name, decision, hash } of vectors.decisions)
  test(`a decision hashes as the vectors say: ${name}`, () => {
    assert.equal(decisionHash(parseDecision(decision)).toString('hex'), hash);
  });
for (const { name, actions, challenge } of vectors.challenges)
  test(`what a passkey signs is as the vectors say: ${name}`, () => {
    assert.equal(challengeOf(actions).toString('hex'), challenge);
  });

test('no two actions of the vectors have one hash: arguments, tool, definition, connector, organization, person and agent all count', () => {
  assert.equal(new Set(vectors.actions.map((a) => a.hash)).size, vectors.actions.length);
});

test('the stand-alone verifier, which shares no code with this package, finds the same hashes', () => {
  const r = verify('--vectors', path('./approval-vectors.json'));
  assert.deepEqual([r.status, r.says], [0, 'ok: 17 actions, 5 decisions and 4 challenges\n']);
});

test('a vector that was altered is named by the stand-alone verifier', () => {
  const first = vectors.actions[0]!;
  const altered = { ...vectors, actions: [{ ...first, action: { ...(first.action as Action), tool: 'other' } }] };
  const file = join(folder, 'altered.json');
  writeFileSync(file, JSON.stringify(altered));
  const r = verify('--vectors', file);
  assert.equal(r.status, 1);
  assert.match(r.says, /^wrong: the action "a call" has the hash /);
});

const action = vectors.actions[0]!.action as Action;
const decision = vectors.decisions[0]!.decision as Decision;
const executor = action.executor;
const request = {
  approval: 'apr_1',
  action,
  hash: 'a'.repeat(64),
  state: 'pending',
  asked: decision.at,
  expires: decision.at,
};
const grant = {
  grant: 'gra_1',
  approval: 'apr_1',
  decision: 'dec_1',
  hash: null,
  executor,
  pin: null,
  policyVersion: 'v',
  state: 'unused',
  used: 0,
  most: 20,
  expires: decision.at,
};

test('what is as it must be is read as it is', () => {
  assert.deepEqual(parseAction(action), action);
  assert.deepEqual(parseDecision(decision), decision);
  assert.deepEqual(parseApprovalRequest(request), request);
  assert.deepEqual(parseGrant(grant), grant);
});

const refused: [string, () => unknown, RegExp][] = [
  ['a field that nobody knows', () => parseAction({ ...action, note: 'hi' }), /action\.note is not a field/],
  ['a field that is missing', () => parseAction({ ...action, pin: undefined, org: action.org }), /action\.pin is not/],
  ['another version', () => parseAction({ ...action, v: 2 }), /action\.v is not 1/],
  [
    'arguments that are not JSON',
    () => parseAction({ ...action, args: { at: new Date(0) } }),
    /action\.args is not JSON/,
  ],
  ['half a character', () => parseAction({ ...action, tool: '\ud83d' }), /action\.tool is not a text/],
  ['a hash in capitals', () => parseAction({ ...action, pin: 'A'.repeat(64) }), /action\.pin is not a SHA-256/],
  ['a decision about nothing', () => parseDecision({ ...decision, items: [] }), /decision\.items is not a list/],
  [
    'one request twice',
    () => parseDecision({ ...decision, items: [decision.items[0], decision.items[0]] }),
    /decision\.items\.1/,
  ],
  ['a verdict that is none', () => parseDecision({ ...decision, verdict: 'maybe' }), /decision\.verdict is not one of/],
  [
    'a time in another spelling',
    () => parseDecision({ ...decision, at: '2026-01-31T08:00:00Z' }),
    /decision\.at is not a time/,
  ],
  [
    'a state that is none',
    () => parseApprovalRequest({ ...request, state: 'granted' }),
    /request\.state is not one of/,
  ],
  ['more uses than it is good for', () => parseGrant({ ...grant, used: 21 }), /grant\.used is not/],
];
for (const [what, read, says] of refused) test(`reading refuses ${what}`, () => assert.throws(read, says));

// Evidence as a server gives it out, made here with a key of our own.
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const origin = 'https://gatehouse.example';
function evidence(over: { flags?: number; signs?: string; at?: string } = {}): Record<string, unknown> {
  const hash = actionHash(action).toString('hex');
  const client = Buffer.from(
    JSON.stringify({
      type: 'webauthn.get',
      challenge: Buffer.from(over.signs ?? hash, 'hex').toString('base64url'),
      origin: over.at ?? origin,
    }),
  );
  const site = digest('sha256', new URL(origin).hostname, 'buffer');
  const auth = Buffer.concat([site, Buffer.of(over.flags ?? 5), Buffer.alloc(4)]);
  const signature = sign('sha256', Buffer.concat([auth, digest('sha256', client, 'buffer')]), privateKey);
  return {
    action,
    hash,
    decision,
    decisionHash: decisionHash(decision).toString('hex'),
    proof: {
      credential: 'a-credential',
      publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64url'),
      origin,
      clientDataJSON: client.toString('base64url'),
      authenticatorData: auth.toString('base64url'),
      signature: signature.toString('base64url'),
    },
  };
}
const judged = (e: unknown): { status: number | null; says: string } => {
  const file = join(folder, 'evidence.json');
  writeFileSync(file, JSON.stringify(e));
  return verify(file);
};

test('the evidence of a decision with a passkey verifies offline', () => {
  const r = judged(evidence());
  assert.equal(r.status, 0, r.says);
  assert.match(r.says, /approved exactly this action .* signed it with a passkey/);
});
const forged: [string, () => unknown, RegExp][] = [
  [
    'arguments were changed afterwards',
    () => ({ ...evidence(), action: { ...action, args: {} } }),
    /not the hash of this action/,
  ],
  [
    'the verdict was turned',
    () => ({ ...evidence(), decision: { ...decision, verdict: 'denied' } }),
    /not the one that was recorded/,
  ],
  ['the passkey signed another action', () => evidence({ signs: 'b'.repeat(64) }), /signed another action/],
  [
    'the passkey was used at another site',
    () => evidence({ at: 'https://evil.example' }),
    /was used at https:\/\/evil/,
  ],
  ['nobody unlocked the passkey', () => evidence({ flags: 1 }), /did not verify the person/],
  [
    'the signature is of another key',
    () => {
      const e = evidence();
      const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
      return {
        ...e,
        proof: {
          ...(e['proof'] as object),
          publicKey: other.export({ format: 'der', type: 'spki' }).toString('base64url'),
        },
      };
    },
    /signature of the passkey is false/,
  ],
];
for (const [what, make, says] of forged)
  test(`evidence does not verify where ${what}`, () => {
    const r = judged(make());
    assert.equal(r.status, 1, r.says);
    assert.match(r.says, says);
  });
