import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { approvalHouse, PIN, type ApprovalHouse, type HouseMember, type Over } from '#dev/approval-house.ts';
import type { Answer } from '#dev/door-house.ts';
import { softPasskey } from '#dev/soft-passkey.ts';
import { newId, type Id } from '#kernel/id.ts';

/** One yes to further calls of a run: "create files under /Reports, at most three". */
let a: ApprovalHouse;
let luca: HouseMember;
let olga: HouseMember;
const connector = newId('con');
before(async () => {
  a = await approvalHouse();
  luca = await a.person('Luca');
  olga = await a.person('Olga', 'admin');
  const projection = [
    { kind: 'folder' as const, at: '/folder' },
    { kind: 'recipient' as const, at: '/to/*' },
  ];
  a.tools.set('create_file', { pin: PIN, class: 'write', projection });
  a.tools.set('other_tool', { pin: PIN, class: 'write', projection });
  await a.rule({ name: 'writing asks', connector, tools: { classes: ['write'] } });
  const r = await settings({ runGrants: true, runMost: 5, runMinutes: 30 });
  assert.equal(r.status, 200, r.text);
});
after(() => a[Symbol.asyncDispose]());
// What an earlier test approved is over.
beforeEach(() => a.h.advance(31 * 60_000));

const settings = (body: object, by?: HouseMember): Promise<Answer> =>
  a.h.api('PATCH', `/orgs/${a.h.acme.org}/approval-settings`, body, by?.headers);
let n = 0;
const call = (folder: string, more: Record<string, string[]> = {}): Over => ({
  connector,
  tool: 'create_file',
  class: 'write',
  args: { folder, name: `file ${++n}`, ...more },
});
const under = (value: string) => [{ fact: 'folder', is: 'under', value }];
const yes = (id: string, run: object): Promise<Answer> => a.decide(id, 'approved', olga, { run });
const grantOf = async (id: string) =>
  (await a.get(id)).body['grant'] as { state: string; used: number; most: number; run: unknown };
const codeOf = (r: Answer): [number, unknown] => [r.status, r.body['code']];
/** A run that was approved for /Reports. */
async function running(most = 3): Promise<{ id: Id<'apr'>; first: Over }> {
  const first = call('/Reports/2026');
  const { id } = await a.asked(luca, first);
  const r = await yes(id, { conditions: under('/Reports'), most, minutes: 30 });
  assert.equal(r.status, 200, r.text);
  return { id, first };
}

test('one yes covers further calls under the folder, as many as it says, and everybody can see how many there were', async () => {
  const { id, first } = await running();
  assert.equal(await a.use(luca, first), id);
  assert.deepEqual((await grantOf(id)).run, under('/Reports'));
  assert.equal(await a.use(luca, call('/Reports')), id);
  assert.deepEqual([(await grantOf(id)).used, (await grantOf(id)).most], [2, 3]);
  assert.equal(await a.use(luca, call('/Reports/a/b')), id);
  assert.equal(await a.use(luca, call('/Reports/a/b')), undefined, 'three were three');
  assert.equal((await grantOf(id)).state, 'used');
  assert.deepEqual(
    (await a.told('approval.grant_used', id)).map((e) => e.data['used']),
    [1, 2, 3],
  );
  assert.equal((await a.told('approval.run_allowed', id)).length, 1);
});

test('of many calls of a run at the same moment no more run than it says', async () => {
  const { id } = await running(4);
  const used = await Promise.all(Array.from({ length: 10 }, () => a.use(luca, call('/Reports'))));
  assert.equal(used.filter((u) => u === id).length, 4);
});

const outside: [string, (c: Over) => Over, (() => HouseMember)?][] = [
  ['in another folder', () => call('/Private')],
  ['in a folder whose name only begins alike', () => call('/Reports-old')],
  ['in a folder above', () => call('/')],
  ['with a folder that cannot be read in one way only', () => call('/Reports/../Private')],
  ['without a folder', (c) => ({ ...c, args: { name: 'x' } })],
  ['of another tool', () => ({ ...call('/Reports'), tool: 'other_tool' })],
  ['of another definition of the tool', () => ({ ...call('/Reports'), pin: 'b'.repeat(64) })],
  ['with an answer to what the system asked in between', () => ({ ...call('/Reports'), also: { inputResponses: {} } })],
  ['at another connector', () => ({ ...call('/Reports'), connector: newId('con') })],
  ['by another agent', () => call('/Reports'), () => ({ ...luca, asker: { ...luca.asker, client: 'another' } })],
  ['of another run', () => call('/Reports'), () => ({ ...luca, asker: { ...luca.asker, consent: 'another' } })],
];
for (const [what, made, who] of outside)
  test(`a yes to a run does not cover a call ${what}`, async () => {
    const { id, first } = await running();
    assert.equal(await a.use(who?.() ?? luca, made(first)), undefined);
    assert.equal(await a.use(luca, first), id);
  });

test('every item of a list must meet the conditions: one recipient elsewhere is elsewhere', async () => {
  const first = call('/Reports', { to: ['ada@corp.example'] });
  const { id } = await a.asked(luca, first);
  const conditions = [{ fact: 'recipient_domain', is: 'equal', value: 'corp.example' }];
  assert.equal((await yes(id, { conditions, most: 5, minutes: 30 })).status, 200);
  assert.equal(await a.use(luca, call('/Reports', { to: ['ada@corp.example', 'eve@evil.example'] })), undefined);
  assert.equal(await a.use(luca, call('/Reports', { to: ['ada@corp.example', 'bob@corp.example'] })), id);
});

test('a run ends when its time is over, and when somebody takes it back', async () => {
  const { id: late } = await running();
  const { id: back } = await running();
  const r = await a.h.api('POST', a.at(`/${back}/revocation`), undefined, olga.headers);
  assert.equal(r.status, 200, r.text);
  assert.equal(await a.use(luca, call('/Reports')), late, 'the one that is left');
  a.h.advance(31 * 60_000);
  assert.equal(await a.use(luca, call('/Reports')), undefined);
  assert.deepEqual([(await grantOf(late)).state, (await grantOf(back)).state], ['expired', 'revoked']);
});

const refused: [string, object, RegExp][] = [
  [
    'more calls than the organization allows',
    { conditions: under('/Reports'), most: 6, minutes: 30 },
    /at most 5 calls in 30 minutes/,
  ],
  [
    'a longer time than the organization allows',
    { conditions: under('/Reports'), most: 5, minutes: 31 },
    /at most 5 calls/,
  ],
  [
    'conditions that the call itself does not meet',
    { conditions: under('/Private'), most: 2, minutes: 5 },
    /does not meet these conditions/,
  ],
  [
    'a path in another spelling than rules know',
    { conditions: under('/Reports/'), most: 2, minutes: 5 },
    /not a path in the form/,
  ],
  [
    'what nothing can be under',
    { conditions: [{ fact: 'recipient', is: 'under', value: 'a' }], most: 2, minutes: 5 },
    /not a recipient/,
  ],
];
for (const [what, run, says] of refused)
  test(`a yes to a run is refused for ${what}: approvals/no-run`, async () => {
    const { id } = await a.asked(luca, call('/Reports'));
    const r = await yes(id, run);
    assert.deepEqual(codeOf(r), [409, 'approvals/no-run'], r.text);
    assert.match(String(r.body['detail']), says);
    assert.equal((await a.get(id)).body['state'], 'pending');
  });

test('a destructive tool is approved call by call', async () => {
  const { id } = await a.asked(luca, { args: { id: `deal ${++n}` } });
  assert.deepEqual(codeOf(await yes(id, { conditions: under('/Reports'), most: 2, minutes: 5 })), [
    409,
    'approvals/no-run',
  ]);
});

test('a passkey signs one exact action, so it signs no run: approvals/run-alone', async () => {
  const key = await softPasskey(a.h.t, { parent: a.h.acme.parent, user: olga.user }, a.h.origin);
  const { id, hash } = await a.asked(luca, call('/Reports'));
  const proof = key.use(Buffer.from(hash, 'hex').toString('base64url'));
  const r = await a.decide(id, 'approved', olga, {
    proof,
    run: { conditions: under('/Reports'), most: 2, minutes: 5 },
  });
  assert.deepEqual(codeOf(r), [400, 'approvals/run-alone'], r.text);
});

test('an organization that says nothing allows no runs, and who may not manage policy does not change that', async () => {
  await settings({ runGrants: false });
  const { id } = await a.asked(luca, call('/Reports'));
  assert.deepEqual(codeOf(await yes(id, { conditions: under('/Reports'), most: 2, minutes: 5 })), [
    409,
    'approvals/no-run',
  ]);
  assert.deepEqual(codeOf(await settings({ runGrants: true }, await a.person('Uma'))), [403, 'org/not-permitted']);
  const r = await a.h.api('GET', `/orgs/${a.h.acme.org}/approval-settings`);
  assert.deepEqual(r.body, { runGrants: false, runMost: 5, runMinutes: 30, noticesAnHour: 6 });
  await settings({ runGrants: true });
});
