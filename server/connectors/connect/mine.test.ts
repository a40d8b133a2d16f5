import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { openConnectHouse, type ConnectHouse, type Person } from '#dev/connect-house.ts';
import { newId } from '#kernel/id.ts';

const open = async (t: TestContext): Promise<ConnectHouse> => {
  const h = await openConnectHouse();
  t.after(() => h.close());
  return h;
};
type Mine = {
  id: string;
  actAs: string;
  on: boolean;
  ready: boolean;
  barred: string | null;
  levels: { access: string; scopes: string[] }[];
  connection: { account: { label: string } } | null;
};
const mine = async (h: ConnectHouse, who?: Person): Promise<Mine[]> =>
  (await h.api('GET', '/my/connectors', undefined, who)).json['items'] as Mine[];

test('a person finds what can be connected, at which levels, and what is theirs already', async (t) => {
  const h = await open(t);
  const con = await h.connector({ access: 'read_only' });
  const bob = await h.person('bob@acme.example');
  await h.consent(con, h.ada, 'read_only');
  const [hers] = await mine(h);
  assert.equal(hers?.connection?.account.label, 'ada@acme.example');
  const [his] = await mine(h, bob);
  assert.deepEqual(
    [his?.id, his?.connection, his?.ready, his?.levels.map((l) => l.access)],
    [con, null, true, ['read_only']],
  );
});

test('what the organization gave an account for is not for people to connect', async (t) => {
  const h = await open(t);
  await h.connector({ actAs: 'organization' });
  const [only] = await mine(h);
  assert.deepEqual([only?.actAs, only?.levels, only?.ready], ['organization', [], false]);
});

test('what is switched off is not offered, but stays in sight of whoever is connected', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  await h.consent(con, h.ada);
  await h.t.super(`update connector set state = 'off' where id = $1`, con);
  assert.deepEqual(
    (await mine(h)).map((c) => c.on),
    [false],
  );
  assert.deepEqual(await mine(h, await h.person('bob@acme.example')), []);
});

test('whom a control of the type keeps away reads why', async (t) => {
  const h = await open(t);
  await h.connector();
  await h.t.super(
    `insert into policy_type_control (org, id, type, state, access, set_by, set_at, since) values ($1, $2, 'plain', 'off', 'off', 'test', now(), 1)`,
    h.at.org,
    newId('ctl'),
  );
  const [only] = await mine(h);
  assert.match(String(only?.barred), /plain are switched off/);
});

test('who began in the portal comes back to the portal, and only who began there', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const from = async (body: object): Promise<string> => {
    const begun = await h.api('POST', `/connectors/${con}/consent`, { access: 'read_only', ...body });
    const visited = await fetch(String(begun.json['url']), { redirect: 'manual' });
    const back = new URL(visited.headers.get('location') ?? '');
    return (await h.page('GET', back.pathname + back.search, h.ada)).location;
  };
  assert.match(await from({ from: 'portal' }), new RegExp(`^/portal/${h.at.org}/mine\\?connected=cnn_`));
  assert.match(await from({}), /^\/connections\?done=cnn_/);
});
