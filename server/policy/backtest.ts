import type { Id } from '#kernel/id.ts';
import { needsSession, type CallDecision, type PolicySet } from './decide.ts';
import { ask, askedCall, type Answer, type AskedCall } from './decided-call.ts';
import type { RecordedCall } from './decided-call.sql.ts';
import { ruleOf } from './near-miss.ts';
import { wordsOf } from './rule.ts';

/** Examples that are kept of each kind of change. */
const MAX_EXAMPLES = 20;
/** Lines of each list of a report; what is left out is counted. */
const MAX_LINES = 100;
/** Questions that are remembered with their answers: agents ask the same again and again. */
const MAX_REMEMBERED = 20_000;
/** Longer ones are asked each time, so that what is remembered stays below some 20 MB. */
const MAX_KEY = 1000;

/** Why a recorded call cannot be asked about again: too much to keep; not kept, not looked at then, or forgotten since; the engine failed over it. */
export const unknowns = ['truncated', 'not_kept', 'failed'] as const;
export type Unknown = (typeof unknowns)[number];

export type Example = {
  call: Id<'tcl'>;
  at: string;
  user: Id<'usr'>;
  connector: Id<'con'>;
  tool: string;
  /** How it ended then; null: it is still open. */
  outcome: string | null;
  from: Answer;
  to: Answer;
  /** Policies that make the difference. */
  policies: readonly string[];
};

type Change = { from: Answer; to: Answer };
/** The most frequent ones first; `more` counts the lines that are left out. */
export type Lines<T> = { items: (T & Change & { calls: number })[]; more: number };

/** What a draft would do to recorded calls. `ran` counts those that had been answered: a stricter rule would have stopped them. */
export type Report = {
  /** Versions of the policies now and of the draft. */
  now: string;
  draft: string;
  calls: number;
  same: number;
  changed: number;
  /** Ended before policy was asked: an unknown tool, a token without the scope. */
  notAsked: number;
  unknown: Record<Unknown, number>;
  changes: (Change & { calls: number; ran: number; examples: Example[] })[];
  /** By the policies that make the difference. Of a rule also its name and its words. */
  policies: Lines<{ policy: string; name?: string; words?: string }>;
  tools: Lines<{ connector: Id<'con'>; tool: string }>;
  people: Lines<{ user: Id<'usr'> }>;
  /** By day, in UTC and in order; absent from reports of before there was this. */
  days?: (Change & { day: string; calls: number })[];
};

type Difference = Change & { policies: readonly string[] };
type Found = Difference | 'same' | 'failed' | 'not_kept';

/** Whether a set asks about something that nobody looked at when the call was made. */
const lacks = ({ tool, context }: AskedCall, set: PolicySet): boolean =>
  (context.session === undefined && needsSession(set, tool)) || (tool.type === undefined && set.asksOfType);

/** The policies that make the difference: those that have a say now and had none, or those that have fallen silent. */
function causes(from: CallDecision, to: CallDecision): readonly string[] {
  const only = (of: CallDecision, not: CallDecision): string[] => of.reasons.filter((id) => !not.reasons.includes(id));
  return [only(to, from), only(from, to), to.reasons].find((ids) => ids.length > 0) ?? [];
}

/** Counts calls by what changes and by something else. */
class Tally<T extends object> {
  readonly #lines = new Map<string, T & Change & { calls: number }>();
  /** Every line there is. */
  all(): (T & Change & { calls: number })[] {
    return [...this.#lines.values()];
  }
  add(what: T, { from, to }: Change): void {
    const key = JSON.stringify([what, from, to]);
    const known = this.#lines.get(key);
    if (known) known.calls++;
    else this.#lines.set(key, { ...what, from, to, calls: 1 });
  }
  lines(): Lines<T> {
    const items = this.all()
      .toSorted((a, b) => b.calls - a.calls)
      .slice(0, MAX_LINES);
    return { items, more: this.#lines.size - items.length };
  }
}

/** Asks recorded calls of two sets and counts. Memory is bounded by what differs: tools, people, policies, days; never by the number of calls. */
export class Backtest {
  readonly #now: PolicySet;
  readonly #draft: PolicySet;
  readonly #remembered = new Map<string, Found>();
  readonly #count = { calls: 0, same: 0, changed: 0, notAsked: 0 };
  readonly #unknown: Record<Unknown, number> = { truncated: 0, not_kept: 0, failed: 0 };
  readonly #changes = new Map<string, Report['changes'][number]>();
  readonly #policies = new Tally<{ policy: string }>();
  readonly #tools = new Tally<{ connector: Id<'con'>; tool: string }>();
  readonly #people = new Tally<{ user: Id<'usr'> }>();
  readonly #days = new Tally<{ day: string }>();

  constructor(now: PolicySet, draft: PolicySet) {
    this.#now = now;
    this.#draft = draft;
  }

  /** Counts one more call. */
  add(c: RecordedCall): void {
    this.#count.calls++;
    if (c.answer === null) {
      if (refusedBefore(c)) this.#count.notAsked++;
      else this.#unknown.not_kept++;
      return;
    }
    if (c.asked === null) {
      this.#unknown.truncated++;
      return;
    }
    const found = this.#differenceOf(c, c.asked);
    if (found === 'failed' || found === 'not_kept') this.#unknown[found]++;
    else if (found === 'same') this.#count.same++;
    else this.#note(c, found);
  }

  #differenceOf(c: RecordedCall, asked: string): Found {
    const key = `${c.user} ${c.connector} ${c.tool} ${asked}`;
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const found = this.#compare(c, asked);
    if (key.length > MAX_KEY) return found;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(key, found);
    return found;
  }

  #compare(c: RecordedCall, asked: string): Found {
    try {
      const question = askedCall({ ...c, asked });
      if ([this.#now, this.#draft].some((set) => lacks(question, set))) return 'not_kept';
      const from = ask(this.#now, question);
      const to = ask(this.#draft, question);
      if (from.outcome === to.outcome) return 'same';
      return { from: from.outcome, to: to.outcome, policies: causes(from, to) };
    } catch {
      // What the engine cannot decide is told as such, never guessed.
      return 'failed';
    }
  }

  #note(c: RecordedCall, { from, to, policies }: Difference): void {
    this.#count.changed++;
    const kind = `${from} ${to}`;
    const change = this.#changes.get(kind) ?? { from, to, calls: 0, ran: 0, examples: [] };
    this.#changes.set(kind, change);
    change.calls++;
    if (c.outcome === 'answered') change.ran++;
    if (change.examples.length < MAX_EXAMPLES)
      change.examples.push({
        call: c.id,
        at: c.at.toISOString(),
        user: c.user,
        connector: c.connector,
        tool: c.tool,
        outcome: c.outcome,
        from,
        to,
        policies,
      });
    for (const policy of policies) this.#policies.add({ policy }, change);
    this.#tools.add({ connector: c.connector, tool: c.tool }, change);
    this.#people.add({ user: c.user }, change);
    this.#days.add({ day: c.at.toISOString().slice(0, 10) }, change);
  }

  /** What there is to say so far. */
  report(): Report {
    const policies = this.#policies.lines();
    return {
      now: this.#now.version,
      draft: this.#draft.version,
      ...this.#count,
      unknown: this.#unknown,
      changes: [...this.#changes.values()].toSorted((a, b) => b.calls - a.calls),
      policies: { ...policies, items: policies.items.map((p) => ({ ...p, ...this.#named(p.policy) })) },
      tools: this.#tools.lines(),
      people: this.#people.lines(),
      days: this.#days.all().toSorted((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : b.calls - a.calls)),
    };
  }

  #named(policy: string): { name: string; words: string } | undefined {
    const rule = ruleOf(this.#draft, policy) ?? ruleOf(this.#now, policy);
    return rule && { name: rule.name, words: wordsOf(rule) };
  }
}

/** Whether it ended before policy could be asked. These three came after, or would have needed an engine that worked. */
const refusedBefore = (c: RecordedCall): boolean =>
  c.outcome === 'denied' && c.why !== 'policy' && c.why !== 'refused' && c.why !== 'cannot_decide';
