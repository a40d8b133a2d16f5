import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Id } from '#kernel/id.ts';
import type { Decision } from '#provisioning/decide.ts';
import { judgeVia, noEnforcement, returnsBecause, tightens, type Asked, type Enforcement } from './enforcement.ts';
import { failingCode, predict, previewHash, type PersonFacts, type WayIn } from './simulation.ts';

const now = new Date('2026-11-20T12:00:00Z');
const days = (n: number): Date => new Date(now.getTime() + n * 86_400_000);
const okta = 'sso_okta' as Id<'sso'>;
const entra = 'sso_entra' as Id<'sso'>;
const way = (more: Partial<WayIn> = {}): WayIn => ({
  id: okta,
  name: 'Okta',
  matchDirectory: true,
  certificatesEnd: null,
  refusesExpired: false,
  failing: null,
  ...more,
});
const admitted: Decision = { admit: true, role: 'user', seat: 'taken', effects: [], reasons: [] };
const ann = (more: Partial<PersonFacts> = {}): PersonFacts => ({
  user: 'usr_ann' as Id<'usr'>,
  email: 'ann@acme.example',
  displayName: 'Ann',
  role: 'user',
  breakGlass: false,
  mode: 'login_only',
  linked: [okta],
  externalId: null,
  sameExternalId: 0,
  hasEntry: false,
  seenAs: null,
  provedAt: days(-3),
  otherwiseAt: null,
  failedAt: null,
  failedCode: null,
  failedTrace: null,
  decision: admitted,
  seatsShort: false,
  touched: true,
  ...more,
});
const out = (...reasons: Decision['reasons']): Decision => ({ ...admitted, admit: false, role: undefined, reasons });
const entry = { linked: [], hasEntry: true, externalId: 'x1', sameExternalId: 1, provedAt: null };

const cases: [string, Partial<PersonFacts>, WayIn[], string][] = [
  ['signed in so three days ago', {}, [way()], 'ok_proved'],
  ['is linked and has not come for a while', { provedAt: null }, [way()], 'ok_predicted'],
  ['is named by the directory', entry, [way()], 'ok_predicted'],
  ['finds no connection that counts', {}, [], 'locked_out no_connection'],
  [
    'depends on a certificate that has ended, and is refused for it',
    {},
    [way({ certificatesEnd: days(-1), refusesExpired: true })],
    'locked_out certificate_expired',
  ],
  [
    'depends on one that has ended and is only warned of',
    {},
    [way({ certificatesEnd: days(-1) })],
    'at_risk certificate_ends',
  ],
  [
    'depends on one that ends in ten days',
    {},
    [way({ certificatesEnd: days(10), refusesExpired: true })],
    'at_risk certificate_ends',
  ],
  [
    'has a second way beside the one that ends',
    { linked: [okta, entra] },
    [way({ certificatesEnd: days(10) }), way({ id: entra })],
    'ok_proved',
  ],
  ['is linked elsewhere only', { linked: [entra] }, [way()], 'locked_out other_connection'],
  ['is nobody to any identity provider', { linked: [], provedAt: null }, [way()], 'locked_out no_identity'],
  [
    'has an entry without externalId',
    { ...entry, externalId: null, sameExternalId: 0 },
    [way()],
    'locked_out no_external_id',
  ],
  ['shares an externalId', { ...entry, sameExternalId: 2 }, [way()], 'locked_out ambiguous_external_id'],
  [
    'has an entry that no connection is matched with',
    entry,
    [way({ matchDirectory: false })],
    'locked_out no_identity',
  ],
  [
    'is called otherwise by the identity provider',
    { ...entry, seenAs: 'pairwise-7' },
    [way()],
    'locked_out not_matched',
  ],
  [
    'was called otherwise once and has proved since',
    { ...entry, seenAs: 'pairwise-7', provedAt: days(-1) },
    [way()],
    'ok_proved',
  ],
  ['is in no mapped group', { decision: out('no_mapped_group') }, [way()], 'locked_out provisioning_no_mapped_group'],
  [
    'has groups that nobody knows yet',
    { mode: 'jit_advanced', provedAt: null, decision: out('no_mapped_group') },
    [way()],
    'at_risk groups_unknown',
  ],
  ['finds no seat', { decision: out('no_seat') }, [way()], 'locked_out provisioning_no_seat'],
  ['may be the one for whom no seat is left', { seatsShort: true }, [way()], 'at_risk seats_run_out'],
  [
    'failed the last time',
    { failedAt: days(-1), failedCode: 'identity/token-expired' },
    [way()],
    'at_risk failed_lately',
  ],
  [
    'failed before the last good time',
    { failedAt: days(-9), failedCode: 'identity/token-expired' },
    [way()],
    'ok_proved',
  ],
  [
    'comes through a provider that fails for all',
    {},
    [way({ failing: 'identity/client-refused' })],
    'at_risk idp_failing',
  ],
  [
    'is break-glass and has no identity',
    { breakGlass: true, linked: [], provedAt: null },
    [way()],
    'ok_predicted break_glass',
  ],
  ['is break-glass and signs in so all the same', { breakGlass: true }, [way()], 'ok_proved'],
];
for (const [who, facts, ways, expected] of cases)
  test(`whoever ${who} is ${expected}`, () => {
    const found = predict(ann(facts), ways, now);
    assert.equal([found.verdict, found.code].filter((x) => x !== null).join(' '), expected);
    assert.ok(found.says.length > 5);
    if (found.verdict === 'at_risk' || found.verdict === 'locked_out')
      assert.ok(found.repair.length > 10, 'and is told how to repair it');
  });

const org = 'org_a' as Id<'org'>;
const full: Enforcement = { ...noEnforcement, state: 'full' };
const person = (user: string, verdict: 'ok_proved' | 'at_risk', touched = true) =>
  ({ user: user as Id<'usr'>, verdict, code: null, touched, role: 'user' }) as const;

test('the hash of a simulation is the same in any order, and another for any other person, verdict, stage or wish', () => {
  const [a, b] = [person('usr_a', 'ok_proved'), person('usr_b', 'ok_proved')];
  const hash = previewHash(org, full, [a, b]);
  assert.equal(previewHash(org, full, [b, a]), hash);
  for (const other of [
    previewHash(org, full, [a]),
    previewHash(org, full, [a, person('usr_b', 'at_risk')]),
    previewHash(org, full, [a, person('usr_b', 'ok_proved', false)]),
    previewHash(org, full, [a, { ...b, role: 'owner' }]),
    previewHash(org, { ...full, connections: [okta] }, [a, b]),
    previewHash(org, { ...full, state: 'staged', percent: 5 }, [a, b]),
    previewHash('org_b' as Id<'org'>, full, [a, b]),
  ])
    assert.notEqual(other, hash);
});

test('whatever could shut out somebody more is a tightening, and nothing else is', () => {
  const staged: Enforcement = { ...noEnforcement, state: 'staged', percent: 10, groups: ['grp_a' as Id<'grp'>] };
  for (const [from, to] of [
    [staged, full],
    [staged, { ...staged, percent: 11 }],
    [staged, { ...staged, groups: ['grp_b' as Id<'grp'>] }],
    [full, { ...full, connections: [okta] }],
    [
      { ...full, connections: [okta, entra] },
      { ...full, connections: [okta] },
    ],
    [{ ...noEnforcement, state: 'report_only' }, full],
  ] as [Enforcement, Enforcement][])
    assert.ok(tightens(from, to), JSON.stringify([from, to]));
  for (const [from, to] of [
    [full, noEnforcement],
    [full, { ...noEnforcement, state: 'report_only' }],
    [full, staged],
    [staged, { ...staged, percent: 5 }],
    [{ ...full, connections: [okta] }, full],
    [noEnforcement, { ...noEnforcement, state: 'report_only', connections: [okta] }],
  ] as [Enforcement, Enforcement][])
    assert.ok(!tightens(from, to), JSON.stringify([from, to]));
});

test('enforcement steps back for three failures of the provider that are half of all, and for no others', () => {
  const idp = (n: number) => ({ outcome: 'identity/idp-unreachable', n });
  assert.equal(returnsBecause([idp(3)]), 'identity/idp-unreachable');
  assert.equal(
    returnsBecause([{ outcome: 'identity/saml-certificate-expired', n: 4 }]),
    'identity/saml-certificate-expired',
  );
  assert.equal(returnsBecause([idp(2)]), undefined, 'two may be chance');
  assert.equal(returnsBecause([idp(3), { outcome: 'signed_in', n: 4 }]), undefined, 'most people get in');
  assert.equal(returnsBecause([{ outcome: 'identity/bad-signature', n: 99 }]), undefined, 'anybody can make those');
  assert.equal(returnsBecause([{ outcome: 'identity/saml-signature-invalid', n: 99 }]), undefined);
});

test('a connection fails for all only if its newest attempts all say so', () => {
  assert.equal(failingCode(['identity/client-refused', 'identity/idp-unreachable']), 'identity/client-refused');
  assert.equal(failingCode(['identity/client-refused', 'signed_in']), null);
  assert.equal(failingCode([]), null);
});

test('of several organizations one that insists is enough to refuse, and a break-glass account is refused by none', () => {
  const asked = (more: Partial<Asked>): Asked => ({
    org,
    name: 'Acme',
    state: 'full',
    applies: true,
    breakGlass: false,
    connections: [],
    ...more,
  });
  const link = { kind: 'setup_link' } as const;
  assert.equal(judgeVia([], link).kind, 'ok');
  assert.equal(judgeVia([asked({ state: 'report_only' }), asked({})], link).kind, 'refused');
  assert.equal(judgeVia([asked({ breakGlass: true })], link).kind, 'ok');
  assert.equal(judgeVia([asked({ state: 'staged', applies: false })], link).kind, 'ok');
  assert.equal(judgeVia([asked({ state: 'report_only' })], link).wouldRefuse.length, 1);
  assert.equal(judgeVia([asked({})], { kind: 'sso', connection: okta }).kind, 'ok');
  assert.equal(judgeVia([asked({ connections: [entra] })], { kind: 'sso', connection: okta }).kind, 'refused');
  for (const kind of ['passkey', 'mail_link'] as const)
    assert.equal(judgeVia([asked({})], { kind }).kind, 'refused', kind);
});
