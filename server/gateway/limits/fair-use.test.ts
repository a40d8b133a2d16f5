import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limitsAt, limitsOf, type CallLimits, type Limit } from './call-limits.ts';
import { FairUse, type Asked } from './fair-use.ts';
import { MINUTE, Window } from './window.ts';

const START = 1_800_000_000_000 - (1_800_000_000_000 % MINUTE);
const none: Limit = { atOnce: undefined, perMinute: undefined };
const open: CallLimits = { person: none, personHere: none, connector: none, tool: none };
const asked: Asked = { org: 'o', member: 'm', connector: 'c', tool: 't' };

test('no minute of the clock lets more begin than the limit, and no sixty seconds more than that and what the bucket before held', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 }),
      (most, gaps) => {
        const w = new Window();
        const begun: number[] = [];
        let now = START;
        for (const gap of gaps) {
          now += gap;
          if (w.wait(most, now) > 0) continue;
          w.add(now);
          begun.push(now);
          const minute = Math.floor(now / MINUTE);
          const bucket = (m: number): number => begun.filter((b) => Math.floor(b / MINUTE) === m).length;
          assert.ok(bucket(minute) <= most);
          assert.ok(begun.filter((b) => b > now - MINUTE).length <= most + bucket(minute - 1));
          const share = bucket(minute - 1) * (1 - (now / MINUTE - minute));
          assert.ok(bucket(minute) + share <= most + 1e-6);
        }
      },
    ),
  );
});

test('whoever waits as long as he was told is let in, and not much sooner', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 1, maxLength: 100 }),
      (most, gaps) => {
        const w = new Window();
        let now = START;
        for (const gap of gaps) {
          now += gap;
          const wait = w.wait(most, now);
          if (wait === 0) {
            w.add(now);
            continue;
          }
          assert.ok(wait <= 2 * MINUTE);
          if (wait > 3) assert.ok(w.wait(most, now + wait - 3) > 0, 'sooner');
          // A millisecond for the arithmetic of shares.
          assert.equal(w.wait(most, now + wait + 1), 0);
          now += wait + 1;
        }
      },
    ),
  );
});

test('a clock that is set back refuses nobody for longer than two minutes', () => {
  const w = new Window();
  for (let i = 0; i < 5; i++) w.add(START);
  assert.ok(w.wait(5, START) > 0);
  assert.ok(w.wait(5, START - 1) > 0, 'a little: it goes on in the minute it was in');
  assert.equal(w.wait(5, START - 60 * MINUTE), 0);
});

test('whatever begins and ends in any order, never more are under way than any limit says, and every place comes back', () => {
  const step = fc.record({
    member: fc.constantFrom('a', 'b', 'c'),
    connector: fc.constantFrom('x', 'y'),
    tool: fc.constantFrom('r', 's'),
    ends: fc.option(fc.nat(), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 150 }), (most, steps) => {
      const fair = new FairUse();
      const at = (atOnce: number): Limit => ({ atOnce, perMinute: undefined });
      const limits = { person: at(most), personHere: none, connector: at(most + 1), tool: at(most) };
      const under: { key: Omit<Asked, 'org'>; leave: () => void }[] = [];
      const busy = (like: Partial<Asked>): number =>
        under.filter((u) => Object.entries(like).every(([k, v]) => u.key[k as 'member'] === v)).length;
      for (const { ends, ...key } of steps) {
        if (ends !== undefined && under.length > 0) {
          const [one] = under.splice(ends % under.length, 1);
          one?.leave();
          one?.leave();
          continue;
        }
        const fits =
          busy({ member: key.member }) < most &&
          busy({ connector: key.connector }) < most + 1 &&
          busy({ connector: key.connector, tool: key.tool }) < most;
        const place = fair.enter({ org: 'o', ...key }, limits, START);
        assert.equal(typeof place === 'function', fits);
        if (typeof place === 'function') under.push({ key, leave: place });
      }
      for (const u of under) u.leave();
      for (let i = 0; i < most; i++)
        assert.equal(
          typeof fair.enter({ org: 'o', member: 'a', connector: 'x', tool: 'r' }, limits, START),
          'function',
        );
    }),
  );
});

test('who is idle for some minutes is forgotten, but not while a call of theirs is under way', () => {
  const fair = new FairUse();
  const limits = { ...open, person: { atOnce: 1, perMinute: undefined } };
  const long = fair.enter({ ...asked, member: 'long' }, limits, START);
  assert.equal(typeof long, 'function');
  for (let i = 0; i < 1000; i++) {
    const leave = fair.enter({ ...asked, member: `m${i}` }, limits, START);
    if (typeof leave === 'function') leave();
  }
  assert.equal(fair.size, 1001);
  for (let m = 2; m <= 6; m += 2) fair.enter({ ...asked, member: 'other' }, limits, START + m * MINUTE);
  assert.equal(fair.size, 2);
  assert.equal(typeof fair.enter({ ...asked, member: 'long' }, limits, START + 6 * MINUTE), 'object');
});

test('people, connectors and tools of one organization take no place of those of another, whatever their ids', () => {
  const fair = new FairUse();
  const one: Limit = { atOnce: 1, perMinute: 1 };
  const limits = { person: one, personHere: one, connector: one, tool: one };
  assert.equal(typeof fair.enter(asked, limits, START), 'function');
  assert.deepEqual(fair.enter(asked, limits, START), {
    limited: 'person',
    measure: 'atOnce',
    found: 1,
    most: 1,
    retryAfterSeconds: 1,
  });
  assert.equal(typeof fair.enter({ ...asked, org: 'p' }, limits, START), 'function');
});

test('what is said of a connector stands in place of what is said for all, null takes a limit away, and a person’s limit there comes on top', () => {
  const at = limitsOf([
    { about: 'all', personPerMinute: null, connectorAtOnce: 5, toolAtOnce: 2 },
    { about: 'con_1', personAtOnce: 3, connectorAtOnce: null, toolPerMinute: 7 },
  ]);
  const person: Limit = { atOnce: 256, perMinute: undefined };
  assert.deepEqual(at('con_2'), {
    person,
    personHere: none,
    connector: { atOnce: 5, perMinute: undefined },
    tool: { atOnce: 2, perMinute: undefined },
  });
  assert.deepEqual(at('con_1'), {
    person,
    personHere: { atOnce: 3, perMinute: undefined },
    connector: none,
    tool: { atOnce: 2, perMinute: 7 },
  });
  assert.deepEqual(limitsAt({}), {
    person: { atOnce: 256, perMinute: undefined },
    personHere: none,
    connector: { atOnce: 1024, perMinute: undefined },
    tool: none,
  });
});
