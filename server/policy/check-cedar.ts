import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import { KiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import { policyJson, remarksOn, type CedarRemark } from './cedar.ts';
import { compile } from './compile.ts';

/** A policy that an expert wrote. Its id, which no text can choose, is its policy id. */
export type ExpertPolicy = { id: Id<'ced'>; name: string; cedar: string };

/** A policy that needs more is several. */
export const MAX_CEDAR_LENGTH = 10 * KiB;
/** More policies in free text than a person can keep in mind. */
export const MAX_CEDAR = 100;
/** cedar-wasm reads what is nested by calling itself and cannot be used again after its stack overflowed, so it is never asked to go deep. */
const MAX_NESTING = 50;
const MAX_OPERATORS = 150;

export type CheckedCedar = {
  /** Who evaluates it; `lacks` is what our compiler leaves to cedar-wasm. */
  engine: 'compiled' | 'cedar-wasm';
  lacks: string | undefined;
  /** What Cedar finds odd but right, e.g. a policy that can never apply. */
  warnings: string[];
};

/** What is wrong with a text, where it is, or how it would be evaluated: for somebody who is writing it. */
export function remarksOnCedar(text: string): { errors: readonly CedarRemark[]; checked: CheckedCedar | undefined } {
  try {
    return { errors: [], checked: checkCedar(text) };
  } catch (e) {
    if (!(e instanceof Problem) || e.kind !== 'invalid') throw e;
    const { errors } = remarksIn(e);
    return {
      errors: errors.length > 0 ? errors : [{ line: 1, column: 1, says: e.says, expected: e.fix }],
      checked: undefined,
    };
  }
}

const Remarks = z.object({
  errors: z
    .array(z.object({ line: z.number(), column: z.number(), says: z.string(), expected: z.string().optional() }))
    .default([]),
});
function remarksIn(e: Problem): { errors: CedarRemark[] } {
  const { errors } = Remarks.parse(e.more ?? {});
  return { errors: errors.map((r) => ({ ...r, expected: r.expected })) };
}

/** Refuses a text that is not exactly one policy which fits the schema strictly, saying where and what was expected; says how it is evaluated. */
export function checkCedar(text: string): CheckedCedar {
  refuseDepth(text);
  const { errors, warnings } = remarksOn(text);
  if (errors.length > 0)
    throw new Problem('invalid', 'policy/cedar-not-valid', {
      says: errors.slice(0, 5).map(shown).join('; '),
      fix: 'compare the policy with the schema (GET policy/cedar/schema); nothing was changed',
      more: { errors: errors.slice(0, 20) },
    });
  const { lacks } = compile({ it: policyJson(text) });
  return {
    engine: lacks.length > 0 ? 'cedar-wasm' : 'compiled',
    lacks: lacks[0]?.what,
    warnings: warnings.map(shown),
  };
}

const shown = (r: CedarRemark): string =>
  `line ${r.line}, column ${r.column}: ${r.says}${r.expected === undefined ? '' : ` (${r.expected})`}`;

function refuseDepth(text: string): void {
  let depth = 0;
  let deepest = 0;
  let operators = 0;
  // What stands in strings and comments is not syntax.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\[^])*"|\/\/[^\n]*|[([{]|[)\]}]|&&|\|\||[-+*.!]|\bif\b/g)) {
    if (/^[([{]$/.test(token)) deepest = Math.max(deepest, ++depth);
    else if (/^[)\]}]$/.test(token)) depth--;
    else if (token === 'if') deepest = Math.max(deepest, ++depth);
    else if (!token.startsWith('"') && !token.startsWith('//')) operators++;
  }
  if (deepest > MAX_NESTING || operators > MAX_OPERATORS)
    throw new Problem('invalid', 'policy/cedar-too-deep', {
      says: `the policy nests ${deepest} deep and has ${operators} operators; at most ${MAX_NESTING} and ${MAX_OPERATORS} are possible`,
      fix: 'make several policies of it, or write a set and contains instead of many comparisons',
    });
}
