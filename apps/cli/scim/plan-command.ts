import { parseDesired } from './desired.ts';
import { EXIT } from './exit.ts';
import { governs, makePlan } from './make-plan.ts';
import { needsWord, removals, sentence, type Plan } from './plan-file.ts';
import { readTarget } from './read-target.ts';
import { needed, readGiven, text } from './scim-options.ts';
import type { ScimCommand } from './run-scim.ts';
import { writeWhole } from './write-file.ts';

/** Says what apply would do. */
export const planCommand: ScimCommand = {
  help: `gatehouse scim plan: compare a SCIM server with a desired state and say what would be done. Changes nothing there.
  --desired FILE        people and grants, as JSON or CSV
  --out FILE            write the plan, for apply
  --manage-groups       the file's groups are all groups: make those that are missing, delete those that it does not name
  --keep-unlisted       people whom the file does not name keep their accounts
  --check               end with status 3 if there is anything to do`,
  options: {
    desired: { type: 'string' },
    out: { type: 'string' },
    'manage-groups': { type: 'boolean' },
    'keep-unlisted': { type: 'boolean' },
    check: { type: 'boolean' },
  },
  prepare(v) {
    const file = needed(v, 'desired', 'the file with the people and grants that shall be');
    const desired = parseDesired(file, readGiven(file, 'the desired state'));
    const out = text(v, 'out');
    const manageGroups = v['manage-groups'] === true;
    return async ({ target, progress, answer }) => {
      const s = await readTarget(target, progress, governs(desired, manageGroups));
      const plan = makePlan(desired, s, {
        base: target.base,
        now: new Date(target.timers.now()),
        softDelete: target.profile.softDelete,
        manageGroups,
        keepUnlisted: v['keep-unlisted'] === true,
      });
      if (out !== undefined) writeWhole(out, `${JSON.stringify(plan, null, 2)}\n`);
      answer(shownPlan(plan, out), {
        ok: plan.conflicts.length === 0,
        removals: removals(plan),
        needsWord: needsWord(plan),
        plan,
      });
      if (plan.conflicts.length > 0) return EXIT.failed;
      return v['check'] === true && plan.operations.length > 0 ? EXIT.differs : EXIT.ok;
    };
  },
};

const counts = (plan: Plan): string => {
  const by = Map.groupBy(plan.operations, (o) => o.kind);
  const words = [...by].map(([kind, all]) => `${all.length} ${kind.replaceAll('_', ' ')}`);
  return words.length === 0 ? 'nothing to do' : words.join(', ');
};

/** A plan as people read it: what would be done, what would stay different, what must be settled. */
function shownPlan(plan: Plan, out: string | undefined): string[] {
  return [
    plan.base,
    counts(plan),
    ...plan.operations.map((o) => `  ${sentence(o)}`),
    ...(plan.drift.length > 0 ? ['differs, and stays as it is:', ...plan.drift.map((d) => `  ${d.says}`)] : []),
    ...(plan.conflicts.length > 0 ? ['must be settled first:', ...plan.conflicts.map((c) => `  ${c.says}`)] : []),
    ...(needsWord(plan)
      ? [`it takes much away; apply will want to hear that it is meant: --allow-removals ${removals(plan)}`]
      : []),
    `plan ${plan.hash}${out === undefined ? '' : ` in ${out}`}`,
  ];
}
