import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { notify } from '#notify/notify.ts';
import { rolesWith } from '#org/roles.ts';
import type { PolicySet } from '#policy/decide.ts';
import { loadPolicySet } from '#policy/load-policy-set.ts';
import { asOf, type Approval } from './approval.ts';
import { findApproval } from './approval.sql.ts';
import { approvalEvents } from './approvals.events.ts';
import { listCandidates } from './candidates.sql.ts';
import { casesOf } from './cases.ts';
import { findManager } from './find-manager.ts';
import { judge } from './judge.ts';
import { saveSent } from './notice.sql.ts';
import { planNotices } from './plan-notices.ts';
import type { Tools } from './tools.ts';

/** More people than this are not told of one request; whoever may decide sees it in any case. */
const MOST_TOLD = 50;
const MOST_ASKED = 500;

/**
 * Tells those who may decide that a request waits: by mail at once, or in the next summary. The policies say who may, one person after the
 * other; nobody is told of a call that they could not decide.
 */
export const tellDeciders = (ctx: OrgCtx, tools: Tools, id: Id<'apr'>): Promise<void> =>
  change(ctx, async (tx) => {
    const row = await findApproval(tx, id);
    const approval = row && asOf(row, ctx.now);
    if (approval?.state !== 'pending') return { value: undefined, unchanged: true };
    const people = await whoMay(tx, tools, approval, ctx.now);
    const planned = await planNotices(tx, approval, people, ctx.now);
    if (planned.length === 0) return { value: undefined, unchanged: true };
    const now = planned.filter((p) => p.how === 'now').map((p) => p.person);
    await notify(tx, ctx, { to: now, about: { kind: 'approval_waits', approval: id } });
    for (const person of now) await saveSent(tx, person, [id], ctx.now);
    return {
      value: undefined,
      events: [
        event(approvalEvents, 'approval.told', { approval: id, now: now.length, later: planned.length - now.length }),
      ],
    };
  });

async function whoMay(tx: Tx, tools: Tools, a: Approval, now: Date): Promise<Id<'usr'>[]> {
  const set = await loadPolicySet(tx);
  const cases = casesOf(tx, tools, set, now);
  const at = await cases.of(a);
  if (!at) return [];
  const manager = await findManager(tx, a.asker.user);
  const named = namedIn(set);
  const candidates = await listCandidates(tx, {
    roles: rolesWith('approval.decide'),
    users: [...named.users, a.asker.user, ...(manager ? [manager] : [])],
    groups: named.groups,
    limit: MOST_ASKED,
  });
  const people: Id<'usr'>[] = [];
  for (const user of candidates) {
    const who = await cases.decider(user, a);
    if (!who) continue;
    // From anywhere and in any manner: the page says what is missing.
    const j = judge(at, who, { surface: 'portal', device: 'unknown', fresh: true });
    if (j.may || j.elsewhere) people.push(user);
    if (people.length === MOST_TOLD) break;
  }
  return people;
}

/** Whom rules name as those who agree. */
function namedIn(set: PolicySet): { users: Id<'usr'>[]; groups: Id<'grp'>[] } {
  const named: { users: Id<'usr'>[]; groups: Id<'grp'>[] } = { users: [], groups: [] };
  for (const rule of set.rules.values()) {
    const who = rule.effect === 'allow' && rule.asks === 'always' ? rule.approvers?.who : undefined;
    if (who?.kind === 'user') named.users.push(who.user);
    if (who?.kind === 'group') named.groups.push(who.group);
  }
  return named;
}
