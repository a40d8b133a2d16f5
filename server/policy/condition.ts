import { z } from 'zod';
import { and, at, has, less, named, not, notLess, notMore, oneOf, or, plain, same, type Expr } from './cedar-json.ts';
import { globbed, matches, wrongGlob } from './glob.ts';
import { devices, surfaces } from './schema.ts';

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const distinct = (of: readonly string[]): boolean => new Set(of).size === of.length;
const some = <T extends string>(of: readonly T[]) =>
  z.array(z.enum(of)).min(1).max(of.length).refine(distinct, 'each once').readonly();
const Is = z.enum(['in', 'not_in']).default('in');
const clock = z.string().regex(/^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/, 'expected a time like 09:00');
const limit = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/**
 * One thing that must be so for a rule to apply; a rule has up to ten, and all must be. INVARIANT (absent facts never help): an allow does not
 * apply where the fact is not known, a forbid of everything but does.
 */
export const Condition = z.union([
  z
    .strictObject({
      argument: z.enum(globbed),
      is: Is,
      of: z.array(z.string()).min(1).max(50).refine(distinct, 'each once').readonly(),
    })
    .superRefine((c, ctx) => {
      for (const [i, glob] of c.of.entries()) {
        const message = wrongGlob(c.argument, glob);
        if (message !== undefined) ctx.addIssue({ code: 'custom', path: ['of', i], message });
      }
    }),
  z.strictObject({
    amount: z
      .strictObject({ atLeast: limit.optional(), atMost: limit.optional() })
      .refine((a) => a.atLeast !== undefined || a.atMost !== undefined, 'expected atLeast, atMost or both')
      .refine((a) => (a.atLeast ?? 0) <= (a.atMost ?? Infinity), 'no amount is at least the one and at most the other'),
  }),
  z.strictObject({ surface: some(surfaces), is: Is }),
  z.strictObject({ device: some(devices), is: Is }),
  z.strictObject({
    /** By the organization's clock. From 22:00 to 06:00 begins on the day named and ends on the next; `to` is not in it. */
    time: z
      .strictObject({ days: some(weekdays), from: clock, to: clock })
      .refine((t) => t.from !== t.to, 'this time never is'),
    is: Is,
  }),
]);
export type Condition = z.output<typeof Condition>;
export type ConditionInput = z.input<typeof Condition>;

export const MAX_CONDITIONS = 10;
export const Conditions = z.array(Condition).max(MAX_CONDITIONS).readonly();

/** Whether the rule lets something happen or stops it: what we do not know must count against the first and for the second. */
type Effect = 'permit' | 'forbid';
/** The call's own circumstances are in the context of a call, and under `asked` where a yes to it is asked about. */
type About = 'call' | 'approve';

const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

/** The condition in Cedar. */
export function expressionOf(c: Condition, effect: Effect, about: About): Expr {
  const moment = (...path: string[]): Expr => at('context', ...(about === 'approve' ? ['asked'] : []), ...path);
  const args = at('context', 'args');
  if ('argument' in c) {
    // What is named in order to be kept away is meant widely; what is named in order to be let through is meant as it is written.
    const { fact, any } = matches(c.argument, args, c.of, (c.is === 'in') === (effect === 'forbid'));
    const known = has(args, fact);
    if (c.is === 'in') return and(known, or(...any));
    return effect === 'permit' ? and(known, not(or(...any))) : not(and(known, or(...any)));
  }
  if ('amount' in c) {
    const amount = at('context', 'args', 'amount');
    const { atLeast, atMost } = c.amount;
    return and(
      has(args, 'amount'),
      ...(atLeast === undefined ? [] : [notLess(amount, atLeast)]),
      ...(atMost === undefined ? [] : [notMore(amount, atMost)]),
    );
  }
  const inside =
    'surface' in c
      ? oneOf(
          c.surface.map((s) => named('Surface', s)),
          moment('surface'),
        )
      : 'device' in c
        ? oneOf(
            c.device.map((d) => named('Device', d)),
            moment('device'),
          )
        : within(c.time, moment('now', 'weekday'), moment('now', 'minute'));
  return c.is === 'in' ? inside : not(inside);
}

function within(
  t: { days: readonly (typeof weekdays)[number][]; from: string; to: string },
  day: Expr,
  minute: Expr,
): Expr {
  const on = (shift: number): Expr => {
    const numbers = t.days.map((d) => ((weekdays.indexOf(d) + shift) % 7) + 1);
    const [only] = numbers;
    return numbers.length === 1 && only !== undefined ? same(day, plain(only)) : oneOf(numbers.map(plain), day);
  };
  const [from, to] = [minutes(t.from), minutes(t.to)];
  if (from < to) return and(on(0), notLess(minute, from), less(minute, to));
  return or(and(on(0), notLess(minute, from)), and(on(1), less(minute, to)));
}

const listed = (of: readonly string[]): string => of.join(' or ');

/** The condition in words, e.g. "the path is /Reports/*". */
export function wordsOfCondition(c: Condition): string {
  if ('amount' in c) {
    const { atLeast, atMost } = c.amount;
    return `the amount is ${[...(atLeast === undefined ? [] : [`at least ${atLeast}`]), ...(atMost === undefined ? [] : [`at most ${atMost}`])].join(' and ')}`;
  }
  const no = c.is === 'in' ? '' : 'not ';
  if ('argument' in c) return `the ${c.argument.replace('_', ' ')} is ${no}${listed(c.of)}`;
  if ('surface' in c) return `it comes ${no}by ${listed(c.surface)}`;
  if ('device' in c) return `the device is ${no}${listed(c.device)}`;
  return `it is ${no}between ${c.time.from} and ${c.time.to} on ${c.time.days.join(', ')}`;
}
