import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { approvalHouse, someConnector as crm, type ApprovalHouse, type HouseMember } from '#dev/approval-house.ts';
import type { Approval } from '../approval.ts';
import { tellDecidersJobs } from './tell-deciders.job.ts';

let a: ApprovalHouse;
let luca: HouseMember;
let mira: HouseMember;
let olga: HouseMember;
before(async () => {
  a = await approvalHouse();
  luca = await a.person('Luca');
  mira = await a.person('Mira');
  olga = await a.person('Olga', 'admin');
});
after(() => a[Symbol.asyncDispose]());

let n = 0;
const ask = (more = {}): Promise<Approval> =>
  a.asked(luca, { connector: crm, args: { secret: `lamp-${++n}` }, ...more });
const job = (name: string) => tellDecidersJobs(a.h.world, a.port).find((j) => j.name === name)!;
const tell = (r: Approval): Promise<void> => job('approvals.tell').run({ org: a.h.acme.org, approval: r.id });
/** Who was mailed about it, by kind. */
const mails = async (r: Approval): Promise<string[]> =>
  (
    await a.h.t.super<{ who: string }>(
      `select u.display_name || ' ' || m.kind as who from message m join app_user u on u.id = m.user_id where m.data::text like $1 order by 1`,
      `%${r.id}%`,
    )
  ).map((m) => m.who);

test('asking queues the telling with it, and who may decide is mailed once about what cannot be undone', async () => {
  const r = await ask();
  const [job] = await a.h.t.super<{ n: string }>(
    `select count(*)::text as n from graphile_worker._private_jobs where payload::text like $1`,
    `%${r.id}%`,
  );
  assert.equal(job?.n, '1');
  await tell(r);
  await tell(r);
  assert.deepEqual(await mails(r), ['Ada approval_waits', 'Olga approval_waits']);
  const [told] = await a.told('approval.told', r.id);
  assert.deepEqual(told?.data, { approval: r.id, now: 2, later: 0 });
});

test('neither the asker nor somebody who may not decide is told', async () => {
  const r = await ask();
  await tell(r);
  const told = await mails(r);
  for (const who of [luca, mira])
    assert.ok(!told.some((m) => m.startsWith(who === luca ? 'Luca' : 'Mira')), told.join());
});

test('whom a rule names is told, though his role decides nothing', async () => {
  await a.rule({
    name: 'Mira agrees to exports',
    connector: crm,
    tools: { names: ['export_all'] },
    approvers: { who: { kind: 'user', user: mira.user }, secondPerson: true, surface: 'any', fresh: false },
  } as never);
  a.tools.set('export_all', { pin: 'a'.repeat(64), class: 'write', projection: [] });
  const r = await ask({ tool: 'export_all', class: 'destructive' });
  await tell(r);
  assert.deepEqual(await mails(r), ['Mira approval_waits']);
});

test('what was decided before anybody was told is not told', async () => {
  const r = await ask();
  await a.decide(r.id, 'denied', olga);
  await tell(r);
  assert.deepEqual(await mails(r), []);
});

test('what can be undone waits for a summary; a person gets one, with all that waits for them', async () => {
  a.tools.set('update', { pin: 'a'.repeat(64), class: 'write', projection: [] });
  await a.rule({ name: 'writing asks', tools: { classes: ['write'] } } as never);
  const first = await ask({ tool: 'update', class: 'write' });
  const second = await ask({ tool: 'update', class: 'write' });
  await tell(first);
  await tell(second);
  assert.deepEqual(await mails(first), []);
  await job('approvals.summary').run(undefined);
  assert.deepEqual(await mails(first), [], 'not yet: it waits a quarter of an hour for company');
  a.h.advance(16 * 60_000);
  await job('approvals.summary').run(undefined);
  await job('approvals.summary').run(undefined);
  assert.deepEqual(await mails(first), ['Ada approvals_wait', 'Olga approvals_wait']);
  assert.deepEqual(await mails(second), ['Ada approvals_wait', 'Olga approvals_wait']);
});

test('after as many mails within an hour as the organization wants, the next ones wait for the summary', async () => {
  const more: Approval[] = [];
  for (let i = 0; i < 25; i++) more.push(await ask());
  for (const r of more) await tell(r);
  const last = more.at(-1)!;
  assert.deepEqual(await mails(last), []);
  a.h.advance(16 * 60_000);
  await job('approvals.summary').run(undefined);
  assert.deepEqual(await mails(last), ['Ada approvals_wait', 'Olga approvals_wait']);
});
