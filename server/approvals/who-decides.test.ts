// Longer than 300 lines: who may say yes, from where and how, each asked over the API of one organization.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { approvalHouse, PIN, type ApprovalHouse, type HouseMember, type Over } from '#dev/approval-house.ts';
import type { Answer } from '#dev/door-house.ts';
import { softPasskey, type Assertion, type SoftPasskey } from '#dev/soft-passkey.ts';
import { scopeOf } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import type { Approvers } from '#policy/approvers.ts';
import { findApproval } from './approval.sql.ts';
import { listApprovers } from './notices/list-approvers.ts';
import { onPhone } from './person.ts';

let a: ApprovalHouse;
/** Luca's agent asks. Mona is his manager, Olga an administrator, Gus is in the group Guardians, Uma has no part in it. */
let luca: HouseMember;
let mona: HouseMember;
let olga: HouseMember;
let gus: HouseMember;
let uma: HouseMember;
let key: SoftPasskey;
const guardians = newId('grp');
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-evidence-'));
before(async () => {
  a = await approvalHouse();
  luca = await a.person('Luca');
  mona = await a.person('Mona');
  gus = await a.person('Gus');
  uma = await a.person('Uma');
  olga = await a.person('Olga', 'admin');
  a.tools.set('change', { pin: PIN, class: 'write', projection: [] });
  const { parent, org } = a.h.acme;
  const sql = a.h.t.super;
  await sql(
    `insert into org_group (parent, id, org, source, name, first_seen_at, last_seen_at) values ($1, $2, $3, 'hand', 'Guardians', now(), now())`,
    parent,
    guardians,
    org,
  );
  await join_();
  const connection = newId('sso');
  await sql(
    `insert into sso_connection (parent, id, name, kind, issuer, client_id, auth_method, match_directory, state, discovery, discovered_at, created_at)
     values ($1, $2, 'IdP', 'oidc', 'https://idp.example', 'c', 'none', false, 'active', '{}', now(), now())`,
    parent,
    connection,
  );
  await sql(
    `insert into user_attribute (parent, user_id, name, vals, connection, asserted_at)
     values ($1, $2, 'manager_email', '{MONA@acme.example}', $3, now())`,
    parent,
    luca.user,
    connection,
  );
  key = await softPasskey(a.h.t, { parent, user: olga.user }, a.h.origin);
});
after(async () => {
  rmSync(folder, { recursive: true });
  await a[Symbol.asyncDispose]();
});
const join_ = () =>
  a.h.t.super(
    `insert into org_group_member (parent, org, group_id, user_id, asserted_at) values ($1, $2, $3, $4, now())`,
    a.h.acme.parent,
    a.h.acme.org,
    guardians,
    gus.user,
  );

let n = 0;
const anybody: Approvers = { who: { kind: 'deciders' }, secondPerson: true, surface: 'any', fresh: false };
/** A request for a change at a connector of its own, which these approve. */
async function waits(
  approvers: Partial<Approvers>,
  by = luca,
  more: Over = {},
): Promise<{ id: Id<'apr'>; call: Over; hash: string }> {
  const connector = newId('con');
  const tools = { classes: ['write' as const] };
  await a.rule({ name: `rule ${++n}`, connector, tools, approvers: { ...anybody, ...approvers } });
  const call: Over = { connector, tool: 'change', class: 'write', args: { n }, ...more };
  const { id, hash } = await a.asked(by, call);
  return { id, call, hash };
}
const codeOf = (r: Answer): [number, unknown] => [r.status, r.body['code']];
const may = async (id: string, by: HouseMember): Promise<unknown> => (await a.get(id, by)).body['may'];
const forMe = async (by: HouseMember): Promise<string[]> =>
  ((await a.h.api('GET', a.at('?for=me&limit=200'), undefined, by.headers)).body['items'] as { id: string }[]).map(
    (i) => i.id,
  );

const whose: [string, Partial<Approvers>, () => HouseMember, (() => HouseMember)[]][] = [
  ['people whose role decides', {}, () => olga, [() => mona, () => gus, () => luca]],
  ['the manager of the one who asked', { who: { kind: 'manager' } }, () => mona, [() => olga, () => gus]],
  ['a group', { who: { kind: 'group', group: guardians } }, () => gus, [() => olga, () => mona]],
  ['the person himself', { who: { kind: 'self' }, secondPerson: false }, () => luca, [() => olga, () => mona]],
];
for (const [what, approvers, right, wrong] of whose)
  test(`where ${what} may say yes, these see the request among theirs and nobody else does, and their yes runs it`, async () => {
    const { id, call } = await waits(approvers);
    for (const other of wrong) {
      assert.ok(!(await forMe(other())).includes(id));
      assert.ok([403, 404].includes((await a.decide(id, 'approved', other())).status));
      assert.ok([403, 404].includes((await a.decide(id, 'denied', other())).status), 'nor a no');
    }
    assert.ok((await forMe(right())).includes(id));
    const told = await a.h.world.db.read(scopeOf(a.ctx()), async (db) => {
      const approval = await findApproval(db, id);
      assert.ok(approval);
      return listApprovers(db, a.port, approval, a.ctx().now);
    });
    assert.ok(told.includes(right().user) && !wrong.some((w) => told.includes(w().user)), 'whom to tell');
    assert.deepEqual(await may(id, right()), { approve: true, deny: true, missing: null, says: null });
    const r = await a.decide(id, 'approved', right());
    assert.equal(r.status, 200, r.text);
    assert.equal(await a.use(luca, call), id);
  });

test('each condition that fails is named: the manager, the role, one’s own call, and no part in it at all', async () => {
  const { id } = await waits({ who: { kind: 'manager' } });
  assert.deepEqual(codeOf(await a.decide(id, 'approved', olga)), [403, 'approvals/not-the-manager']);
  assert.deepEqual(codeOf(await a.decide(id, 'approved', uma)), [404, 'approvals/no-approval']);
  const own = await waits({}, olga);
  assert.deepEqual(codeOf(await a.decide(own.id, 'approved', olga)), [403, 'approvals/own-request']);
  const mine = await waits({ who: { kind: 'user', user: gus.user } });
  assert.deepEqual(codeOf(await a.decide(mine.id, 'approved', luca)), [403, 'approvals/not-yours']);
  // Olga's agent asks where only Luca's role would have to be another one.
  const role = await waits({ secondPerson: false });
  assert.deepEqual(codeOf(await a.decide(role.id, 'approved', luca)), [403, 'approvals/not-your-role']);
});

test('who left the group since the request was made may not decide it, and who came into it may', async () => {
  const { id } = await waits({ who: { kind: 'group', group: guardians } });
  await a.h.t.super(`delete from org_group_member where group_id = $1`, guardians);
  assert.deepEqual(codeOf(await a.decide(id, 'approved', gus)), [404, 'approvals/no-approval']);
  await join_();
  assert.equal((await a.decide(id, 'approved', gus)).status, 200);
});

test('a manager who is suspended is nobody’s manager', async () => {
  const { id } = await waits({ who: { kind: 'manager' } });
  await a.h.t.super(
    `update app_user set state = 'suspended', suspended_at = now(), suspended_by = 'test' where id = $1`,
    mona.user,
  );
  assert.equal((await a.decide(id, 'approved', mona)).status, 401);
  await a.h.t.super(
    `update app_user set state = 'active', suspended_at = null, suspended_by = null where id = $1`,
    mona.user,
  );
  assert.equal((await a.decide(id, 'approved', mona)).status, 200);
});

test('what is for the desktop cannot be approved from a phone, says why, and can be denied there', async () => {
  const [yes, no] = [await waits({ surface: 'desktop_only' }), await waits({ surface: 'desktop_only' })];
  const browser = async (name: string) =>
    a.h.t.super(`update session set user_agent = $1 where user_id = $2`, name, olga.user);
  await browser('Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) Mobile/15E148');
  const r = await a.decide(yes.id, 'approved', olga);
  assert.deepEqual(codeOf(r), [403, 'approvals/other-surface'], r.text);
  assert.equal(
    r.body['detail'],
    'the rules do not let this be approved from the phone, only from the portal or the desk',
  );
  assert.ok((await forMe(olga)).includes(yes.id), 'it is shown there');
  const shown = (await may(yes.id, olga)) as { approve: boolean; deny: boolean; missing: string };
  assert.deepEqual([shown.approve, shown.deny, shown.missing], [false, true, 'surface']);
  const denied = await a.decide(no.id, 'denied', olga);
  assert.deepEqual([denied.status, (denied.body['decided'] as { surface: string }).surface], [200, 'dispatch']);
  await browser('Mozilla/5.0 (X11; Linux x86_64)');
  assert.equal((await a.decide(yes.id, 'approved', olga)).status, 200);
});

for (const [agent, phone] of [
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Version/18.4 Mobile/15E148 Safari/604.1',
    true,
  ],
  ['Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36', true],
  ['Mozilla/5.0 (Linux; Android 15; Tab) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36', true],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36', false],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.4 Safari/605.1.15', false],
  ['', false],
] as const)
  test(`a browser that calls itself "${agent.slice(0, 40)}" is ${phone ? 'a phone' : 'the portal'}`, () => {
    assert.equal(onPhone(agent), phone);
  });

async function challenge(id: string, more: readonly string[] = []): Promise<string> {
  const query = more.length > 0 ? `?with=${more.join(',')}` : '';
  const r = await a.h.api('GET', a.at(`/${id}/proof-options${query}`), undefined, olga.headers);
  assert.equal(r.status, 200, r.text);
  return String(r.body['challenge']);
}

test('where the rules want a passkey, the challenge is the hash of the action, and no yes counts without its signature', async () => {
  const { id, call, hash } = await waits({ fresh: true });
  const bare = await a.decide(id, 'approved', olga);
  assert.deepEqual(codeOf(bare), [403, 'approvals/proof-needed'], bare.text);
  assert.equal(((await may(id, olga)) as { missing: string }).missing, 'fresh');
  const asked = await challenge(id);
  assert.equal(asked, Buffer.from(hash, 'hex').toString('base64url'));
  const r = await a.decide(id, 'approved', olga, { proof: key.use(asked) });
  assert.equal(r.status, 200, r.text);
  assert.equal((r.body['decided'] as { fresh: boolean }).fresh, true);
  assert.equal(await a.use(luca, call), id);
});

test('a proof about more requests than are decided together is refused: http/invalid', async () => {
  const { id } = await waits({ fresh: true });
  const many = Array.from({ length: 50 }, () => newId('apr')).join(',');
  const r = await a.h.api('GET', a.at(`/${id}/proof-options?with=${many}`), undefined, olga.headers);
  assert.deepEqual(codeOf(r), [400, 'http/invalid'], r.text);
});

test('who has no passkey is told to make one: identity/no-passkey', async () => {
  const { id } = await waits({ who: { kind: 'manager' }, fresh: true });
  const r = await a.h.api('GET', a.at(`/${id}/proof-options`), undefined, mona.headers);
  assert.deepEqual(codeOf(r), [409, 'identity/no-passkey'], r.text);
});

const forged: [string, (asked: string, other: string) => Promise<Assertion> | Assertion][] = [
  ['of another action', (_asked, other) => key.use(other)],
  ['made at another site', (asked) => key.use(asked, { origin: 'https://evil.example' })],
  ['without the person having unlocked it', (asked) => key.use(asked, { flags: 1 })],
  ['that is a registration', (asked) => key.use(asked, { type: 'webauthn.create' })],
  [
    'of another person’s passkey',
    async (asked) => (await softPasskey(a.h.t, { parent: a.h.acme.parent, user: mona.user }, a.h.origin)).use(asked),
  ],
  [
    'whose signature was altered',
    (asked) => {
      const good = key.use(asked);
      const s = Buffer.from(good.response.signature, 'base64url');
      s.writeUInt8(s.readUInt8(10) ^ 1, 10);
      return { ...good, response: { ...good.response, signature: s.toString('base64url') } };
    },
  ],
];
for (const [what, make] of forged)
  test(`a proof ${what} is none, and decides nothing`, async () => {
    const [{ id }, other] = [await waits({ fresh: true }), await waits({ fresh: true })];
    const r = await a.decide(id, 'approved', olga, {
      proof: await make(await challenge(id), await challenge(other.id)),
    });
    assert.deepEqual(codeOf(r), [403, 'identity/passkey-refused'], r.text);
    assert.equal((await a.get(id)).body['state'], 'pending');
  });

/** (r, n - s) of a signature (r, s): as good as it, and other bytes. */
function mirrored(signature: string): string {
  const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const der = Buffer.from(signature, 'base64url');
  const rLength = der.readUInt8(3);
  const r = der.subarray(4, 4 + rLength);
  const s = BigInt(`0x${der.subarray(6 + rLength).toString('hex')}`);
  const hex = (N - s).toString(16).padStart(64, '0');
  const bytes = Buffer.from(Number.parseInt(hex.slice(0, 2), 16) >= 0x80 ? `00${hex}` : hex, 'hex');
  const body = Buffer.concat([Buffer.of(2, r.length), r, Buffer.of(2, bytes.length), bytes]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]).toString('base64url');
}

test('a proof counts once: the same one for the same action asked again is refused, also in its other form', async () => {
  const { id, call } = await waits({ fresh: true });
  const proof = key.use(await challenge(id));
  assert.equal((await a.decide(id, 'approved', olga, { proof })).status, 200);
  assert.equal(await a.use(luca, call), id);
  const again = await a.asked(luca, call);
  for (const signature of [proof.response.signature, mirrored(proof.response.signature)]) {
    const r = await a.decide(again.id, 'approved', olga, {
      proof: { ...proof, response: { ...proof.response, signature } },
    });
    assert.deepEqual(codeOf(r), [409, 'approvals/proof-used'], r.text);
  }
  assert.equal((await a.decide(again.id, 'approved', olga, { proof: key.use(await challenge(again.id)) })).status, 200);
});

test('what was decided with a passkey can be checked without this server, and any change of it is seen', async () => {
  const { id } = await waits({ fresh: true }, luca, { args: { to: 'all', amount: 12.5 } });
  await a.decide(id, 'approved', olga, { proof: key.use(await challenge(id)), reason: 'the invoice is right' });
  const r = await a.h.api('GET', a.at(`/${id}/evidence`), undefined, olga.headers);
  assert.equal(r.status, 200, r.text);
  const verify = (evidence: unknown): { status: number | null; says: string } => {
    const file = join(folder, 'evidence.json');
    writeFileSync(file, JSON.stringify(evidence));
    const verifier = fileURLToPath(new URL('../../packages/contract/verify-approval.mjs', import.meta.url));
    const run = spawnSync(process.execPath, [verifier, file], { encoding: 'utf8' });
    return { status: run.status, says: `${run.stdout}${run.stderr}` };
  };
  const good = verify(r.body);
  assert.equal(good.status, 0, good.says);
  assert.match(good.says, new RegExp(`ok: ${olga.user} approved exactly this action .* signed it with a passkey`));
  const action = r.body['action'] as Record<string, unknown>;
  assert.equal(verify({ ...r.body, action: { ...action, args: { to: 'all', amount: 13 } } }).status, 1);
  const [told] = await a.told('approval.approved', id);
  assert.equal(told?.data['decisionHash'], r.body['decisionHash'], 'the log vouches for the decision');
  assert.deepEqual(codeOf(await a.h.api('GET', a.at(`/${id}/evidence`), undefined, uma.headers)), [
    403,
    'org/not-permitted',
  ]);
});

test('an explicit list is decided at once by one decision, each request has its own grant, and a passkey signs the whole list', async () => {
  const all = [await waits({ fresh: true }), await waits({ fresh: true }), await waits({ fresh: true })];
  const [first, ...rest] = all;
  assert.ok(first);
  const asked = await challenge(
    first.id,
    rest.map((w) => w.id),
  );
  const several = (list: typeof all, proof: Assertion) =>
    a.h.api(
      'POST',
      a.at('/decisions'),
      { items: list.map((w) => ({ approval: w.id, hash: w.hash })), verdict: 'approved', proof },
      olga.headers,
    );
  // A row taken out of the list, or put into it, is another list.
  assert.deepEqual(codeOf(await several(rest, key.use(asked))), [403, 'identity/passkey-refused']);
  assert.deepEqual(codeOf(await several([...all, await waits({ fresh: true })], key.use(asked))), [
    403,
    'identity/passkey-refused',
  ]);
  const r = await several(all, key.use(asked));
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(
    (r.body['items'] as { state: string }[]).map((i) => i.state),
    ['approved', 'approved', 'approved'],
  );
  const decisions = await a.h.t.super<{ n: string }>(
    `select count(distinct decision)::text as n from approval where id = any($1)`,
    all.map((w) => w.id),
  );
  assert.equal(decisions[0]?.n, '1');
  for (const w of all) {
    assert.equal(await a.use(luca, w.call), w.id);
    assert.equal(await a.use(luca, w.call), undefined);
  }
});

test('a list in which one request cannot be decided so decides none of them, and says which', async () => {
  const [one, two, own] = [await waits({}), await waits({}), await waits({}, olga)];
  const decide = (items: { approval: string; hash: string }[]) =>
    a.h.api('POST', a.at('/decisions'), { items, verdict: 'approved' }, olga.headers);
  const row = (w: { id: string; hash: string }) => ({ approval: w.id, hash: w.hash });
  for (const [items, code] of [
    [[row(one), row(own)], 'approvals/own-request'],
    [[row(one), { ...row(two), hash: one.hash }], 'approvals/other-action'],
    [[row(one), row(two), row(one)], 'approvals/twice'],
    [[row(one), { approval: newId('apr'), hash: two.hash }], 'approvals/no-approval'],
  ] as const) {
    const r = await decide([...items]);
    assert.equal(r.body['code'], code, r.text);
    for (const w of [one, two, own]) assert.equal((await a.get(w.id)).body['state'], 'pending', code);
  }
  await a.decide(two.id, 'denied', olga);
  const r = await decide([row(one), row(two)]);
  assert.deepEqual(
    [...codeOf(r), r.body['approval'], r.body['state']],
    [409, 'approvals/decided', two.id, 'denied'],
    r.text,
  );
  assert.equal((await decide([row(one)])).status, 200, 'without that row it is decided');
});

test('a decision names the action that was looked at; about another it is none: approvals/other-action', async () => {
  const { id, hash } = await waits({});
  assert.deepEqual(codeOf(await a.decide(id, 'approved', olga, { hash: 'b'.repeat(64) })), [
    409,
    'approvals/other-action',
  ]);
  assert.equal((await a.decide(id, 'approved', olga, { hash })).status, 200);
});

test('a tool whose definition changed since cannot be approved any more, and everybody reads why', async () => {
  a.tools.set('moving', { pin: PIN, class: 'write', projection: [] });
  const { id } = await waits({}, luca, { tool: 'moving' });
  a.tools.set('moving', { pin: 'c'.repeat(64), class: 'write', projection: [] });
  const r = await a.decide(id, 'approved', olga);
  assert.deepEqual(codeOf(r), [409, 'approvals/superseded'], r.text);
  assert.equal(r.body['detail'], 'the tool is not the one that this request was about any more');
  assert.equal((await a.get(id)).body['state'], 'superseded');
  assert.equal((await a.told('approval.superseded', id)).length, 1);
  assert.deepEqual(codeOf(await a.decide(id, 'denied', olga)), [409, 'approvals/superseded']);
});

test('the same call of a newer definition supersedes the request for the older one', async () => {
  const { id, call } = await waits({});
  const newer = await a.asked(luca, { ...call, pin: 'd'.repeat(64) });
  const old = await a.get(id);
  assert.deepEqual([old.body['state'], (old.body['ended'] as { by: string }).by], ['superseded', newer.id]);
});

test('the one who asked takes a request back, and nobody else does', async () => {
  const { id } = await waits({});
  const cancel = (by: HouseMember) => a.h.api('POST', a.at(`/${id}/cancellation`), undefined, by.headers);
  assert.deepEqual(codeOf(await cancel(uma)), [404, 'approvals/no-approval']);
  assert.deepEqual(codeOf(await cancel(olga)), [403, 'approvals/not-the-asker']);
  assert.equal((await cancel(luca)).body['state'], 'cancelled');
  assert.deepEqual(codeOf(await cancel(luca)), [409, 'approvals/cancelled']);
  assert.deepEqual(codeOf(await a.decide(id, 'approved', olga)), [409, 'approvals/cancelled']);
});

test('a yes that was not used can be taken back, and pays for nothing then', async () => {
  const { id, call } = await waits({});
  const revoke = (by: HouseMember) => a.h.api('POST', a.at(`/${id}/revocation`), undefined, by.headers);
  assert.deepEqual(codeOf(await revoke(olga)), [409, 'approvals/nothing-given']);
  await a.decide(id, 'approved', olga);
  assert.deepEqual(codeOf(await revoke(uma)), [404, 'approvals/no-approval']);
  const r = await revoke(luca);
  assert.deepEqual([r.status, (r.body['grant'] as { state: string }).state], [200, 'revoked'], r.text);
  assert.deepEqual(codeOf(await revoke(olga)), [409, 'approvals/grant-over']);
  assert.equal(await a.use(luca, call), undefined);
});

test('people see what they asked for and what they may decide, and requests of one agent for one tool stand together', async () => {
  const first = await waits({});
  const second = await a.asked(luca, { ...first.call, args: { other: true } });
  const mine = await a.h.api('GET', a.at('?for=mine&state=pending&limit=200'), undefined, luca.headers);
  const ids = (mine.body['items'] as { id: string; group: string }[]).filter((i) =>
    [first.id, second.id].includes(i.id as Id<'apr'>),
  );
  assert.deepEqual([ids.length, new Set(ids.map((i) => i.group)).size], [2, 1]);
  assert.deepEqual(await forMe(luca), []);
  const groups = await a.h.api('GET', `/orgs/${a.h.acme.org}/approval-groups?limit=200`, undefined, olga.headers);
  const group = (groups.body['items'] as { group: string; items: { approval: string }[] }[]).find(
    (g) => g.group === ids[0]?.group,
  );
  assert.deepEqual(
    group?.items.map((i) => i.approval),
    [second.id, first.id],
  );
});

test('what waits for a person goes page by page, and nothing is twice or missing', async () => {
  const tool = `paged_${Date.now()}`;
  const made: string[] = [];
  for (let i = 0; i < 5; i++) made.unshift((await a.asked(luca, { tool, args: { i } })).id);
  const found: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const r: Answer = await a.h.api(
      'GET',
      a.at(`?for=me&q=${tool}&limit=2${cursor ? `&cursor=${cursor}` : ''}`),
      undefined,
      olga.headers,
    );
    found.push(...(r.body['items'] as { id: string }[]).map((i) => i.id));
    cursor = r.body['next'] as string | null;
  }
  assert.deepEqual(found, made);
});

test('what inspection wants a yes for, and no rule asks about, is decided by people whose role decides, and never by the one who asked', async () => {
  const call: Over = {
    connector: newId('con'),
    tool: 'change',
    class: 'write',
    args: { card: true },
    askedFor: 'content',
  };
  const { id } = await a.asked(luca, call);
  assert.deepEqual(await may(id, olga), { approve: true, deny: true, missing: null, says: null });
  assert.deepEqual(codeOf(await a.decide(id, 'approved', mona)), [404, 'approvals/no-approval']);
  const own = await a.asked(olga, call);
  assert.deepEqual(codeOf(await a.decide(own.id, 'approved', olga)), [403, 'approvals/own-request']);
  assert.equal((await a.decide(id, 'approved', olga)).status, 200);
  assert.equal(await a.use(luca, call), id);
});
