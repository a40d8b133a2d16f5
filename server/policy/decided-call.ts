import { KiB } from '#kernel/limits.ts';
import type { Id } from '#kernel/id.ts';
import type { ArgumentFacts } from './argument.ts';
import { decideCall, type CallDecision, type CallRequest, type Decision, type PolicySet } from './decide.ts';
import type { AskedTool } from './schema.ts';

export const answers = ['allowed', 'asks', 'denied'] as const satisfies readonly CallDecision['outcome'][];
/** What policy says about a call. */
export type Answer = CallDecision['outcome'];

/** A call as policy was asked about it, with every combination of its arguments. */
export type AskedCall = CallRequest & { args: readonly ArgumentFacts[] };

/** What a row keeps of a decision, so that the same question can be asked of other policies later. */
export type DecidedCall = {
  answer: Answer;
  version: string;
  engine: Decision['engine'];
  /** Ids of the policies that decided. */
  policies: readonly string[];
  /** JSON text of what was asked; null: too much to keep. Values from arguments are in it, so it is never in the log. */
  asked: string | null;
};

/** More than this is not kept of one call: what is kept must not grow with what agents send. */
export const MAX_ASKED_BYTES = 8 * KiB;

/** What of a question the row of its call does not say already: all but who, and which tool of which connector. */
type Kept = Omit<AskedCall, 'user' | 'tool'> & Omit<AskedTool, 'connector' | 'name'>;

/** Asks about a call as it was or might be made. */
export const ask = (set: PolicySet, { args, ...call }: AskedCall): CallDecision => decideCall(set, call, args);

/** What to keep of a decision. */
export function decidedCall({ tool, groups, context, args }: AskedCall, decision: CallDecision): DecidedCall {
  const { connector: _, name: __, ...facts } = tool;
  const kept: Kept = { ...facts, groups, context, args };
  const text = JSON.stringify(kept);
  const { version, engine } = decision.telling;
  return {
    answer: decision.outcome,
    version,
    engine,
    policies: decision.reasons.slice(0, 100),
    asked: Buffer.byteLength(text) > MAX_ASKED_BYTES ? null : text,
  };
}

/** The question as it was asked then. `asked` is what `decidedCall` wrote, in a row that only the gateway writes. */
export function askedCall(row: { user: Id<'usr'>; connector: Id<'con'>; tool: string; asked: string }): AskedCall {
  const { class: klass, type, outward, ...rest } = JSON.parse(row.asked) as Kept;
  return { user: row.user, tool: { connector: row.connector, name: row.tool, class: klass, type, outward }, ...rest };
}
