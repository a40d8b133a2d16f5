import { unescapeSegment } from '#kernel/json-pointer.ts';
import { z } from 'zod';
import { readValue, type ArgumentFacts } from './argument-value.ts';

/**
 * What an argument of a tool means to rules and to people who approve. A reviewer says it once per tool; nothing that an agent or an upstream
 * writes can. `amount` is a number; every other kind is text.
 */
export const argumentKinds = ['path', 'repository', 'folder', 'channel', 'recipient', 'amount', 'url', 'text'] as const;
export type ArgumentKind = (typeof argumentKinds)[number];

/**
 * Where values of a kind stand in a tool's arguments: an RFC 6901 JSON Pointer, in which a segment `*` means every item of an array (or every
 * value of an object), e.g. `/message/to/*`.
 */
export const ArgumentPlace = z.strictObject({
  kind: z.enum(argumentKinds),
  at: z
    .string()
    .max(300)
    .regex(/^(?:\/(?:[^~/]|~[01])*)+$/, 'expected a JSON Pointer like /to or /files/*/path'),
});
export type ArgumentPlace = z.infer<typeof ArgumentPlace>;

/** What rules and approvers see of a tool's arguments, as its reviewer has said; at most 40 places. */
export const Projection = z.array(ArgumentPlace).max(40);
export type Projection = readonly ArgumentPlace[];

export type { ArgumentFacts } from './argument-value.ts';

/** Every call's arguments as rules see them. `at` and `says` are for the one who called; neither has anything of the arguments in it. */
export type Projected =
  | { kind: 'facts'; combinations: readonly ArgumentFacts[] }
  | { kind: 'unreadable'; at: string; says: string };

/** More combinations than any call that a person could look at, and few enough to ask about each. */
export const MAX_COMBINATIONS = 1000;

class Unreadable extends Error {
  readonly at: string;
  readonly says: string;
  constructor(at: string, says: string) {
    super(`${at} ${says}`);
    this.at = at;
    this.says = says;
  }
}

/**
 * The facts of a call: one record per combination of the values at the projected places, and one record without any where there are none. A
 * call is allowed only if every combination is. What a place has and we cannot read makes the whole call unreadable: never unseen.
 *
 * Exactly two places of the kind `repository`, each with one segment, are owner and name in the order that the reviewer gave.
 */
export function project(projection: Projection, args: unknown): Projected {
  try {
    const kinds = new Map<ArgumentKind, Partial<ArgumentFacts>[]>();
    for (const kind of new Set(projection.map((p) => p.kind))) {
      const values = factsOfKind(kind, projection, args);
      if (values.length > 0) kinds.set(kind, values);
    }
    const count = [...kinds.values()].reduce((n, v) => n * v.length, 1);
    if (count > MAX_COMBINATIONS)
      throw new Unreadable('/', `has ${count} combinations of values, and at most ${MAX_COMBINATIONS} are looked at`);
    let combinations: ArgumentFacts[] = [{}];
    for (const values of kinds.values())
      combinations = combinations.flatMap((c) => values.map((v) => ({ ...c, ...v })));
    return { kind: 'facts', combinations };
  } catch (e) {
    if (e instanceof Unreadable) return { kind: 'unreadable', at: e.at, says: e.says };
    throw e;
  }
}

/** What stands at the places of one kind, each value once. `{}` among them: a place below a `*` has nothing, and a rule must not overlook that. */
function factsOfKind(kind: ArgumentKind, projection: Projection, args: unknown): Partial<ArgumentFacts>[] {
  const places = projection.filter((p) => p.kind === kind);
  const all = new Set(places.map((p) => p.at));
  const [first, second, ...more] = places;
  if (kind === 'repository' && first && second && more.length === 0 && !places.some((p) => p.at.includes('*')))
    return ownerAndName(first.at, second.at, all, args);
  const found = new Map<string, Partial<ArgumentFacts>>();
  for (const { at } of places)
    for (const value of valuesAt(at, args, all))
      for (const facts of value === undefined ? [{}] : factsAt(at, kind, value))
        found.set(JSON.stringify(facts), facts);
  return [...found.values()];
}

function factsAt(at: string, kind: ArgumentKind, value: string | number): Partial<ArgumentFacts>[] {
  return readValue(kind, value).map((r) => {
    if ('says' in r) throw new Unreadable(at, r.says);
    return r.facts;
  });
}

function ownerAndName(a: string, b: string, all: ReadonlySet<string>, args: unknown): Partial<ArgumentFacts>[] {
  const parts = [a, b].flatMap((at) => valuesAt(at, args, all).flatMap((v) => factsAt(at, 'repository', v ?? '')));
  const names = parts.flatMap((p) => p.repository ?? []);
  const whole = names.filter((n) => n.includes('/')).length;
  if (whole === names.length) return parts;
  if (whole > 0 || names.length < 2)
    throw new Unreadable(b, 'names no whole repository together with the other place of the kind repository');
  return [{ repository: names.join('/') }];
}

const plain = (segment: string): string => unescapeSegment(segment);

/**
 * The strings and numbers at a place; undefined where an item of a list lacks what the others have. Where both `/to` and `/to/*` are projected,
 * a single value and a list are both what the reviewer expected.
 */
function valuesAt(at: string, args: unknown, all: ReadonlySet<string>): (string | number | undefined)[] {
  const segments = at.split('/').slice(1);
  let here: unknown[] = [args ?? {}];
  let prefix = '';
  let below = false;
  for (const segment of segments) {
    const next: unknown[] = [];
    for (const value of here) {
      if (value === undefined) next.push(undefined);
      else if (typeof value !== 'object' || value === null) {
        if (segment === '*' && all.has(prefix)) continue;
        throw new Unreadable(at, 'does not have the form that its reviewer saw: a list or an object was expected');
      } else if (segment === '*') next.push(...Object.values(value));
      else if (Array.isArray(value) && !/^(?:0|[1-9][0-9]*)$/.test(segment))
        throw new Unreadable(
          at,
          'does not have the form that its reviewer saw: a list stands where an object was expected',
        );
      else if (Object.hasOwn(value, plain(segment)))
        next.push(Object.getOwnPropertyDescriptor(value, plain(segment))?.value);
      else if (below) next.push(undefined);
    }
    here = next;
    below ||= segment === '*';
    prefix += `/${segment}`;
  }
  return here.flatMap((value) => {
    if (value === undefined || typeof value === 'string' || typeof value === 'number') return [value];
    if (typeof value === 'object' && value !== null && all.has(`${at}/*`)) return [];
    if (value === null) throw new Unreadable(at, 'is null; leave it out instead');
    throw new Unreadable(at, 'is neither text nor a number');
  });
}
