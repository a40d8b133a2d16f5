import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startHouse, type StartHouse } from '#dev/start-house.ts';
import { newId } from '#kernel/id.ts';
import type { MemberRole } from '#org/member.ts';

type Shown = {
  steps: { code: string; done: boolean; at: string | null; by: string | null; says: string }[];
  needs: { code: string; urgency: string; says: string; count: number; page: string; until: string | null }[];
  fine: { says: string }[];
  unseen: string[];
};

let h: StartHouse;
before(async () => {
  h = await startHouse();
});
after(() => h[Symbol.asyncDispose]());

const cookies = new Map<string, string>();
async function as(name: string, role: MemberRole | 'founder'): Promise<string> {
  const known = cookies.get(name);
  if (known !== undefined) return known;
  const user = role === 'founder' ? h.acme.owner : (await h.addPerson(name, role)).user;
  const cookie = (await h.browserOf(user)).cookies(new URL(h.origin));
  cookies.set(name, cookie);
  return cookie;
}
async function start(cookie: string): Promise<Shown> {
  const r = await h.api('GET', `/orgs/${h.acme.org}/start`, undefined, { cookie });
  assert.equal(r.status, 200, r.text);
  return r.body as Shown;
}
const waiting = async (cookie: string): Promise<Record<string, number>> => {
  const r = await h.api('GET', `/orgs/${h.acme.org}/waiting`, undefined, { cookie });
  const { rooms } = r.body as { rooms: { room: string; count: number }[] };
  return Object.fromEntries(rooms.map((x) => [x.room, x.count]));
};
const stepOf = (s: Shown, code: string) => s.steps.find((x) => x.code === code);

test('an organization that was just founded has everything ahead of it, and says what each step is for', async () => {
  const s = await start(await as('Ada', 'founder'));
  assert.deepEqual(
    s.steps.map((x) => [x.code, x.done]),
    [
      ['domains.proved', false],
      ['identity.tested', false],
      ['directory.seen', false],
      ['provisioning.mapped', false],
      ['connectors.first', false],
      ['org.first_member', false],
    ],
  );
  assert.ok(s.steps.every((x) => x.says.length > 10 && x.at === null));
  assert.deepEqual(s.needs, []);
});

test('a step that was done says who did it, and when, by the log', async () => {
  const ada = await as('Ada', 'founder');
  const added = await h.api(
    'POST',
    `/orgs/${h.acme.org}/members`,
    { email: 'mia@acme.example', displayName: 'Mia', role: 'user' },
    { cookie: ada, origin: h.origin, 'content-type': 'application/json' },
  );
  assert.equal(added.status, 201, added.text);
  await h.settled();
  const step = stepOf(await start(ada), 'org.first_member');
  assert.equal(step?.done, true);
  assert.equal(step?.by, 'Ada');
  assert.match(step?.says ?? '', /Mia/);
  assert.match(step?.at ?? '', /^\d{4}-/);
});

const { now } = Date;
const inDays = (n: number): Date => new Date(now() + n * 86_400_000);

test('what needs a person is on the board, most pressing first, each with the page of its repair', async () => {
  const { parent, org } = h.acme;
  const { user } = await h.addPerson('Nobody', 'user');
  await h.t.super(
    `insert into provisioning_removal (org, id, user_id, kind, state, at) values ($1, $2, $3, 'unmapped', 'held', now())`,
    org,
    newId('rem'),
    user,
  );
  await h.t.super(
    `insert into quarantine (org, id, phase, same, call, client, sealed, bytes, findings, detectors, needs, state, kept_at, expires_at)
     values ($1, $2, 'arguments', '\\x01', 'call', 'client', '\\x02', 3, '[]', '{}', 1, 'waiting', now(), now() + interval '3 days')`,
    org,
    newId('qua'),
  );
  await h.t.super(
    `insert into domain (parent, id, name, shown, token, include_subdomains, added_at, state, since, verified_at, last_success_at, fault, next_check_at)
     values ($1, $2, 'acme.example', 'acme.example', $3, false, now(), 'failing', now(), now(), now(), $4, now() + interval '1 hour')`,
    parent,
    newId('dom'),
    '0'.repeat(32),
    JSON.stringify({
      code: 'nxdomain',
      record: 'r',
      where: 'w',
      expected: 'e',
      found: 'f',
      ttl: null,
      since: inDays(0).toISOString(),
      at: inDays(0).toISOString(),
      lastSuccess: null,
    }),
  );
  const directory = newId('dir');
  await h.t.super(
    `insert into directory (parent, id, org, name, created_at) values ($1, $2, $3, 'Okta', now())`,
    parent,
    directory,
    org,
  );
  await h.t.super(
    `insert into scim_token (parent, id, directory, hash, created_by, created_at, expires_at) values ($1, $2, $3, '\\x03', 'x', now(), $4)`,
    parent,
    newId('sct'),
    directory,
    inDays(5),
  );
  const s = await start(await as('Ada', 'founder'));
  assert.deepEqual(
    s.needs.map((n) => [n.code, n.urgency, n.page]),
    [
      ['dlp.quarantine_waits', 'held', '/dlp/quarantine'],
      ['provisioning.removals_held', 'held', '/directory/held'],
      ['domains.failing', 'broken', '/identity/domains'],
      ['directory.tokens_ending', 'breaks', '/directory/directories'],
    ],
  );
  assert.equal(stepOf(s, 'domains.proved')?.done, true, 'a domain in its time of grace still counts');
});

test('the numbers beside the rooms count what waits for a decision, and nothing else', async () => {
  assert.deepEqual(await waiting(await as('Ada', 'founder')), { dlp: 1, directory: 1 });
});

test('of rooms that a person may not read, the board says that it says nothing', async () => {
  const employee = await as('Una', 'user');
  const s = await start(employee);
  assert.deepEqual(s.needs, []);
  assert.deepEqual(s.steps, []);
  assert.ok(s.unseen.includes('audit') && s.unseen.includes('domains') && !s.unseen.includes('approvals'));
  assert.deepEqual(await waiting(employee), {});
  const admin = await start(await as('Adm', 'admin'));
  assert.ok(admin.unseen.includes('directory') && !admin.needs.some((n) => n.code.startsWith('directory.')));
});

test('a log that nobody signs any more is told of', async () => {
  const ada = await as('Ada', 'founder');
  await h.settled();
  assert.ok((await start(ada)).fine.some((f) => f.says.startsWith('Checkpoint')));
  await h.t.super(`delete from audit_checkpoint where log = $1`, h.acme.org);
  h.advance(120_000);
  assert.ok((await start(ada)).needs.some((n) => n.code === 'audit.not_signed'));
});
