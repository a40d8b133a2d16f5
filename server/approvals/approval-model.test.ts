import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { approvalHouse, type ApprovalHouse, type HouseMember } from '#dev/approval-house.ts';
import { asking } from '#dev/asking.ts';
import { testWorld } from '#dev/test-world.ts';
import { scopeOf, systemCtx, type Actor, type OrgCtx, type World } from '#kernel/ctx.ts';
import { connect, type Db } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { Problem } from '#kernel/problem.ts';
import { loadPolicySet } from '#policy/load-policy-set.ts';
import { ask } from './ask.ts';
import { cancelApproval } from './cancel-approval.ts';
import { decideApprovals } from './decide-approvals.ts';
import { expireApprovalsJob } from './expire-approvals.job.ts';
import { revokeGrant } from './revoke-grant.ts';
import { useGrant } from './use-grant.ts';

/**
 * Two nodes, each with connections of its own, on which people and agents do things at the same moment, in steps of a few at once. After each
 * step the rows, the log and what was answered must tell one and the same story.
 */
let a: ApprovalHouse;
let db: Db & { end(): Promise<void> };
let nodes: World[];
let luca: HouseMember;
let deciders: HouseMember[];
before(async () => {
  a = await approvalHouse();
  db = connect({ url: a.h.t.url, role: 'gatehouse_app', log: silentLog });
  nodes = [a.h.world, await testWorld(db, { origin: a.h.origin, now: () => a.h.world.now() })];
  luca = await a.person('Luca');
  deciders = [await a.person('Olga', 'admin'), await a.person('Oskar', 'admin')];
});
after(async () => {
  await nodes[1]?.egress.close();
  await db.end();
  await a[Symbol.asyncDispose]();
});

type Op = {
  do: 'ask' | 'approve' | 'deny' | 'use' | 'cancel' | 'revoke' | 'late' | 'job';
  node: number;
  who: number;
  call: number;
};
const op: fc.Arbitrary<Op> = fc.record({
  do: fc.constantFrom(
    'ask',
    'ask',
    'approve',
    'approve',
    'deny',
    'use',
    'use',
    'use',
    'cancel',
    'revoke',
    'late',
    'job',
  ),
  node: fc.nat({ max: 1 }),
  who: fc.nat({ max: 1 }),
  call: fc.nat({ max: 1 }),
});

/** What was answered to whom: a success of each kind, by request. */
class Answers {
  readonly decided = new Map<string, string[]>();
  readonly used = new Map<string, number>();
  readonly asked = new Map<number, Set<Id<'apr'>>>();
}

async function run(o: Op, calls: readonly string[], got: Answers): Promise<void> {
  const world = nodes[o.node]!;
  const as = (actor?: Actor): OrgCtx => {
    const ctx = systemCtx(world, 'test', { parent: a.h.acme.parent, org: a.h.acme.org });
    return { ...ctx, org: a.h.acme.org, actor: actor ?? ctx.actor };
  };
  const session = newId('ses');
  const person = deciders[o.who]!;
  const user: Actor = { kind: 'user', id: person.user, session };
  const self: Actor = { kind: 'user', id: luca.user, session };
  const over = { args: { row: calls[o.call] ?? '' } };
  const known = [...(got.asked.get(o.call) ?? [])].at(-1);
  switch (o.do) {
    case 'ask': {
      const { id } = await ask(as(), asking(luca.asker, a.h.acme.org, { ...over, connector: connectorOf(calls) }));
      got.asked.set(o.call, (got.asked.get(o.call) ?? new Set()).add(id));
      return;
    }
    case 'approve':
    case 'deny': {
      if (!known) return;
      const verdict = o.do === 'approve' ? 'approved' : 'denied';
      await decideApprovals(as(user), a.port, { items: [{ approval: known }], verdict });
      got.decided.set(known, [...(got.decided.get(known) ?? []), verdict]);
      return;
    }
    case 'use': {
      const { action, call } = asking(luca.asker, a.h.acme.org, { ...over, connector: connectorOf(calls) });
      const set = await world.db.read(scopeOf(as()), loadPolicySet);
      const used = await useGrant(as(), a.port, { asker: luca.asker, action, call, projection: [], set });
      if (used) got.used.set(used.approval, (got.used.get(used.approval) ?? 0) + 1);
      return;
    }
    case 'cancel':
      if (known) await cancelApproval(as(self), known);
      return;
    case 'revoke':
      if (known) await revokeGrant(as(user), known);
      return;
    case 'late':
      return a.h.advance(11 * 60_000);
    case 'job':
      return expireApprovalsJob(world).run({});
  }
}
const connectors = new Map<string, Id<'con'>>();
const connectorOf = (calls: readonly string[]): Id<'con'> => {
  const key = calls.join();
  const id = connectors.get(key) ?? newId('con');
  connectors.set(key, id);
  return id;
};

type Row = {
  id: string;
  state: string;
  decision: string | null;
  used: number | null;
  most: number | null;
  ended: string | null;
};
let round = 0;

test('whatever people and agents do on two nodes at once, a request has one end, one decision at most, and its yes is used once at most', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(op, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 8 }),
      async (steps) => {
        const calls = [`${++round}-a`, `${round}-b`];
        const got = new Answers();
        const ends = new Map<string, string>();
        for (const step of steps) {
          const outcomes = await Promise.allSettled(step.map((o) => run(o, calls, got)));
          // A refusal is a conflict in words; anything else is a race that we lost to.
          for (const r of outcomes)
            if (r.status === 'rejected')
              assert.ok(r.reason instanceof Problem && r.reason.kind === 'conflict', String(r.reason));
          const rows = await a.h.t.super<Row>(
            `select p.id, p.state, p.decision, g.used, g.most, g.ended from approval p left join approval_grant g on g.approval = p.id
            where p.connector = $1`,
            connectorOf(calls),
          );
          const log = await a.h.t.super<{ type: string; approval: string; n: number }>(
            `select header ->> 'type' as type, data ->> 'approval' as approval, count(*)::int as n from audit_inbox
            where data ->> 'approval' = any($1) group by 1, 2`,
            rows.map((r) => r.id),
          );
          const told = (type: string, id: string): number =>
            log.find((l) => l.type === type && l.approval === id)?.n ?? 0;
          assert.ok(
            calls.every(
              (_, i) =>
                rows.filter((r) => r.state === 'pending' && got.asked.get(i)?.has(r.id as Id<'apr'>)).length <= 1,
            ),
          );
          for (const r of rows) {
            const before = ends.get(r.id);
            assert.ok(before === undefined || before === r.state, `${r.id} was ${before} and is ${r.state}`);
            if (r.state !== 'pending') ends.set(r.id, r.state);
            const decisions = got.decided.get(r.id) ?? [];
            assert.ok(decisions.length <= 1, `${r.id} was decided ${decisions.join(' and ')}`);
            assert.deepEqual(decisions, ['approved', 'denied'].includes(r.state) ? [r.state] : []);
            assert.equal(r.decision !== null, decisions.length === 1);
            assert.equal(told('approval.approved', r.id) + told('approval.denied', r.id), decisions.length);
            assert.equal(
              told('approval.cancelled', r.id) + told('approval.expired', r.id),
              ['cancelled', 'expired'].includes(r.state) ? 1 : 0,
            );
            assert.equal(r.used !== null, r.state === 'approved', 'a yes is worth something, and nothing else is');
            assert.equal(got.used.get(r.id) ?? 0, r.used ?? 0, 'every use that was answered is counted');
            assert.ok((r.used ?? 0) <= 1);
            assert.equal(told('approval.grant_used', r.id), r.used ?? 0);
            assert.ok(r.ended === null || r.used === 0, 'what was used up did not end otherwise');
          }
        }
      },
    ),
    { numRuns: 60, ...(process.env['GATEHOUSE_SEED'] ? { seed: Number(process.env['GATEHOUSE_SEED']) } : {}) },
  );
});
