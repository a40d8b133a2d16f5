// The only file that touches cedar-wasm: the reference implementation of the language. We use it to check what is saved, to show policies as
// text, to decide what our compiler leaves to it, and as the oracle of the tests.
import * as wasm from '@cedar-policy/cedar-wasm/nodejs';
import { Problem } from '#kernel/problem.ts';
import { NotCompilable } from './compile-expression.ts';
import { cedarSchema } from './schema.ts';
import { CedarRecord, CedarSet, Uid } from './value.ts';
import type { Facts, Value } from './value.ts';

/** A policy as its author gave it: Cedar text, or Cedar's JSON form (what generated ones are made as, so that no name in them is ever parsed). */
export type CedarPolicy = wasm.Policy;
export type CedarPolicyJson = wasm.PolicyJson;
export type Policies = Readonly<Record<string, CedarPolicy>>;

/** What Cedar answers: `reasons` are the permits of an allow or the forbids of a deny; `errors` are policies that were skipped. */
export type Verdict = {
  allowed: boolean;
  reasons: readonly string[];
  errors: readonly { policy: string; says: string }[];
};

const said = (errors: readonly { message: string; help: string | null }[]): string =>
  errors.map((e) => (e.help ? `${e.message} (${e.help})` : e.message)).join('; ');

/** Refuses policies that do not parse, or that do not fit the schema strictly. */
export function checkPolicies(policies: Policies): void {
  const answer = wasm.validate({ schema: cedarSchema, policies: { staticPolicies: { ...policies } } });
  const wrong = answer.type === 'failure' ? said(answer.errors) : said(answer.validationErrors.map((e) => e.error));
  if (wrong === '') return;
  throw new Problem('invalid', 'policy/not-valid', {
    says: wrong,
    fix: 'compare the policy with the schema: who asks is a User in Groups, what is asked for is a Tool with a name and a class',
  });
}

/** What Cedar says about a text, with where (from 1, in characters) and what it expected there. */
export type CedarRemark = { line: number; column: number; says: string; expected: string | undefined };

/** Refusals and warnings about one policy as an expert wrote it. The caller has seen to it that the text is simple enough (check-cedar.ts). */
export function remarksOn(text: string): { errors: CedarRemark[]; warnings: CedarRemark[] } {
  const answer = wasm.validate({ schema: cedarSchema, policies: { staticPolicies: { it: text } } });
  const remarks = (of: readonly wasm.DetailedError[]): CedarRemark[] => of.map((e) => remark(text, e));
  if (answer.type === 'failure') return { errors: remarks(answer.errors), warnings: remarks(answer.warnings) };
  const { validationErrors, validationWarnings, otherWarnings } = answer;
  return {
    errors: remarks(validationErrors.map((e) => e.error)),
    warnings: remarks([...validationWarnings.map((e) => e.error), ...otherWarnings]),
  };
}

function remark(text: string, e: wasm.DetailedError): CedarRemark {
  // Cedar counts bytes of UTF-8.
  const before = Buffer.from(text)
    .subarray(0, e.sourceLocations?.[0]?.start ?? 0)
    .toString('utf8');
  const line = before.split('\n');
  return {
    line: line.length,
    column: (line.at(-1) ?? '').length + 1,
    says: e.message.replace(/^failed to parse policy with id `it` from string: |^for policy `it`, |`it` /, ''),
    expected: e.sourceLocations?.[0]?.label ?? e.help?.replace('for policy `it`, ', '') ?? undefined,
  };
}

/** Cedar's JSON form of a policy, for the compiler. */
export function policyJson(policy: CedarPolicy): CedarPolicyJson {
  if (typeof policy !== 'string') return policy;
  const answer = wasm.policyToJson(policy);
  if (answer.type === 'failure') throw new NotCompilable(said(answer.errors));
  return answer.json;
}

/** A policy as Cedar text, for people. */
export function policyText(policy: CedarPolicy): string {
  const answer = wasm.policyToText(policy);
  if (answer.type === 'failure')
    throw new Problem('bug', 'policy/not-printable', { says: 'a policy cannot be shown as text', because: answer });
  const formatted = wasm.formatPolicies({ policyText: answer.text });
  return formatted.type === 'success' ? formatted.formatted_policy : answer.text;
}

type Json = boolean | number | bigint | string | Json[] | { [key: string]: Json };

function jsonOf(v: Value): Json {
  if (typeof v !== 'object') return v;
  if (v instanceof Uid) return { __entity: { type: v.type, id: v.id } };
  if (v instanceof CedarSet) return v.elements.map(jsonOf);
  return Object.fromEntries([...v.fields].map(([k, x]) => [k, jsonOf(x)]));
}

const recordOf = (fields: ReadonlyMap<string, Value>): Record<string, never> =>
  // cedar-wasm takes a bigint where its types only speak of numbers; nothing else of Json is foreign to it.
  jsonOf(new CedarRecord(fields)) as Record<string, never>;

const named = ({ type, id }: Uid): { type: string; id: string } => ({ type, id });

/** Facts in the form that cedar-wasm takes. */
export const wasmRequest = (f: Facts): Omit<wasm.AuthorizationCall, 'policies'> => ({
  principal: named(f.principal),
  action: named(f.action),
  resource: named(f.resource),
  context: recordOf(f.context.fields),
  entities: [...f.entities.values()].map((e) => ({
    uid: named(e.uid),
    attrs: recordOf(e.attrs),
    parents: [...e.ancestors.values()].map(named),
    tags: recordOf(e.tags),
  })),
});

// cedar-wasm keeps prepared sets per thread by name and never lets go of one, so names are few and are used again for the next set.
const SLOTS = 16;
const slots: (Policies | undefined)[] = [];
let next = 0;

function slotOf(policies: Policies): string {
  let at = slots.indexOf(policies);
  if (at < 0) {
    at = next;
    next = (next + 1) % SLOTS;
    slots[at] = undefined;
    const answer = wasm.preparsePolicySet(`slot${at}`, { staticPolicies: { ...policies } });
    if (answer.type === 'failure') throw broken(said(answer.errors));
    slots[at] = policies;
  }
  return `slot${at}`;
}

const broken = (because: unknown): Problem =>
  new Problem('bug', 'policy/engine', {
    says: 'the policies cannot be evaluated, so nothing is allowed',
    fix: "whoever runs this deployment finds the policy engine's answer in the log",
    because,
  });

/** Decides by cedar-wasm. `policies` is recognised by identity, so pass the same object for the same set. Throws when the engine cannot decide: no is then the only answer. */
export function decideByWasm(policies: Policies, facts: Facts): Verdict {
  const call = { ...wasmRequest(facts), preparsedPolicySetId: slotOf(policies) };
  let answer: wasm.AuthorizationAnswer;
  try {
    answer = wasm.statefulIsAuthorized(call);
  } catch (e) {
    throw broken(e);
  }
  if (answer.type === 'failure') throw broken(said(answer.errors));
  const { decision, diagnostics } = answer.response;
  return {
    allowed: decision === 'allow',
    reasons: diagnostics.reason.toSorted(),
    errors: diagnostics.errors.map((e) => ({ policy: e.policyId, says: e.error.message })),
  };
}
