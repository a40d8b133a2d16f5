import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { headersOf, startMailServer, type MailServer } from '#dev/mail-server.ts';
import { mergeHouse, type MergeHouse } from '#dev/merge-house.ts';
import { noWords } from '#dev/no-words.ts';
import { systemCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { makeMailer, type Mailer } from '#notify/mailer.ts';
import { sendMessage } from '#notify/send-message.ts';
import { applyMerge } from './apply-merge.ts';
import { MERGE_EXPIRES_MS } from './merge.ts';
import { settleMergesJob } from './settle-merges.job.ts';

let h: MergeHouse;
let mail: MailServer;
let mailer: Mailer;
before(async () => {
  mail = await startMailServer();
  mailer = makeMailer({
    host: '127.0.0.1',
    port: mail.port,
    tls: 'none',
    auth: undefined,
    from: { name: 'Gatehouse', address: 'gate@acme.example' },
  });
});
after(async () => {
  mailer.close();
  await mail.close();
});
beforeEach(async () => {
  h = await mergeHouse();
});
afterEach(() => h[Symbol.asyncDispose]());

type Line = { code: string; about: string[]; says: string };
const lines = (preview: unknown, what: 'conflicts' | 'notices'): string[] =>
  (preview as Record<string, Line[]>)[what]?.map((l) => l.code) ?? [];
const post = (user: Id<'usr'>, org: string, path: string, body: unknown = {}) =>
  h.as(user, 'POST', `/orgs/${org}/merges${path}`, body);

/** Sends every queued mail, as the job would, and gives back what arrived: recipient and subject. */
async function deliver(): Promise<string[]> {
  mail.received.length = 0;
  const queued = await h.sql<{ id: Id<'msg'>; org: Id<'org'>; parent: Id<'par'> }>(
    `select m.id, m.org, o.parent from message m join org o on o.id = m.org where m.state = 'queued' order by m.id`,
  );
  for (const { id, org, parent } of queued)
    await sendMessage({ ...systemCtx(h.world, 'test', { parent, org }), org }, id, mailer, noWords);
  return mail.received
    .map((m) => {
      const subject = headersOf(m.raw).find((l) => l.startsWith('Subject: ')) ?? '';
      const words = subject
        .replace(/=\?UTF-8\?Q\?([^?]*)\?=\s*/g, (_, q: string) =>
          decodeURIComponent(q.replaceAll('_', ' ').replaceAll('=', '%')),
        )
        .replace(/=\?UTF-8\?B\?([^?]*)\?=\s*/g, (_, b: string) => Buffer.from(b, 'base64').toString());
      return `${m.to.join()}: ${words.slice('Subject: '.length)}`;
    })
    .sort();
}

test('the whole way: proposed, looked at, approved by an owner of each side, carried out, undone; each side hears of every step', async () => {
  const draft = await h.bo('', { with: h.acme.org, as: 'joining' });
  const id = String(draft.body['id']);
  assert.deepEqual([draft.status, draft.body['state'], draft.body['side']], [201, 'draft', 'joining'], draft.text);
  assert.equal(
    (await h.as(h.acme.owner, 'GET', `/orgs/${h.acme.org}/merges/${id}`)).status,
    404,
    'a draft is its author’s',
  );
  assert.deepEqual((await h.as(h.acme.owner, 'GET', `/orgs/${h.acme.org}/merges`)).body['items'], []);

  const sent = await h.bo(`/${id}/send`);
  assert.equal(sent.body['state'], 'sent');
  assert.equal((sent.body['receiving'] as { name: unknown }).name, null, 'nothing of Acme before Acme answers');
  assert.deepEqual(await deliver(), [
    'ada@acme.example: A proposal: “Birch Console” joins the parent of “Acme Workspace”',
    'bo@birch.example: A proposal: “Birch Console” joins the parent of “Acme Workspace”',
  ]);

  const seen = await h.ada(`/${id}/preview`);
  const hash = String(seen.body['hash']);
  assert.equal(seen.status, 200, seen.text);
  assert.deepEqual(lines(seen.body['preview'], 'conflicts'), []);
  assert.equal((await h.bo(`/${id}/preview`)).body['hash'], hash, 'both sides see one preview');

  const first = await h.ada(`/${id}/approve`, { hash });
  assert.equal(first.body['state'], 'approved_one', first.text);
  assert.equal(await h.parentOf(h.birch.org), h.birch.parent, 'one approval moves nothing');
  assert.deepEqual(await deliver(), [
    'ada@acme.example: “Acme Workspace” has approved the merge; “Birch Console” has not yet',
    'bo@birch.example: “Acme Workspace” has approved the merge; “Birch Console” has not yet',
  ]);
  const second = await h.bo(`/${id}/approve`, { hash });
  assert.equal(second.body['state'], 'applied', second.text);
  assert.equal(await h.parentOf(h.birch.org), h.acme.parent);
  assert.equal(
    (await deliver()).filter((m) => m.endsWith('“Birch Console” has joined the parent of “Acme Workspace”')).length,
    2,
  );
  const bos = await h.as(h.birch.owner, 'GET', '/orgs');
  assert.deepEqual(
    (bos.body['items'] as { name: string; role: string }[]).map((o) => [o.name, o.role]),
    [['Birch Console', 'primary_owner']],
  );

  const undone = await h.ada(`/${id}/undo`);
  assert.equal(undone.body['state'], 'undone', undone.text);
  assert.equal(await h.parentOf(h.birch.org), h.birch.parent);
  assert.equal(
    (await deliver()).filter((m) => m.endsWith('The merge of “Birch Console” and “Acme Workspace” is undone')).length,
    2,
  );

  for (const [type, logs] of [
    ['org.merge_proposed', [h.birch.org]],
    ['org.merge_sent', [h.acme.org, h.birch.org]],
    ['org.merge_previewed', [h.acme.org, h.birch.org]],
    ['org.merge_applied', [h.acme.org, h.acme.parent, h.birch.org, h.birch.parent]],
    ['org.merge_undone', [h.acme.org, h.acme.parent, h.birch.org, h.birch.parent]],
  ] as const)
    assert.deepEqual((await h.events(type)).map((e) => e.log).sort(), [...logs].sort(), type);
});

test('caches of both parents and of every organization that moves are told', async () => {
  const versions = async (): Promise<Map<string, bigint>> =>
    new Map(
      (
        await h.sql<{ scope: string; version: string }>(
          'select scope, sum(version) as version from (select scope, version from scope_version union all select scope, version from scope_bump) v group by 1',
        )
      ).map((r) => [r.scope, BigInt(r.version)]),
    );
  const { id, hash } = await h.proposed();
  await h.ada(`/${id}/approve`, { hash });
  await h.sql(
    `update merge_proposal set joining_by = $2, joining_at = now(), state = 'approved_both' where id = $1`,
    id,
    h.birch.owner,
  );
  const before = await versions();
  await settleMergesJob(h.world, h.up).run({});
  const after = await versions();
  for (const scope of [h.acme.parent, h.birch.parent, h.birch.org, h.acme.org])
    assert.ok((after.get(scope) ?? 0n) > (before.get(scope) ?? 0n), scope);
});

test('an owner makes an organization of the other surface under the same parent and owns it', async () => {
  const r = await h.as(h.acme.owner, 'POST', `/orgs/${h.acme.org}/sister-orgs`, {
    name: 'Acme API',
    surface: 'console',
  });
  assert.equal(r.status, 201, r.text);
  const id = parseId('org', String(r.body['id']));
  assert.ok(id);
  assert.equal(await h.parentOf(id), h.acme.parent);
  const list = await h.as(h.acme.owner, 'GET', `/orgs/${h.acme.org}/sister-orgs`);
  assert.deepEqual(
    (list.body['items'] as { name: string; surface: string }[]).map((o) => [o.name, o.surface]),
    [
      ['Acme API', 'console'],
      ['Acme Workspace', 'workspace'],
    ],
  );
  assert.equal((await h.as(h.acme.owner, 'GET', `/orgs/${id}`)).body['surface'], 'console');
  assert.deepEqual(
    (await h.events('org.sister_created')).map((e) => e.log),
    [h.acme.org],
  );
  assert.ok((await h.events('org.founded')).some((e) => e.log === id));
});

test('a person who comes to one side meanwhile does not send both sides back', async () => {
  const { id, hash } = await h.proposed();
  await h.ada(`/${id}/approve`, { hash });
  await h.person(h.birch, 'new@birch.example', 'user');
  assert.equal((await h.bo(`/${id}/approve`, { hash })).body['state'], 'applied');
});

test('what both sides approved is not carried out when it is not true any more at that moment', async () => {
  const { id, hash } = await h.proposed();
  await h.ada(`/${id}/approve`, { hash });
  // Both have approved; the node died before it carried it out, and meanwhile one side has got another way in.
  await h.sql(
    `update merge_proposal set joining_by = $2, joining_at = now(), state = 'approved_both' where id = $1`,
    id,
    h.birch.owner,
  );
  await h.connection(h.birch.parent, 'Late');
  await settleMergesJob(h.world, h.up).run({});
  assert.equal(await h.stateOf(id), 'stale');
  assert.equal(await h.parentOf(h.birch.org), h.birch.parent);
});

test('what both sides approved is carried out by the next node, if the first one died', async () => {
  const { id, hash } = await h.proposed();
  await h.ada(`/${id}/approve`, { hash });
  await h.sql(
    `update merge_proposal set joining_by = $2, joining_at = now(), state = 'approved_both' where id = $1`,
    id,
    h.birch.owner,
  );
  await settleMergesJob(h.world, h.up).run({});
  assert.equal(await h.stateOf(id), 'applied');
  const ctx = systemCtx(h.world, 'test', { parent: h.acme.parent, org: h.acme.org });
  assert.equal(await applyMerge(ctx, parseId('mrg', id)!, h.up), 'applied', 'and once only');
  assert.equal((await h.events('org.merge_applied')).filter((e) => e.log === h.acme.org).length, 1);
});

test('the same side approving twice is one approval', async () => {
  const { id, hash } = await h.proposed();
  await h.ada(`/${id}/approve`, { hash });
  const other = await h.person(h.acme, 'other@acme.example', 'owner');
  assert.equal((await post(other.user, h.acme.org, `/${id}/approve`, { hash })).body['state'], 'approved_one');
});

test('either side ends a proposal, and both hear of it', async () => {
  const { id, hash } = await h.proposed();
  assert.equal((await h.ada(`/${id}/reject`)).body['state'], 'rejected');
  assert.equal((await deliver()).filter((m) => m.endsWith('will not happen')).length, 2);
  const r = await h.bo(`/${id}/approve`, { hash });
  assert.deepEqual([r.status, r.body['code']], [409, 'org/merge-state']);
  assert.equal((await h.bo('', { with: h.acme.org, as: 'joining' })).status, 201, 'and another one may be made');
});

test('a proposal that nobody decides ends after two weeks, for everybody at the same moment', async () => {
  const { id, hash } = await h.proposed();
  h.advance(MERGE_EXPIRES_MS);
  const r = await h.ada(`/${id}/approve`, { hash });
  assert.deepEqual([r.status, r.body['code'], r.body['state']], [409, 'org/merge-state', 'expired']);
  await settleMergesJob(h.world, h.up).run({});
  assert.equal(await h.stateOf(id), 'expired');
  assert.equal((await deliver()).filter((m) => m.endsWith('has ended')).length, 2);
  assert.deepEqual((await h.events('org.merge_expired')).map((e) => e.log).sort(), [h.acme.org, h.birch.org].sort());
});

test('a draft that expires is told to nobody but its own side', async () => {
  await h.bo('', { with: h.acme.org, as: 'joining' });
  h.advance(MERGE_EXPIRES_MS);
  await settleMergesJob(h.world, h.up).run({});
  assert.deepEqual(
    (await h.events('org.merge_expired')).map((e) => e.log),
    [h.birch.org],
  );
  assert.deepEqual(
    (await deliver()).map((m) => m.split(':')[0]),
    ['bo@birch.example'],
  );
});

test('what changes after the preview ends the approvals, and says so: org/merge-stale', async () => {
  const { id, hash } = await h.proposed();
  await h.ada(`/${id}/approve`, { hash });
  await h.connection(h.birch.parent, 'NewIdp');
  const late = await h.bo(`/${id}/approve`, { hash });
  assert.deepEqual([late.status, late.body['code']], [412, 'org/merge-stale'], late.text);
  assert.equal(await h.stateOf(id), 'stale');
  assert.ok(
    (await deliver()).some((m) =>
      m.startsWith('ada@acme.example: The merge of “Birch Console” and “Acme Workspace” waits'),
    ),
  );
  // A new preview, and both again.
  const again = await h.bo(`/${id}/preview`);
  assert.equal(again.body['state'], 'sent');
  assert.notEqual(again.body['hash'], hash);
  assert.equal((again.body['receiving'] as { approved: unknown }).approved, null);
});
