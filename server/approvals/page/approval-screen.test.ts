import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { approvalHouse, someConnector as crm, type ApprovalHouse, type HouseMember } from '#dev/approval-house.ts';

let a: ApprovalHouse;
let luca: HouseMember;
let mira: HouseMember;
let olga: HouseMember;
before(async () => {
  a = await approvalHouse();
  a.tools.set('share_file', {
    pin: 'a'.repeat(64),
    class: 'destructive',
    projection: [{ kind: 'recipient', at: '/to/*' }],
  });
  luca = await a.person('Luca');
  mira = await a.person('Mira');
  olga = await a.person('Olga', 'admin');
});
after(() => a[Symbol.asyncDispose]());

const Piece = z.union([z.string(), z.object({ code: z.string(), char: z.string().optional() })]);
const Screen = z.object({
  title: z.array(Piece),
  asker: z.string(),
  says: z.array(Piece).nullable(),
  words: z.array(z.string()),
  hash: z.string(),
  rules: z.array(z.object({ name: z.string() })),
  call: z.object({
    outside: z.number(),
    groups: z.array(
      z.object({
        kind: z.string(),
        values: z.array(z.object({ text: z.array(Piece), outside: z.boolean(), notes: z.array(z.string()) })),
      }),
    ),
  }),
  act: z.looseObject({ kind: z.string() }),
});
const screenOf = async (id: string, who: HouseMember) => {
  const r = await a.h.api('GET', a.at(`/${id}/screen`), undefined, who.headers);
  assert.equal(r.status, 200, r.text);
  return Screen.parse(r.body);
};
let n = 0;
const share = (more: object = {}) =>
  a.asked(luca, {
    connector: crm,
    tool: 'share_file',
    args: { to: ['bob@acme.example', 'm@n\u043Erthwind.example'], copy: ++n },
    ...more,
  });

test('the screen has recipients outside first, names the letter that deceives, and the words of the hash', async () => {
  const request = await share({ says: 'safe\u200B to approve' });
  const s = await screenOf(request.id, olga);
  assert.deepEqual(s.title, ['Luca’s agent wants to use share_file of CRM, with 1 person outside Acme Workspace']);
  const [to] = s.call.groups;
  assert.deepEqual([to?.kind, to?.values.map((v) => v.outside)], ['recipient', [true, false]]);
  assert.deepEqual(to?.values[0]?.text[1], {
    code: 'U+043E',
    char: '\u043E',
  });
  assert.deepEqual([s.words.length, s.hash], [4, request.hash]);
  assert.deepEqual(s.says, ['safe', { code: 'U+200B' }, ' to approve']);
  assert.deepEqual(
    s.rules.map((r) => r.name),
    ['what destroys asks'],
  );
  assert.deepEqual(s.act, { kind: 'decide', fresh: false });
});

test('whose agent asked may take it back and not decide; who may not see it finds nothing; that somebody looked is in the log', async () => {
  const { id } = await share();
  assert.equal((await screenOf(id, luca)).act.kind, 'own');
  const r = await a.h.api('GET', a.at(`/${id}/screen`), undefined, mira.headers);
  assert.deepEqual([r.status, r.body['code']], [404, 'approvals/no-approval']);
  assert.equal((await a.told('approval.read', id)).length, 1);
});

test('lists say who asked, who decided and what the connector is called; they are found by these people’s names', async () => {
  const { id } = await share();
  await a.decide(id, 'denied', olga);
  const r = await a.h.api('GET', `${a.at()}?q=luc&state=denied`, undefined, olga.headers);
  const Item = z.object({
    id: z.string(),
    connectorName: z.string(),
    asker: z.object({ name: z.string() }),
    decided: z.object({ name: z.string() }),
  });
  const item = z
    .array(Item)
    .parse(r.body['items'])
    .find((i) => i.id === id);
  assert.deepEqual([item?.connectorName, item?.asker.name, item?.decided.name], ['CRM', 'Luca', 'Olga']);
  const deciders = await a.h.api('GET', `/orgs/${a.h.acme.org}/approval-deciders?q=olg`, undefined, olga.headers);
  assert.deepEqual(
    z
      .array(z.object({ name: z.string() }))
      .parse(deciders.body['items'])
      .map((d) => d.name),
    ['Olga'],
  );
});

test('days count what was asked and what became of it', async () => {
  const before = await days();
  const one = await share();
  await share();
  await a.decide(one.id, 'approved', olga, { hash: one.hash });
  const now = await days();
  assert.deepEqual([now.asked - before.asked, now.approved - before.approved, now.waiting - before.waiting], [2, 1, 1]);
});
async function days() {
  const r = await a.h.api('GET', `/orgs/${a.h.acme.org}/approval-days`, undefined, olga.headers);
  const items = z
    .array(z.object({ asked: z.number(), approved: z.number(), waiting: z.number() }))
    .parse(r.body['items']);
  const sum = (k: 'asked' | 'approved' | 'waiting'): number => items.reduce((s, i) => s + i[k], 0);
  return { asked: sum('asked'), approved: sum('approved'), waiting: sum('waiting') };
}
