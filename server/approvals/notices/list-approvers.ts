import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { rolesWith } from '#org/roles.ts';
import { loadPolicySet } from '#policy/load-policy-set.ts';
import type { PolicySet } from '#policy/decide.ts';
import { approversOfRule } from '#policy/rule.ts';
import { listCandidates } from './approver.sql.ts';
import type { Approval } from '../approval.ts';
import { casesOf } from '../cases.ts';
import { findManager } from '../find-manager.ts';
import { judge } from '../judge.ts';
import type { Tools } from '../tools.ts';

/** People looked at for one request. More than would ever be told of it. */
const MAX_CANDIDATES = 200;

/**
 * Who may say yes to a request, from wherever: whom to tell of it, and never who decides. The rules are asked about everybody whom they could
 * mean: people whose role decides, the manager, the one who asked, and whoever a rule names. Whom only Cedar of an expert's own hand means
 * sees the request in the list of what waits, and is not told.
 */
export async function listApprovers(db: Reader, tools: Tools, a: Approval, now: Date): Promise<Id<'usr'>[]> {
  const set = await loadPolicySet(db);
  const cases = casesOf(db, tools, set, now);
  const at = await cases.of(a);
  if (!at) return [];
  const named = namedBy(set);
  const manager = await findManager(db, a.asker.user);
  const candidates = await listCandidates(db, {
    roles: rolesWith('approval.decide'),
    users: [a.asker.user, ...(manager ? [manager] : []), ...named.users],
    groups: named.groups,
    limit: MAX_CANDIDATES,
  });
  const approvers: Id<'usr'>[] = [];
  for (const user of candidates) {
    const who = await cases.decider(user, a);
    const j = who && judge(at, who, { surface: 'portal', device: 'unknown', fresh: false });
    if (j && (j.may || j.elsewhere)) approvers.push(user);
  }
  return approvers;
}

function namedBy(set: PolicySet): { users: Id<'usr'>[]; groups: Id<'grp'>[] } {
  const named: { users: Id<'usr'>[]; groups: Id<'grp'>[] } = { users: [], groups: [] };
  for (const rule of set.rules.values()) {
    const who = approversOfRule(rule)?.who;
    if (who?.kind === 'user') named.users.push(who.user);
    if (who?.kind === 'group') named.groups.push(who.group);
  }
  return named;
}
