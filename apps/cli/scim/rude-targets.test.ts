import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startScimTarget, type Manners, type ScimTarget, type TargetUser } from '@gatehouse/server/dev/scim-target.ts';
import { testConsole, type Console } from './test-console.ts';

const closing: (() => unknown)[] = [];
after(async () => {
  for (const c of closing) await c();
});

async function rude(manners: Manners = {}): Promise<{ t: ScimTarget; c: Console }> {
  const t = await startScimTarget(manners);
  const c = testConsole(t);
  closing.push(() => t.close(), c.close);
  return { t, c };
}

const people = (t: ScimTarget, n: number): TargetUser[] =>
  Array.from({ length: n }, (_, i) => t.addUser(`p${i}@x.example`, { displayName: `P ${i}` }));

/** Plans for a file and applies it. */
async function planAndApply(
  c: Console,
  desired: unknown,
  flags: { plan?: string[]; apply?: string[]; both?: string[] } = {},
) {
  const [d, p] = [c.file('desired.json', desired), join(c.dir, `plan-${Math.random()}.json`)];
  const planned = await c.run('plan', '--desired', d, '--out', p, ...(flags.plan ?? []), ...(flags.both ?? []));
  assert.equal(planned.status, 0, planned.err);
  const applied = await c.run('apply', '--plan', p, ...(flags.apply ?? []), ...(flags.both ?? []));
  const again = await c.run('plan', '--desired', d, ...(flags.plan ?? []), ...(flags.both ?? []));
  return { planned, applied, again, operations: again.json?.plan.operations as unknown[] };
}

const writes = (t: ScimTarget): string[] =>
  t.requests.filter((r) => r.method !== 'GET').map((r) => `${r.method} ${r.path.split('/')[1]}`);

for (const [what, manners] of [
  ['whose pages are shorter than asked for', { paging: 'short', pageMax: 7 }],
  ['that says itemsPerPage is what was asked for', { paging: 'lying', pageMax: 7 }],
  ['that pages by cursor (RFC 9865)', { paging: 'cursor', pageMax: 7 }],
  ['that gives everything at once', { pageMax: 10_000 }],
] as const)
  test(`sync sees every user and membership once at a target ${what}`, async () => {
    const { t, c } = await rude(manners);
    const all = people(t, 50);
    t.addGroup('Eng', all);
    const r = await c.run('sync');
    assert.equal(r.status, 0, r.err);
    assert.equal(new Set(r.json.users.map((u: { id: string }) => u.id)).size, 50);
    assert.equal(r.json.users.length, 50);
    assert.equal(r.json.groups[0].members.length, 50);
    assert.deepEqual(r.json.warnings, []);
  });

test('a target that gives its first page for ever is left after two, with a reason', async () => {
  const { t, c } = await rude({ paging: 'stuck', pageMax: 10 });
  people(t, 30);
  const r = await c.run('sync');
  assert.equal(r.status, 1);
  assert.equal(r.json.problem.code, 'scim/no-progress');
  assert.ok(t.requests.length < 12);
});

test('a list that moves while it is read is read again until it stands still', async () => {
  let late = 0;
  const { t, c } = await rude({
    pageMax: 10,
    disturb(r) {
      if (r.path.startsWith('/Users?startIndex=11') && late++ === 0) {
        // Somebody of the first page leaves, so that the second page begins one later.
        const [first] = t.users.keys();
        t.users.delete(first!);
      }
      return undefined;
    },
  });
  people(t, 35);
  const r = await c.run('sync');
  assert.equal(r.json.users.length, 34);
  assert.deepEqual(r.json.warnings, []);
});

test('a list that never stands still is taken with a warning, which the plan repeats', async () => {
  const { t, c } = await rude({
    pageMax: 10,
    disturb(r) {
      if (r.path.startsWith('/Users?startIndex=1')) t.addUser(`more${t.users.size}@x.example`);
      return undefined;
    },
  });
  people(t, 25);
  const r = await c.run('plan', '--keep-unlisted', '--desired', c.file('d.json', { people: [] }));
  assert.match(r.json.plan.drift[0].says, /\/Users moved while it was read/);
});

test('a cursor that expires begins the walk again', async () => {
  let expired = 0;
  const { t, c } = await rude({
    paging: 'cursor',
    pageMax: 10,
    disturb: (r) =>
      r.path.includes('/Users?cursor=c10') && expired++ === 0
        ? { status: 400, body: '{"status":"400","scimType":"expiredCursor","detail":"too late"}' }
        : undefined,
  });
  people(t, 25);
  const r = await c.run('sync');
  assert.equal(r.json.users.length, 25, r.err);
  assert.equal(expired, 2);
});

test('429 and 503 are waited for as long as they say, in seconds or as a date', async () => {
  let n = 0;
  const { t, c } = await rude({
    disturb(r) {
      if (!r.path.startsWith('/Users?startIndex=1&count=100') || n > 2) return undefined;
      n++;
      return [
        { status: 429, headers: { 'retry-after': '7' } },
        { status: 503, headers: { 'retry-after': 'Sat, 01 Aug 2026 09:00:30 GMT' } },
        { status: 429 },
      ][n - 1];
    },
  });
  people(t, 3);
  const r = await c.run('sync');
  assert.equal(r.status, 0, r.err);
  assert.equal(r.json.users.length, 3);
  const [first = 0, second = 0, third = 0] = c.slept;
  assert.ok(first >= 7000 && first < 8000, `${first}`);
  assert.ok(second > 22_000 && second < 24_000, `${second}: until 09:00:30`);
  assert.ok(third > 0 && third <= 4000, `${third}`);
});

test('a target that asks for an hour is not waited for, unless that is allowed', async () => {
  const { c } = await rude({
    disturb: (_r, nth) => (nth === 1 ? { status: 429, headers: { 'retry-after': '3600' } } : undefined),
  });
  const r = await c.run('sync');
  assert.equal(r.json.problem.code, 'scim/told-to-wait');
  assert.match(r.err, /come back in 3600 s[^]*--max-wait/);
});

test('a target that is down is asked a few times and then left alone, within a bounded number of requests', async () => {
  const { t, c } = await rude({ disturb: () => ({ drop: 'before' }) });
  const r = await c.run('sync');
  assert.deepEqual([r.status, r.json.problem.code], [1, 'scim/unanswered']);
  assert.equal(t.requests.length, 6);
  const waited = c.slept.reduce((a, b) => a + b, 0);
  assert.ok(waited > 15_000 && waited < 60_000, `the breaker rested: ${waited} ms`);
});

test('when everything fails the run stops instead of failing each operation in turn', async () => {
  const { t, c } = await rude();
  const d = c.file('d.json', {
    people: Array.from({ length: 50 }, (_, i) => ({ email: `n${i}@x.example`, displayName: `N ${i}` })),
  });
  const p = join(c.dir, 'p.json');
  await c.run('plan', '--desired', d, '--out', p);
  t.manners.disturb = (r) => (r.method === 'POST' ? { status: 500 } : undefined);
  const down = await c.run('apply', '--plan', p);
  assert.equal(down.status, 1);
  t.manners.disturb = (r) => (r.path.startsWith('/Service') ? undefined : { status: 500 });
  const before = t.requests.length;
  const r = await c.run('apply', '--plan', p);
  assert.ok(t.requests.length - before < 30, `${t.requests.length - before} requests`);
  assert.equal(r.status, 1);
  t.manners.disturb = () => undefined;
  assert.equal((await c.run('apply', '--plan', p)).status, 0);
  assert.equal(t.effects.length, 50);
});

test('an answer that was lost is looked for before the account is made again', async () => {
  let lost = 0;
  const { t, c } = await rude({
    disturb: (r) => (r.method === 'POST' ? (lost++ % 2 === 0 ? { drop: 'after' } : { drop: 'before' }) : undefined),
  });
  const r = await planAndApply(c, {
    people: [1, 2, 3].map((i) => ({ email: `n${i}@x.example`, displayName: `N ${i}` })),
  });
  assert.equal(r.applied.status, 0, r.applied.err);
  assert.deepEqual(t.effects, ['create n1@x.example', 'create n2@x.example', 'create n3@x.example']);
  assert.deepEqual(r.operations, []);
});

test('removal by a filter in the path is tried first, and nobody else is touched', async () => {
  const { t, c } = await rude();
  const [a, b] = people(t, 3);
  t.addGroup('Eng', [a!, b!]);
  await planAndApply(c, {
    people: [0, 1, 2].map((i) => ({ email: `p${i}@x.example`, groups: i === 0 ? ['Eng'] : [] })),
  });
  const patches = t.requests.filter((r) => r.method === 'PATCH');
  assert.deepEqual(
    patches.map((r) => r.body?.['Operations']),
    [[{ op: 'remove', path: `members[value eq "${b!.id}"]` }]],
  );
});

for (const otherwise of ['refuse', 'ignore'] as const)
  test(`where the target ${otherwise}s that form, the older one is found and kept`, async () => {
    const { t, c } = await rude({ removes: ['entraLegacy'], otherwise });
    const all = people(t, 6);
    const g = t.addGroup('Eng', all);
    const h = t.addGroup('Ops', all);
    const r = await planAndApply(
      c,
      { people: all.map((u) => ({ email: u.userName })), groups: ['Eng', 'Ops'] },
      { apply: ['--allow-removals', '12'] },
    );
    assert.equal(r.applied.status, 0, r.applied.out);
    assert.deepEqual([g.members, h.members, r.operations], [[], [], []]);
    assert.equal(
      t.requests.filter((q) => q.method === 'PATCH' && JSON.stringify(q.body).includes('value eq')).length,
      1,
    );
  });

test('a target that says yes to a removal and does nothing is not believed', async () => {
  const { t, c } = await rude({ removes: [], otherwise: 'ignore' });
  const all = people(t, 2);
  t.addGroup('Eng', all);
  const r = await planAndApply(c, { people: all.map((u) => ({ email: u.userName })), groups: ['Eng'] });
  assert.equal(r.applied.status, 1);
  assert.match(JSON.stringify(r.applied.json.failed), /says that it removed members of Eng and did not/);
  const sure = await planAndApply(
    c,
    { people: all.map((u) => ({ email: u.userName })), groups: ['Eng'] },
    { both: ['--profile', 'rfc'] },
  );
  assert.equal(sure.applied.status, 1, 'also when the profile promises that the form works');
  assert.match(JSON.stringify(sure.applied.json.failed), /said that it is done, and it is not/);
});

test('a target that must have its list replaced loses nobody who joins at that moment', async () => {
  let raced = 0;
  const { t, c } = await rude({ removes: [], etags: true });
  const all = people(t, 4);
  const g = t.addGroup('Eng', all.slice(0, 3));
  t.manners.disturb = (r) => {
    if (r.method === 'PATCH' && raced++ === 0) {
      g.members.push(all[3]!.id);
      g.version++;
    }
    return undefined;
  };
  const r = await c.run('revoke', '--profile', 'replace-only', '--user', 'p0@x.example', '--group', 'Eng');
  assert.equal(r.status, 0, r.err);
  assert.deepEqual(
    [...g.members].sort(),
    all
      .slice(1)
      .map((u) => u.id)
      .sort(),
  );
  assert.equal(raced, 2, 'the first attempt met 412');
});

test('a list that is not shown is never replaced, because that would remove everybody', async () => {
  const { t, c } = await rude({ hidesMembers: true, removes: [] });
  const all = people(t, 3);
  const g = t.addGroup('Eng', all);
  const r = await c.run(
    'revoke',
    '--profile',
    c.file('q.json', { removeForm: 'replace' }),
    '--user',
    'p0@x.example',
    '--group',
    'Eng',
  );
  assert.match(r.out, /does not show its members/);
  const forced = await c.run(
    'grant',
    '--profile',
    c.file('r.json', { update: 'put', listMembersVia: 'group' }),
    '--user',
    'p0@x.example',
    '--group',
    'Eng',
  );
  assert.match(forced.out, /does not show its members/);
  assert.equal(g.members.length, 3);
  assert.deepEqual(writes(t), []);
});

test('a group that shows nobody is not replaced even where only a list of all users would tell', async () => {
  const { t, c } = await rude({ hidesMembers: true, noPatch: true, filter: 'refused' });
  const all = people(t, 3);
  const g = t.addGroup('Eng', all.slice(0, 2));
  const profile = c.file('p.json', { listMembersVia: 'group' });
  const r = await c.run('grant', '--profile', profile, '--user', 'p2@x.example', '--group', 'Eng');
  assert.equal(r.status, 1);
  assert.match(r.out, /does not show its members/);
  assert.equal(g.members.length, 2);
});

test('somebody who writes all the time is named as the reason, and keeps what they wrote', async () => {
  const { t, c } = await rude({ removes: [], etags: true });
  const all = people(t, 12);
  const g = t.addGroup('Eng', all.slice(0, 2));
  t.manners.disturb = (r) => {
    if (r.method === 'PATCH') {
      g.members.push(all[g.version + 1]!.id);
      g.version++;
    }
    return undefined;
  };
  const r = await c.run('revoke', '--profile', 'replace-only', '--user', 'p0@x.example', '--group', 'Eng');
  assert.equal(r.status, 1);
  assert.match(r.out, /somebody else writes the members of Eng/);
  assert.equal(g.members.length, 7);
});

test('a target that ignores filters is recognized before anything relies on them', async () => {
  const { t, c } = await rude({ filter: 'ignored' });
  people(t, 2);
  const r = await c.run('sync');
  assert.equal(r.json.profile.filter, 'none');
  assert.deepEqual(r.json.notes, ['it does not filter']);
});

test('a target that only fails is not asked for each of the operations that are left', async () => {
  const { t, c } = await rude();
  const d = c.file('d.json', { people: [] });
  people(t, 30);
  const p = join(c.dir, 'p.json');
  await c.run('plan', '--desired', d, '--out', p);
  t.manners.disturb = (r) => (r.method === 'DELETE' ? { status: 500 } : undefined);
  const r = await c.run('apply', '--plan', p, '--allow-removals', '30');
  assert.equal(r.json.problem.code, 'scim/circuit-open');
  assert.ok(writes(t).length < 12, `${writes(t).length} requests`);
  t.manners.disturb = () => undefined;
  assert.equal((await c.run('apply', '--plan', p, '--allow-removals', '30')).json.applied, 30);
});

test('an account whose making is never answered is told as unsure, and the others are made', async () => {
  const { t, c } = await rude({
    disturb: (r) => (r.method === 'POST' && r.body?.['userName'] === 'n1@x.example' ? { drop: 'before' } : undefined),
  });
  const r = await planAndApply(c, {
    people: [1, 2].map((i) => ({ email: `n${i}@x.example`, displayName: `N ${i}` })),
  });
  assert.equal(r.applied.status, 1);
  assert.match(r.applied.json.failed[0].says, /do not know whether POST \/Users was done/);
  assert.deepEqual(t.effects, ['create n2@x.example']);
  assert.ok(writes(t).length <= 6);
});

test("a name that somebody else has taken, and that our SCIM does not show, is told with the target's words", async () => {
  const { c } = await rude({
    disturb: (r) =>
      r.method === 'POST'
        ? { status: 409, body: '{"status":"409","scimType":"uniqueness","detail":"taken"}' }
        : undefined,
  });
  const r = await planAndApply(c, { people: [{ email: 'n@x.example', displayName: 'N' }] });
  assert.match(r.applied.json.failed[0].says, /refuses to make n@x\.example: 409 uniqueness: taken/);
});

test("an account that appears meanwhile and is somebody else's is not adopted", async () => {
  const { t, c } = await rude();
  t.manners.disturb = (r) => {
    if (r.method === 'POST' && t.users.size === 0) t.addUser('n@x.example', { externalId: 'old' });
    return undefined;
  };
  const r = await planAndApply(
    c,
    { people: [{ email: 'n@x.example', displayName: 'N', externalId: 'new' }] },
    { plan: ['--keep-unlisted'] },
  ).catch((e: unknown) => e);
  assert.ok(!(r instanceof Error), String(r));
  const { applied } = r as Awaited<ReturnType<typeof planAndApply>>;
  assert.match(applied.json.failed[0].says, /with the externalId old instead of new/);
});

test('a group that goes away while it is filled is told, and a removal from it is done', async () => {
  const { t, c } = await rude();
  const [a, b] = people(t, 2);
  const g = t.addGroup('Eng', [b!]);
  t.manners.disturb = (r) => {
    if (r.method === 'PATCH') t.groups.delete(g.id);
    return undefined;
  };
  const r = await c.run('grant', '--user', a!.userName, '--group', 'Eng');
  assert.match(r.out, /is not there any more/);
  const h = t.addGroup('Ops', [b!]);
  t.manners.disturb = (q) => {
    if (q.method === 'PATCH') t.groups.delete(h.id);
    return undefined;
  };
  const gone = await c.run('revoke', '--user', b!.userName, '--group', 'Ops');
  assert.equal(gone.json.results[0].result, 'done', gone.out);
});

for (const tooMany of [400, 413] as const)
  test(`a limit of 5 members per request, told as ${tooMany}, is found by halving`, async () => {
    const { t, c } = await rude({ perRequest: 5, tooMany });
    const all = people(t, 40);
    const g = t.addGroup('Eng');
    const r = await planAndApply(c, { people: all.map((u) => ({ email: u.userName, groups: ['Eng'] })) });
    assert.equal(r.applied.status, 0, r.applied.out);
    assert.equal(g.members.length, 40);
    assert.ok(writes(t).length < 25, `${writes(t).length} requests`);
  });

test('one member whom the target refuses does not keep the others out', async () => {
  const { t, c } = await rude();
  const all = people(t, 9);
  const g = t.addGroup('Eng');
  t.manners.disturb = (r) =>
    r.method === 'PATCH' && JSON.stringify(r.body).includes(all[4]!.id)
      ? { status: 400, body: '{"status":"400","scimType":"invalidValue","detail":"not this one"}' }
      : undefined;
  const r = await planAndApply(c, { people: all.map((u) => ({ email: u.userName, groups: ['Eng'] })) });
  assert.equal(r.applied.status, 1);
  assert.deepEqual(
    r.applied.json.failed.map((f: { what: string }) => f.what),
    ['grant p4@x.example -> Eng'],
  );
  assert.match(r.applied.json.failed[0].says, /not this one/);
  assert.equal(g.members.length, 8);
  assert.equal(r.operations.length, 1);
});

for (const [what, manners, profile] of [
  ['takes operations in capitals only', { capitalOps: true }, { like: 'entra-style', removeForm: 'rfc' }],
  ['takes application/json only', { plainJson: true }, undefined],
  ['wants values without quotes in filters', { filter: 'unquoted' }, undefined],
  ['ignores filters and gives everybody', { filter: 'ignored' }, undefined],
  ['refuses filters', { filter: 'refused' }, undefined],
  ['has no PATCH', { noPatch: true, etags: true }, undefined],
  ['never lists members', { hidesMembers: true }, undefined],
  ['says nothing about itself', { noConfig: true }, undefined],
  ['switches accounts off instead of deleting them', {}, { softDelete: true }],
  ['takes 2,000 bytes and 3 members', {}, { maxBody: 2000, batch: 3 }],
] as const)
  test(`plan, apply, plan is empty at a target that ${what}`, async () => {
    const { t, c } = await rude(manners);
    const all = people(t, 12);
    const g = t.addGroup('Eng', all.slice(0, 6));
    t.addGroup('Other', all);
    const flags = profile ? ['--profile', c.file('profile.json', profile)] : [];
    const desired = {
      people: [
        ...all.slice(1, 11).map((u, i) => ({ email: u.userName.toUpperCase(), groups: i > 3 ? ['Eng'] : [] })),
        { email: 'new@x.example', displayName: 'New Person', externalId: 'n1', groups: ['Eng'] },
      ],
    };
    const r = await planAndApply(c, desired, {
      both: flags,
      apply: ['--allow-removals', profile && 'softDelete' in profile ? '7' : '6'],
    });
    assert.equal(r.applied.status, 0, r.applied.out + r.applied.err);
    assert.deepEqual(r.operations, []);
    const inEng = g.members.map((id) => t.users.get(id)!.userName).sort();
    assert.deepEqual(inEng, ['new@x.example', ...all.slice(5, 11).map((u) => u.userName)].sort());
    const before = writes(t).length;
    const second = await c.run(
      'grant',
      ...flags,
      '--user',
      'p1@x.example',
      '--user',
      'NEW@x.example',
      '--group',
      'eng',
    );
    assert.equal(second.status, 0, second.err + second.out);
    assert.deepEqual(
      second.json.results.map((x: { result: string }) => x.result),
      ['done', 'already'],
    );
    assert.equal(writes(t).length, before + 1);
  });

test('the pace of a profile is kept', async () => {
  const { t, c } = await rude();
  people(t, 2);
  await c.run('sync', '--profile', c.file('p.json', { rate: { requests: 2, perSeconds: 10 } }));
  assert.ok(t.requests.length >= 5);
  const waited = c.slept.reduce((a, b) => a + b, 0);
  assert.ok(waited >= (t.requests.length / 2 - 1) * 10_000 - 1000, `${waited} ms for ${t.requests.length} requests`);
});

test('the journal has every request and its answer, and neither the token nor a password', async () => {
  const { t, c } = await rude();
  t.manners.disturb = (r) =>
    r.method === 'POST'
      ? { status: 400, body: JSON.stringify({ detail: `your token ${t.token} is bad`, password: 'hunter2' }) }
      : undefined;
  const journal = join(c.dir, 'journal.jsonl');
  const r = await planAndApply(
    c,
    { people: [{ email: 'n@x.example', displayName: 'N' }] },
    { both: ['--journal', journal] },
  );
  assert.equal(r.applied.status, 1);
  const text = readFileSync(journal, 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l));
  assert.equal(lines.length, t.requests.length);
  assert.equal(lines.find((l) => l.method === 'POST').status, 400);
  assert.ok(!text.includes(t.token) && !text.includes('hunter2'));
  assert.ok(!(r.applied.out + r.applied.err).includes(t.token));
  assert.equal(statSync(journal).mode & 0o077, 0);
});

test('a redirect is refused and the token stays here', async () => {
  const { t, c } = await rude({ disturb: () => ({ status: 302, headers: { location: 'http://127.0.0.1:9/steal' } }) });
  const r = await c.run('sync');
  assert.equal(r.json.problem.code, 'scim/redirect');
  assert.equal(t.requests.length, 1);
});

test('a token that is not taken stops everything at once', async () => {
  const { t, c } = await rude();
  const r = await testConsole({ url: t.url, token: 'wrong' }).run('sync');
  assert.deepEqual([r.status, r.json.problem.code, t.requests.length], [1, 'scim/token-refused', 1]);
  assert.ok(c);
});

test('a web page instead of a SCIM server is told as such', async () => {
  const { c } = await rude({ disturb: () => ({ status: 200, body: '<html>Welcome' }) });
  assert.equal((await c.run('sync')).json.problem.code, 'scim/odd-answer');
});

test('users without an id or a userName are an odd answer, not a crash', async () => {
  const { t, c } = await rude();
  t.addUser('');
  const r = await c.run('sync');
  assert.equal(r.json.problem.code, 'scim/odd-answer');
});
