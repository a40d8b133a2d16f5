import type { CallLimits, Limited, Limit, Measure } from './call-limits.ts';
import { MINUTE, Window } from './window.ts';

/** Whose call, of what. */
export type Asked = { org: string; member: string; connector: string; tool: string };

/** The limit that is reached: what was found, what it is, and in how many seconds to come again. */
export type Reached = { limited: Limited; measure: Measure; found: number; most: number; retryAfterSeconds: number };

/** One who waits for another's call to end cannot know when that is. */
const AT_ONCE_SECONDS = 1;

type Counter = { atOnce: number; window: Window };

/**
 * The calls of this node, counted for each person, connector and tool. INVARIANT (all or none): a call that one limit refuses takes a place of none,
 * and one that was let in gives back every place it took, once, however it ends. Memory is bounded by the people and connectors that were busy in
 * the last minutes: what is idle for two is forgotten, and names that a client made up share one counter.
 */
export class FairUse {
  #young = new Map<string, Counter>();
  #old = new Map<string, Counter>();
  #turned = 0;

  /** How many counters are kept. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Lets a call begin and returns how to let go of its places, or says which limit is reached. */
  enter(asked: Asked, limits: CallLimits, now: number): (() => void) | Reached {
    const { org, member, connector, tool } = asked;
    const person = this.#counter(`${org} ${member}`, limits.person, now);
    const personHere = this.#counter(`${org} ${member} ${connector}`, limits.personHere, now);
    const here = this.#counter(`${org} ${connector}`, limits.connector, now);
    const one = this.#counter(`${org} ${connector} ${JSON.stringify(tool)}`, limits.tool, now);
    const reached =
      reachedBy('person', person, limits.person, now) ??
      reachedBy('personHere', personHere, limits.personHere, now) ??
      reachedBy('connector', here, limits.connector, now) ??
      reachedBy('tool', one, limits.tool, now);
    if (reached) return reached;
    const taken = [person, personHere, here, one].filter((c) => c !== undefined);
    for (const c of taken) {
      c.atOnce++;
      c.window.add(now);
    }
    let left = false;
    return () => {
      if (left) return;
      left = true;
      for (const c of taken) c.atOnce--;
    };
  }

  #counter(key: string, limit: Limit, now: number): Counter | undefined {
    if (limit.atOnce === undefined && limit.perMinute === undefined) return undefined;
    this.#forget(now);
    const known = this.#young.get(key);
    if (known) return known;
    const counter = this.#old.get(key) ?? { atOnce: 0, window: new Window() };
    this.#old.delete(key);
    this.#young.set(key, counter);
    return counter;
  }

  /** What nobody asked for since the last time but one goes, unless calls are still under way. Two minutes, because a window reaches back that far. */
  #forget(now: number): void {
    const turn = Math.floor(now / (2 * MINUTE));
    if (turn === this.#turned) return;
    this.#turned = turn;
    for (const [key, c] of this.#old) if (c.atOnce > 0) this.#young.set(key, c);
    this.#old = this.#young;
    this.#young = new Map();
  }
}

function reachedBy(what: Limited, c: Counter | undefined, limit: Limit, now: number): Reached | undefined {
  if (!c) return undefined;
  const { atOnce, perMinute } = limit;
  if (atOnce !== undefined && c.atOnce >= atOnce)
    return { limited: what, measure: 'atOnce', found: c.atOnce, most: atOnce, retryAfterSeconds: AT_ONCE_SECONDS };
  const wait = perMinute === undefined ? 0 : c.window.wait(perMinute, now);
  if (perMinute === undefined || wait === 0) return undefined;
  const found = c.window.count(now);
  return { limited: what, measure: 'perMinute', found, most: perMinute, retryAfterSeconds: Math.ceil(wait / 1000) };
}
