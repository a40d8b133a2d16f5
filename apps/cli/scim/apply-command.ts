import { Problem } from '@gatehouse/server/kernel/problem.ts';
import { EXIT } from './exit.ts';
import { parsePlan } from './plan-file.ts';
import { runPlan } from './run-plan.ts';
import { needed, readGiven, text, whole } from './scim-options.ts';
import type { ScimCommand } from './run-scim.ts';
import { openState, stateFileOf } from './state-file.ts';

/** Does what a plan says. */
export const applyCommand: ScimCommand = {
  help: `gatehouse scim apply: do what a plan says. Run it again after an interruption; it goes on where it stopped.
  --plan FILE           what plan --out wrote
  --expect HASH         refuse any other plan than this one
  --state FILE          what has been done so far (default: beside the plan)
  --allow-removals N    the number of accounts and memberships that the plan takes away, if they are many`,
  options: {
    plan: { type: 'string' },
    expect: { type: 'string' },
    state: { type: 'string' },
    'allow-removals': { type: 'string' },
  },
  prepare(v) {
    const file = needed(v, 'plan', 'the file that plan --out wrote');
    const plan = parsePlan(file, readGiven(file, 'the plan'), text(v, 'expect'));
    const allowed = whole(v, 'allow-removals');
    const stateFile = text(v, 'state') ?? stateFileOf(file, plan);
    return async ({ target, progress, answer }) => {
      // The address is given anew and not taken from the plan: whoever can write a plan must not say where the token goes.
      if (plan.base !== target.base)
        throw new Problem('conflict', 'scim/other-target', {
          says: `the plan was made for ${plan.base}, and --url is ${target.base}`,
          fix: 'make a plan for this target',
        });
      if ((plan.deletes === 'soft') !== target.profile.softDelete)
        throw new Problem('conflict', 'scim/other-profile', {
          says: `the plan was made with softDelete ${plan.deletes === 'soft'}, and the profile says ${target.profile.softDelete}`,
          fix: 'use the profile that the plan was made with, or make the plan again',
        });
      const state = openState(stateFile, plan);
      try {
        const ran = await runPlan(target, plan, state, progress, allowed);
        const left = plan.operations.length - state.done.size;
        answer(
          [
            ...ran.failed.map((f) => `failed: ${f.what}: ${f.says}${f.fix === undefined ? '' : ` (${f.fix})`}`),
            `${ran.applied} done now, ${ran.already} were so already${ran.before > 0 ? `, ${ran.before} done before` : ''}${left > 0 ? `, ${left} left` : ''}`,
          ],
          { ok: left === 0, plan: plan.hash, left, ...ran },
        );
        return left === 0 ? EXIT.ok : EXIT.failed;
      } finally {
        state.close();
      }
    };
  },
};
