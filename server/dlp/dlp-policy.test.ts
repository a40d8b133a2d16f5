import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemCtx, type OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { foundOrg } from '#org/found-org.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { addDlpPolicy } from './add-dlp-policy.ts';
import { loadDlpView } from './dlp-view.ts';
import { standingOf, type DlpPolicy, type PolicyDraft, type Way } from './dlp-policy.ts';
import { inspect } from './inspect.ts';
import { removeDlpPolicy } from './remove-dlp-policy.ts';
import { setBaseline } from './set-baseline.ts';
import { setFailMode } from './set-fail-mode.ts';
import type { DlpAction } from './verdict.ts';

let t: TestDb;
let ours: OrgCtx;
let theirs: OrgCtx;

before(async () => {
  t = await testDb();
  const world = await t.world();
  const found = async (name: string): Promise<OrgCtx> => {
    const f = await foundOrg(world, {
      parentName: name,
      orgName: name,
      owner: { email: `o@${name}.example`, displayName: 'O' },
    });
    return { ...systemCtx(world, 'test', f), org: f.org };
  };
  ours = await found('ours');
  theirs = await found('theirs');
});
after(() => t.close());

const connectors = { hasConnector: () => Promise.resolve(true) };
const viewOf = (ctx: OrgCtx) => ctx.db.read(ctx, (db) => loadDlpView(db, { seal: ctx.seal, org: ctx.org }));
const action = async (ctx: OrgCtx, phase: Way['phase'], way: Partial<Way> = {}): Promise<DlpAction> =>
  (
    await inspect((await viewOf(ctx)).looking({ phase, connector: undefined, groups: [], ...way }), {
      card: '4111 1111 1111 1111',
    })
  ).action;
const told = (type: string) =>
  t.super<{ data: Record<string, unknown> }>(
    `select data from audit_inbox where header ->> 'type' = $1 order by arrived`,
    type,
  );
const draft = (over: Partial<PolicyDraft>): PolicyDraft => ({
  name: `policy ${Math.random()}`,
  kind: 'policy',
  group: undefined,
  connector: undefined,
  data: ['payment_card'],
  phases: ['arguments'],
  action: 'quarantine',
  twoPeople: false,
  ...over,
});

const CARD = { id: 'payment_card', says: 'a card', severity: 'critical' } as const;
const PHONE = { id: 'phone', says: 'a phone number', severity: 'low' } as const;
const sales = newId('grp');
const crm = newId('con');
const made = (over: Partial<PolicyDraft>): DlpPolicy => ({ ...draft(over), id: newId('dpo') });
const at: Way = { phase: 'arguments', connector: crm, groups: [sales] };

const precedence: [claim: string, policies: DlpPolicy[], action: DlpAction][] = [
  ['without any policy the default stands', [], 'block'],
  ['a policy milder than the baseline changes nothing', [made({ action: 'alert' })], 'block'],
  [
    'an exception for the group stands in place of the baseline',
    [made({ kind: 'exception', group: sales, action: 'alert' })],
    'alert',
  ],
  [
    'an exception stands in place of a policy too',
    [made({ action: 'block' }), made({ kind: 'exception', connector: crm, action: 'redact' })],
    'redact',
  ],
  [
    'of two exceptions the more severe counts',
    [
      made({ kind: 'exception', group: sales, action: 'allow' }),
      made({ kind: 'exception', connector: crm, action: 'quarantine' }),
    ],
    'quarantine',
  ],
  [
    'an exception for another group is none',
    [made({ kind: 'exception', group: newId('grp'), action: 'allow' })],
    'block',
  ],
  [
    'an exception at another connector is none',
    [made({ kind: 'exception', connector: newId('con'), action: 'allow' })],
    'block',
  ],
  [
    'an exception for another phase is none',
    [made({ kind: 'exception', group: sales, phases: ['result'], action: 'allow' })],
    'block',
  ],
  [
    'an exception about other data is none',
    [made({ kind: 'exception', group: sales, data: ['phone'], action: 'allow' })],
    'block',
  ],
  [
    'an exception may speak of all data of a severity',
    [made({ kind: 'exception', group: sales, data: ['severity:critical'], action: 'alert' })],
    'alert',
  ],
];
for (const [claim, policies, expected] of precedence)
  test(claim, () => assert.equal(standingOf(CARD, [], policies, at).action, expected));

test('of the baseline and all policies that fit, the most severe counts', () => {
  const policies = [made({ data: ['any'], action: 'alert' }), made({ data: ['phone'], action: 'redact' })];
  assert.equal(standingOf(PHONE, [], policies, at).action, 'redact');
  assert.equal(
    standingOf(PHONE, [{ data: 'phone', phase: 'arguments', action: 'block' }], policies, at).action,
    'block',
  );
  assert.equal(standingOf(PHONE, [], [], at).action, 'allow');
});

test('what the top class keeps needs two people whatever the policy says, other data only where it says so', () => {
  assert.equal(standingOf(CARD, [], [made({ kind: 'exception', group: sales })], at).twoPeople, true);
  assert.equal(standingOf(PHONE, [], [made({ data: ['phone'] })], at).twoPeople, false);
  assert.equal(standingOf(PHONE, [], [made({ data: ['phone'], twoPeople: true })], at).twoPeople, true);
});

test('an organization that has set nothing blocks card numbers in every phase', async () => {
  for (const phase of ['arguments', 'result', 'prompt', 'output', 'file_in', 'file_out'] as const)
    assert.equal(await action(ours, phase), 'block');
});

test('what an organization sets applies to it alone, in that phase alone, and is in the log once', async () => {
  await setBaseline(ours, 'payment_card', [{ data: 'payment_card', phase: 'result', action: 'alert' }]);
  await setBaseline(ours, 'payment_card', [{ data: 'payment_card', phase: 'result', action: 'alert' }]);
  assert.deepEqual([await action(ours, 'result'), await action(ours, 'arguments')], ['alert', 'block']);
  assert.equal(await action(theirs, 'result'), 'block');
  assert.deepEqual(
    (await told('dlp.baseline_set')).map((e) => e.data),
    [{ data: 'payment_card', phase: 'result', action: 'alert' }],
  );
});

test('a policy is of its organization, applies from the next reading on and ends when it is removed', async () => {
  const p = await addDlpPolicy(ours, draft({ kind: 'exception', connector: crm, action: 'redact' }), connectors);
  assert.equal(await action(ours, 'arguments', { connector: crm }), 'redact');
  assert.equal(await action(ours, 'arguments'), 'block');
  assert.equal(await action(theirs, 'arguments', { connector: crm }), 'block');
  await assert.rejects(removeDlpPolicy(theirs, p.id), { code: 'dlp/no-policy', kind: 'missing' });
  await removeDlpPolicy(ours, p.id);
  assert.equal(await action(ours, 'arguments', { connector: crm }), 'block');
  await assert.rejects(removeDlpPolicy(ours, p.id), { code: 'dlp/no-policy' });
  assert.equal((await told('dlp.policy_added')).length, 1);
  assert.equal((await told('dlp.policy_removed')).length, 1);
});

const refused: [what: string, over: Partial<PolicyDraft>, code: string][] = [
  ['an exception for everybody everywhere', { kind: 'exception', action: 'allow' }, 'dlp/exception-everywhere'],
  ['asking about a result', { phases: ['result'], action: 'require_approval' }, 'dlp/nobody-to-ask'],
  ['two people where nothing is kept', { action: 'block', twoPeople: true }, 'dlp/two-people'],
  ['data that nobody can find', { data: ['fingerprints'] }, 'dlp/no-data'],
  ['a group that is not here', { group: newId('grp') }, 'dlp/no-group'],
];
for (const [what, over, code] of refused)
  test(`a policy about ${what} is refused as ${code}`, async () => {
    await assert.rejects(addDlpPolicy(ours, draft(over), connectors), { code });
  });

test('a policy at a connector that is not here, or under a name that is taken, is refused', async () => {
  const none = { hasConnector: () => Promise.resolve(false) };
  await assert.rejects(addDlpPolicy(ours, draft({ connector: newId('con') }), none), { code: 'dlp/no-connector' });
  const name = 'Cards stay here';
  await addDlpPolicy(ours, draft({ name }), connectors);
  await assert.rejects(addDlpPolicy(ours, draft({ name: 'CARDS stay here' }), connectors), { code: 'dlp/name-taken' });
});

test('an organization can have so many policies and no more', async () => {
  await t.super(
    `insert into dlp_policy (org, id, name, kind, data, phases, action, created_by, created_at)
     select $1, 'dpo_' || lpad(to_hex(n), 32, '0'), 'many ' || n, 'policy', array['any'], array['prompt'], 'alert', 'test', now()
       from generate_series(1, 500) n`,
    theirs.org,
  );
  await assert.rejects(addDlpPolicy(theirs, draft({}), connectors), { code: 'dlp/too-many-policies' });
});

test('a baseline of data that nobody can find, or that asks about a result, is refused', async () => {
  const set = (data: string, phase: Way['phase'], does: DlpAction): Promise<void> =>
    setBaseline(ours, data, [{ data, phase, action: does }]);
  await assert.rejects(set('fingerprints', 'result', 'alert'), { code: 'dlp/no-data', kind: 'missing' });
  await assert.rejects(set('payment_card', 'result', 'require_approval'), { code: 'dlp/nobody-to-ask' });
});

test('reading fails open and everything else closed, until an organization says otherwise', async () => {
  const before = (await viewOf(ours)).failModes;
  assert.deepEqual(before, { read: 'open', write: 'closed', destructive: 'closed', none: 'closed' });
  await setFailMode(ours, 'read', 'closed');
  await setFailMode(ours, 'read', 'closed');
  assert.equal((await viewOf(ours)).failModes.read, 'closed');
  assert.equal((await viewOf(theirs)).failModes.read, 'open');
  assert.equal((await told('dlp.fail_mode_set')).length, 1);
});

test('equal matches have equal hashes in one organization and different ones in another', async () => {
  const hash = async (ctx: OrgCtx, id: Id<'con'>) =>
    (await viewOf(ctx)).looking({ phase: 'prompt', connector: id, groups: [] }).hashOf('4111111111111111');
  assert.equal(await hash(ours, newId('con')), await hash(ours, newId('con')));
  assert.notEqual(await hash(ours, crm), await hash(theirs, crm));
});
