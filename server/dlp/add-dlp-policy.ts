import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { actorId } from './actor-id.ts';
import { classesOf } from './data-classes.ts';
import { dlpEvents } from './dlp.events.ts';
import { possible, severities, type DlpPolicy, type PolicyDraft } from './dlp-policy.ts';
import { countDlpPolicies, hasGroup, insertDlpPolicy } from './dlp-policy.sql.ts';
import { noData, notPossible } from './set-baseline.ts';

/** Policies of one organization: all are looked at for every call. */
export const MAX_DLP_POLICIES = 500;

/** What this room asks about connectors, which stand above it. */
export type Connectors = { hasConnector(db: Reader, id: Id<'con'>): Promise<boolean> };

/** Adds a policy or an exception; it applies from the next call on. Refuses one about what is not here, because it would quietly do nothing. */
export async function addDlpPolicy(ctx: OrgCtx, draft: PolicyDraft, connectors: Connectors): Promise<DlpPolicy> {
  const policy: DlpPolicy = { ...draft, id: newId('dpo', ctx.now.getTime()) };
  if (policy.kind === 'exception' && policy.group === undefined && policy.connector === undefined)
    throw new Problem('invalid', 'dlp/exception-everywhere', {
      says: 'an exception stands in place of every policy, so it says for which group or at which connector',
      fix: 'name a group or a connector; to loosen a class of data for everybody, set its baseline',
    });
  const wrong = policy.phases.find((p) => !possible(p, policy.action));
  if (wrong) throw notPossible(wrong);
  if (policy.twoPeople && policy.action !== 'quarantine')
    throw new Problem('invalid', 'dlp/two-people', {
      says: `two people release what is kept, and ${policy.action} keeps nothing`,
      fix: 'use the action quarantine, or leave out twoPeople',
    });
  return change(ctx, async (tx) => {
    const known = new Set([
      'any',
      ...severities.map((s) => `severity:${s}`),
      ...(await classesOf(tx)).map((c) => c.id),
    ]);
    const unknown = policy.data.find((d) => !known.has(d));
    if (unknown !== undefined) throw noData(unknown);
    if (policy.group !== undefined && !(await hasGroup(tx, policy.group)))
      throw new Problem('missing', 'dlp/no-group', { says: `there is no group ${policy.group} in this organization` });
    if (policy.connector !== undefined && !(await connectors.hasConnector(tx, policy.connector)))
      throw new Problem('missing', 'dlp/no-connector', {
        says: `there is no connector ${policy.connector} in this organization`,
      });
    if ((await countDlpPolicies(tx)) >= MAX_DLP_POLICIES)
      throw new Problem('conflict', 'dlp/too-many-policies', {
        says: `this organization has ${MAX_DLP_POLICIES} policies, which is the most it can have`,
        fix: 'remove policies that no longer apply',
      });
    if (!(await insertDlpPolicy(tx, policy, actorId(ctx.actor), ctx.now)))
      throw new Problem('conflict', 'dlp/name-taken', {
        says: `there is a policy named "${policy.name}" already`,
        fix: 'give this one another name',
      });
    const data = {
      policy: policy.id,
      kind: policy.kind,
      group: policy.group ?? null,
      connector: policy.connector ?? null,
      data: [...policy.data],
      phases: [...policy.phases],
      action: policy.action,
      twoPeople: policy.twoPeople,
    };
    return { value: policy, events: [event(dlpEvents, 'dlp.policy_added', data)] };
  });
}
