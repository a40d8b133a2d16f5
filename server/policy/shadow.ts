import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Metrics } from '#kernel/telemetry.ts';
import { decideByWasm, type Verdict } from './cedar.ts';
import { decide, factsOf, type CallDecision, type Decision, type PolicySet } from './decide.ts';
import type { AskedCall } from './decided-call.ts';
import { policyEvents } from './policy.events.ts';
import type { PolicyRequest } from './schema.ts';

type Place = { parent: Id<'par'>; org: Id<'org'> };
type Sample = { place: Place; set: PolicySet; asked: AskedCall; decision: CallDecision };

/** One decision in a hundred is asked again. */
const RATE = 0.01;
/** Samples that wait; more are let go, because what is missed today is met tomorrow. */
const MAX_WAITING = 100;
/** Questions of one sample: both of its first combinations. */
const MAX_QUESTIONS = 20;
/** Between two samples, in milliseconds, so that calls come first. */
const PAUSE_MS = 5;
/** Different disagreements that are told by this process; the counter goes on. */
const MAX_TOLD = 100;

export type ShadowOptions = { rate?: number; random?: () => number; oracle?: typeof decideByWasm };

/** Asks some decisions again, later, of the reference implementation. */
export interface Shadow {
  /** Takes a decision that was made, perhaps. Costs next to nothing. */
  see(place: Place, set: PolicySet, asked: AskedCall, decision: CallDecision): void;
  /** Resolves when what was taken has been looked at. */
  settled(): Promise<void>;
  /** Looks at nothing more. */
  stop(): Promise<void>;
}

/**
 * Our compiler and cedar-wasm must agree on every decision. Tests compare them on generated policies; this compares them on real ones. When
 * they disagree, something is wrong that no rule of an admin can mend: the log of the process, a counter and the audit log say so, with the ids
 * of policies and nothing of a person or an argument.
 */
export function startShadow(world: World, metrics: Metrics | undefined, o: ShadowOptions = {}): Shadow {
  const { rate = RATE, random = Math.random, oracle = decideByWasm } = o;
  const counted = metrics?.counter(
    'gatehouse_policy_shadow_total',
    'Decisions asked again of cedar-wasm. Any that disagreed is an alarm.',
    ['result'],
  );
  const waiting: Sample[] = [];
  const told = new Set<string>();
  let working: Promise<void> | undefined;
  let stopped = false;

  const look = async ({ place, set, asked, decision }: Sample): Promise<void> => {
    for (const [mine, request] of questionsOf(set, asked, decision)) {
      let theirs: Verdict;
      try {
        theirs = oracle(set.policies, factsOf(set.org, request));
      } catch (err) {
        counted?.inc({ result: 'failed' });
        world.log.warn({ err, org: place.org, version: set.version }, 'cedar-wasm could not be asked again');
        return;
      }
      if (same(mine, theirs)) continue;
      counted?.inc({ result: 'disagreed' });
      await tell(place, mine, theirs);
      return;
    }
    counted?.inc({ result: 'agreed' });
  };

  const tell = async (place: Place, mine: Decision, theirs: Verdict): Promise<void> => {
    const data = {
      version: mine.version,
      question: mine.request.action,
      ours: mine.allowed,
      cedar: theirs.allowed,
      policies: differing(mine, theirs).slice(0, 100),
    };
    const key = JSON.stringify([place.org, data]);
    if (told.has(key) || told.size >= MAX_TOLD) return;
    told.add(key);
    world.log.error({ problem: 'policy/engines-disagree', ...place, ...data }, 'our policy engine and Cedar disagree');
    await change(systemCtx(world, 'policy.shadow', place), async () => ({
      value: undefined,
      events: [event(policyEvents, 'policy.engines_disagree', data)],
    }));
  };

  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next && !stopped; next = waiting.shift()) {
      await new Promise<void>((resolve) => void setTimeout(resolve, PAUSE_MS).unref());
      await look(next).catch((err: unknown) => world.log.error({ err }, 'a policy decision could not be asked again'));
    }
  };

  return {
    see(place, set, asked, decision) {
      if (stopped || random() >= rate) return;
      if (waiting.length >= MAX_WAITING) {
        counted?.inc({ result: 'dropped' });
        return;
      }
      waiting.push({ place, set, asked, decision });
      working ??= work().finally(() => (working = undefined));
    },
    async settled() {
      while (working) await working;
    },
    async stop() {
      stopped = true;
      waiting.length = 0;
      await working;
    },
  };
}

/** What was decided, beginning with the answer that counted. */
function questionsOf(
  set: PolicySet,
  { args, ...call }: AskedCall,
  { telling }: CallDecision,
): [Decision, PolicyRequest][] {
  const all: [Decision, PolicyRequest][] = [[telling, telling.request]];
  for (const combination of args)
    for (const action of ['call', 'call_unattended'] as const) {
      if (all.length >= MAX_QUESTIONS) return all;
      if (action === telling.request.action && combination === telling.request.context.args) continue;
      const request = { ...call, action, context: { ...call.context, args: combination } };
      all.push([decide(set, request), request]);
    }
  return all;
}

const errorsOf = (v: Verdict): string[] => v.errors.map((e) => e.policy);

/** Policies that one counts and the other does not. */
function differing(a: Verdict, b: Verdict): string[] {
  const [mine, theirs] = [a, b].map((v) => new Set([...v.reasons, ...errorsOf(v).map((id) => `error ${id}`)]));
  return [...(mine ?? new Set<string>()).symmetricDifference(theirs ?? new Set<string>())].sort();
}

const same = (a: Verdict, b: Verdict): boolean => a.allowed === b.allowed && differing(a, b).length === 0;
