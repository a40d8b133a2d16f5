import { argumentCheck } from '#connectors/stricter-schema.ts';
import type { Admission } from './call-tool.ts';
import type { ToolCall } from './tool-call.ts';

/**
 * Refuses an admitted call whose arguments do not fit the schema that the tool's reviewer gave, before anybody is asked about it. After the
 * rules, so that only who may call learns what the review expects.
 */
export function checkArguments(admission: Admission, call: ToolCall): Admission {
  const schema = call.known?.stricter;
  if (admission.kind === 'denied' || schema === undefined) return admission;
  const { policies } = admission;
  try {
    const misfit = argumentCheck(schema)(call.toolArgs);
    if (misfit === undefined) return admission;
    const where = misfit.at === '' ? 'the arguments do' : `the argument at ${misfit.at} does`;
    return {
      kind: 'denied',
      why: 'arguments',
      says: `${where} not fit what the tool's review allows, which expects ${misfit.expected}`,
      policies,
    };
  } catch {
    // A check that breaks has not let anything through.
    return { kind: 'denied', why: 'cannot_decide', says: 'the arguments could not be checked', policies };
  }
}
