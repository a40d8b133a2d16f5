import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { at, testCluster } from '#dev/test-cluster.ts';
import { connect, type Db } from '#kernel/db.ts';
import { newId, parseId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { migrations } from '#kernel/migrate.ts';
import { findApproval } from './approval.sql.ts';
import type { Approval } from './approval.ts';

/** A database as it was before, with a request in every state that there was; then the migration. */
const name = `t_${process.pid}_approvals`;
const [parent, org, member, user, olga] = [newId('par'), newId('org'), newId('mem'), newId('usr'), newId('usr')];
const ids = new Map<string, Id<'apr'>>();
let db: Db & { end(): Promise<void> };
let superUrl: string;

const states: [string, string, boolean, boolean][] = [
  ['pending', 'pending', false, false],
  ['granted', 'granted', true, false],
  ['used', 'used', true, true],
  ['refused', 'refused', true, false],
  ['expired, undecided', 'expired', false, false],
  ['expired, granted', 'expired', true, false],
];

before(async () => {
  const cluster = await testCluster();
  superUrl = cluster.superUrl;
  const root = new pg.Client({ connectionString: superUrl });
  await root.connect();
  await root.query(`drop database if exists ${name} with (force)`);
  await root.query(`create database ${name} owner gatehouse_owner`);
  await root.end();
  const c = new pg.Client({ connectionString: at(cluster.ownerUrl, name) });
  await c.connect();
  const files = migrations();
  const mine = files.findIndex((f) => f.name === '0024-approvals.sql');
  for (const f of files.slice(0, mine)) await c.query(f.text);
  await c.query(`insert into parent (id, name, created_at) values ($1, 'Acme', now())`, [parent]);
  await c.query(
    `insert into org (parent, id, name, surface, region, created_at) values ($1, $2, 'Acme', 'workspace', 'eu', now())`,
    [parent, org],
  );
  for (const u of [user, olga])
    await c.query(
      `insert into app_user (parent, id, email, display_name, state, origin, created_at) values ($1, $2, $2 || '@acme.example', 'x', 'active', 'local', now())`,
      [parent, u],
    );
  await c.query(`insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, 'user', now())`, [
    org,
    member,
    user,
  ]);
  for (const [what, state, decided, used] of states) {
    const id = newId('apr');
    ids.set(what, id);
    await c.query(
      `insert into approval (org, id, action_hash, action, connector, tool, asker, asker_user, client, state, asked_at, expires_at, decided_by,
                             decided_at, reason, used_at, used_by_call)
       values ($1, $2, $3, $4, $5, 'delete_deal', $6, $7, 'c', $8, now(), now() + interval '1 hour', $9, $10, $11, $12, $13)`,
      [
        org,
        id,
        id.slice(4).repeat(2),
        '{"args":{"id":"deal-1"},"connector":"x","tool":"delete_deal"}',
        newId('con'),
        member,
        user,
        state,
        decided ? olga : null,
        decided ? '2026-01-01T08:00:00.123Z' : null,
        decided ? 'because' : null,
        used ? '2026-01-01T08:01:00Z' : null,
        used ? 'tcl_1' : null,
      ],
    );
  }
  for (const f of files.slice(mine)) await c.query(f.text);
  await c.end();
  db = connect({ url: at(cluster.appUrl, name), role: 'gatehouse_app', log: silentLog });
});
after(async () => {
  await db.end();
  const root = new pg.Client({ connectionString: superUrl });
  await root.connect();
  await root.query(`drop database if exists ${name} with (force)`);
  await root.end();
});

const told = (a: Approval | undefined): unknown =>
  a && [a.state, a.state === 'approved' ? a.grant.state : null, a.state === 'superseded' ? a.why : null];

for (const [what, is] of [
  ['pending', ['superseded', null, 'definition']],
  ['granted', ['approved', 'expired', null]],
  ['used', ['approved', 'used', null]],
  ['refused', ['denied', null, null]],
  ['expired, undecided', ['expired', null, null]],
  ['expired, granted', ['approved', 'expired', null]],
] as const)
  test(`a request from before that was "${what}" reads as ${is.filter(Boolean).join(', ')}, with who had decided and the arguments`, async () => {
    const id = parseId('apr', ids.get(what) ?? '');
    const a = await db.read({ parent, org }, (r) => findApproval(r, id!));
    assert.deepEqual(told(a), is);
    assert.deepEqual([a?.action.args, a?.action.executor.member, a?.action.pin], [{ id: 'deal-1' }, member, null]);
    if (a?.state === 'approved' || a?.state === 'denied')
      assert.deepEqual(
        [a.decided.by, a.decided.reason, a.decided.at.toISOString()],
        [olga, 'because', '2026-01-01T08:00:00.123Z'],
      );
  });
