import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { entraGroup, patch } from '#dev/scim-shapes.ts';
import { testDirectory, type TestDirectory } from '#dev/test-directory.ts';

const WRITERS = 16;
const ROUNDS = 40;
const KILLS = 4;

type Node = { child: ChildProcess; url: string };
let d: TestDirectory;
const nodes: Node[] = [];
const script = fileURLToPath(new URL('../dev/scim-process.ts', import.meta.url));
const start = (): Promise<Node> => {
  const child = spawn(process.execPath, [script, d.t.url], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => reject(new Error(`the node ended: ${code ?? signal}`)));
    createInterface({ input: child.stdout }).once('line', (url) => resolve({ child, url }));
  });
};
before(async () => {
  d = await testDirectory();
  await d.t.super(`update scim_token set expires_at = '2100-01-01'`);
  nodes.push(await start(), await start());
});
after(async () => {
  for (const n of nodes) n.child.kill('SIGKILL');
  await d.t.close();
});

/** A sequence that only depends on its seed. */
const randomOf = (seed: number) => {
  let s = seed;
  return (n: number): number => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return Math.floor((s / 2 ** 32) * n);
  };
};

/** One request to whichever node answers. Undefined: the answer never came, so nobody knows. */
async function send(
  r: (n: number) => number,
  method: string,
  path: string,
  body: unknown,
): Promise<number | undefined> {
  const node = nodes[r(nodes.length)]!;
  try {
    const a = await fetch(`${node.url}/scim/v2/${d.id}${path}`, {
      method,
      headers: { authorization: `Bearer ${d.token}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify(body),
    });
    await a.arrayBuffer();
    return a.status;
  } catch {
    await pause(20);
    return undefined;
  }
}

type Change = { version: number; added: string[]; removed: string[] };

test(`${WRITERS} writers and ${KILLS} killed nodes leave groups and people that some serial order of what was committed gives, and nothing that was answered is lost`, async () => {
  const users: string[] = [];
  for (let i = 0; i < 30; i++) users.push((await d.send('POST', '/Users', { userName: `m${i}` })).body['id']);
  // One person for each writer, whom nobody else touches.
  const own: string[] = [];
  for (let i = 0; i < WRITERS; i++) own.push((await d.send('POST', '/Users', { userName: `own${i}` })).body['id']);
  const groups: string[] = [];
  for (let i = 0; i < 3; i++) groups.push((await d.send('POST', '/Groups', entraGroup(`M${i}`))).body['id']);

  const seen = new Map<number, number>();
  /** What each writer knows of its own person in each group: there, not there, or unknown because an answer never came. */
  const known = new Map<string, boolean | undefined>();
  const writer = async (w: number): Promise<void> => {
    const r = randomOf(w + 1);
    const some = (): { value: string }[] =>
      Array.from({ length: 1 + r(3) }, () => ({ value: users[r(users.length)]! }));
    for (let round = 0; round < ROUNDS; round++) {
      const group = groups[r(groups.length)]!;
      const what = r(10);
      const mine = `${w} ${group}`;
      const add = r(2) === 0;
      const status =
        what < 3
          ? await send(r, 'PATCH', `/Groups/${group}`, patch({ op: 'Add', path: 'members', value: some() }))
          : what < 5
            ? await send(r, 'PATCH', `/Groups/${group}`, patch({ op: 'Remove', path: 'members', value: some() }))
            : what < 6
              ? await send(
                  r,
                  'PATCH',
                  `/Groups/${group}`,
                  patch(
                    { op: 'remove', path: `members[value eq "${users[r(30)]}"]` },
                    { op: 'add', path: 'members', value: some() },
                  ),
                )
              : what < 7
                ? await send(
                    r,
                    'PATCH',
                    `/Users/${users[r(5)]}`,
                    patch({ op: 'replace', path: 'title', value: `t${w}-${round}` }),
                  )
                : await send(
                    r,
                    'PATCH',
                    `/Groups/${group}`,
                    patch({ op: add ? 'add' : 'remove', path: 'members', value: [{ value: own[w] }] }),
                  );
      if (what >= 7) known.set(mine, status === undefined ? undefined : add);
      if (status !== undefined) seen.set(status, (seen.get(status) ?? 0) + 1);
    }
  };
  // Replacing everybody would throw out the writers' own people, so one more replaces a fourth group.
  const whole = (await d.send('POST', '/Groups', entraGroup('Whole'))).body['id'];
  const replacer = async (): Promise<void> => {
    const r = randomOf(99);
    for (let i = 0; i < 25; i++) {
      const some = users.filter(() => r(3) === 0).map((value) => ({ value }));
      await Promise.all([
        send(r, 'PATCH', `/Groups/${whole}`, patch({ op: 'replace', path: 'members', value: some })),
        send(r, 'PATCH', `/Groups/${whole}`, patch({ op: 'add', path: 'members', value: [{ value: users[r(30)] }] })),
      ]);
    }
  };
  let killed = 0;
  const killer = async (): Promise<void> => {
    for (; killed < KILLS; killed++) {
      await pause(400);
      const at = killed % nodes.length;
      const dead = nodes[at]!;
      dead.child.removeAllListeners('exit');
      dead.child.kill('SIGKILL');
      nodes[at] = await start();
    }
  };
  await Promise.all([killer(), replacer(), ...Array.from({ length: WRITERS }, (_, w) => writer(w))]);
  assert.equal(killed, KILLS);
  assert.deepEqual(
    [...seen.keys()].filter((s) => s >= 400),
    [],
    'disjoint changes never conflict and nothing fails',
  );
  assert.ok((seen.get(204) ?? 0) > 200, `${seen.get(204)} changes were answered`);
  // What a killed node had open is undone by PostgreSQL when it notices.
  for (let open = 1; open > 0; await pause(20))
    open = (
      await d.t.super(
        `select from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
      )
    ).length;

  for (const id of [...groups, whole]) {
    const rows = await d.t.super<{
      changed: { type: string; data: Record<string, { entries: string[] }> & { version?: number } }[];
    }>('select changed from scim_journal where resource = $1 and status < 300', id);
    const changes = rows.flatMap(({ changed }): Change[] => {
      const version = changed.find((c) => c.type === 'attributes')?.data['version'];
      if (typeof version !== 'number') return [];
      const moved = changed.find((c) => c.type === 'directory.members_changed')?.data;
      return [{ version, added: moved?.['added']?.entries ?? [], removed: moved?.['removed']?.entries ?? [] }];
    });
    changes.sort((a, b) => a.version - b.version);
    assert.deepEqual(
      changes.map((c) => c.version),
      changes.map((_, i) => i + 1),
      'every version has exactly one change',
    );
    const members = new Set<string>();
    for (const c of changes) {
      for (const m of c.removed) assert.ok(members.delete(m), `version ${c.version} removed somebody who was there`);
      for (const m of c.added) {
        assert.ok(!members.has(m), `version ${c.version} added somebody who was not there`);
        members.add(m);
      }
    }
    const [group] = await d.t.super('select version from scim_group where id = $1', id);
    assert.equal(group?.['version'], changes.length);
    const stored = await d.t.super<{ scim_user: string }>(
      'select scim_user from scim_membership where group_id = $1 order by 1',
      id,
    );
    assert.deepEqual(
      stored.map((s) => s.scim_user),
      [...members].sort(),
    );
    assert.ok(changes.length > 10);
  }
  let certain = 0;
  for (const [key, there] of known) {
    const [w = '', group = ''] = key.split(' ');
    if (there === undefined) continue;
    certain++;
    const rows = await d.t.super(
      'select from scim_membership where group_id = $1 and scim_user = $2',
      group,
      own[Number(w)],
    );
    assert.equal(rows.length === 1, there, `writer ${w} was answered about ${group}`);
  }
  assert.ok(certain > 20);
  for (const id of users.slice(0, 5)) {
    const rows = await d.t.super<{ data: { title: { after: string }; version: number } }>(
      `select c->'data' as data from scim_journal, json_array_elements(changed) c where resource = $1 and c->>'type' = 'attributes' and method = 'PATCH'`,
      id,
    );
    const last = rows.map((r) => r.data).sort((a, b) => b.version - a.version)[0];
    const [user] = await d.t.super(`select attributes->>'title' as title, version from scim_user where id = $1`, id);
    assert.deepEqual(user, { title: last?.title.after, version: last?.version });
  }
  const told = await d.t.super<{ n: number }>(
    `select count(*)::int as n from audit_inbox where header->>'type' = 'directory.members_changed'`,
  );
  const noted = await d.t.super<{ n: number }>(
    `select count(*)::int as n from scim_journal, json_array_elements(changed) c where c->>'type' = 'directory.members_changed'`,
  );
  assert.equal(told[0]?.n, noted[0]?.n, 'the log and the journal tell of the same changes');
});

test('a request that names somebody unknown fails by itself, beside others that it was carried out with', async () => {
  const group = (await d.send('POST', '/Groups', entraGroup('Lane'))).body['id'];
  const ids: string[] = [];
  for (let i = 0; i < 8; i++) ids.push((await d.send('POST', '/Users', { userName: `lane${i}` })).body['id']);
  const answers = await Promise.all(
    [...ids, `scu_${'0'.repeat(32)}`].map((value) =>
      d.send('PATCH', `/Groups/${group}`, patch({ op: 'add', path: 'members', value: [{ value }] })),
    ),
  );
  assert.deepEqual(
    answers.map((a) => a.status),
    [...ids.map(() => 204), 400],
  );
  const { body } = await d.send('GET', `/Groups/${group}`);
  assert.deepEqual(body['members'].map((m: { value: string }) => m.value).sort(), ids.toSorted());
  assert.equal(body['meta'].version, 'W/"9"');
});

test('changes that were carried out together stand in the log under the requests that they belong to', async () => {
  const group = (await d.send('POST', '/Groups', entraGroup('Told'))).body['id'];
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) ids.push((await d.send('POST', '/Users', { userName: `told${i}` })).body['id']);
  const answers = await Promise.all(
    [...ids, ids[0]!].map(async (value) => ({
      value,
      request: (
        await d.send('PATCH', `/Groups/${group}`, patch({ op: 'add', path: 'members', value: [{ value }] }))
      ).headers.get('request-id'),
    })),
  );
  const events = await d.t.super<{ request: string; who: string }>(
    `select header->>'request' as request, data->'added'->'entries'->>0 as who from audit_inbox
      where header->>'type' = 'directory.members_changed' and data->>'group' = $1`,
    group,
  );
  assert.equal(events.length, 6, 'who is added twice at once is added once');
  for (const e of events) assert.ok(answers.some((a) => a.request === e.request && a.value === e.who));
});
