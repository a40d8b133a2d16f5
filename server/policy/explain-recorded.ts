import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { explain, namedPolicies, type Explained, type NamedPolicy } from './because.ts';
import { noCall } from './catalogue.ts';
import { askedCall, type Answer } from './decided-call.ts';
import { findDecidedCall } from './decided-call.sql.ts';
import { loadContent } from './content.sql.ts';
import { setOf } from './content.ts';
import type { Decision, PolicySet } from './decide.ts';
import type { FactsUsed } from './explain-call.ts';
import { loadPolicySet } from './load-policy-set.ts';
import { policyEvents } from './policy.events.ts';
import { findNumberOfHash } from './policy-version.sql.ts';
import { listGroupNames } from './rule.sql.ts';

export type ExplainedRecord = {
  call: {
    id: Id<'tcl'>;
    at: Date;
    user: Id<'usr'>;
    connector: Id<'con'>;
    tool: string;
    outcome: string | null;
    why: string | null;
  };
  /** What was decided then, by the policies as they were; null where it is not kept, or policy was never asked. */
  decided: {
    outcome: Answer;
    version: string;
    engine: Decision['engine'];
    policies: (NamedPolicy & { inForce: boolean })[];
  } | null;
  /** What it was decided on; null where that is not kept. */
  facts: FactsUsed | null;
  /** Why something is null. */
  missing: string | null;
  /** What the policies of today say to the same question; null without the facts. */
  now: Explained | null;
};

/**
 * Why a call was decided so, although policies may have changed since. Shows what rules saw of its arguments, so that it was looked at is in
 * the log before it is shown. `of`: another person's call is not there.
 */
export async function explainRecorded(ctx: OrgCtx, id: Id<'tcl'>, of?: Id<'usr'>): Promise<ExplainedRecord> {
  return change(ctx, async (tx) => {
    const c = await findDecidedCall(tx, id);
    if (!c || (of !== undefined && c.user !== of)) throw noCall(id);
    const set = await loadPolicySet(tx);
    const then = c.version === null ? undefined : await setOfVersion(tx, ctx.org, c.version);
    const { at, user, connector, tool, outcome, why } = c;
    const question = c.asked === null ? undefined : askedCall({ ...c, asked: c.asked });
    const value: ExplainedRecord = {
      call: { id, at, user, connector, tool, outcome, why },
      decided:
        c.answer === null || c.version === null || c.engine === null
          ? null
          : {
              outcome: c.answer,
              version: c.version,
              engine: c.engine,
              policies: namedPolicies(then ?? set, c.policies ?? []).map((p) => ({
                ...p,
                inForce: p.policy in set.policies,
              })),
            },
      facts: question
        ? {
            class: question.tool.class,
            groups: await listGroupNames(tx, question.groups),
            context: question.context,
            args: question.args,
          }
        : null,
      missing: question ? null : c.answer === null ? NOT_KEPT : TRUNCATED,
      now: question ? explain(set, question) : null,
    };
    return { value, events: [event(policyEvents, 'policy.call_explained', { call: id })] };
  });
}

/** The policies as they were; undefined where no version of today's rows has this hash. */
async function setOfVersion(db: Reader, org: Id<'org'>, hash: string): Promise<PolicySet | undefined> {
  const number = await findNumberOfHash(db, hash);
  const set = setOf(org, await loadContent(db, number));
  return set.version === hash ? set : undefined;
}

const NOT_KEPT =
  'the call ended before policy was asked, or what it was decided on has been forgotten; its events in the log stay';
const TRUNCATED = 'what it was decided on was too much to keep (more than 8 KB)';
