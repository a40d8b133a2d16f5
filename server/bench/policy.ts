// How fast a decision is: 200 policies and 1,000 people, our compiled set beside cedar-wasm on the same requests, in one run.
import { decideByWasm } from '#policy/cedar.ts';
import { decide, factsOf, policySet } from '#policy/decide.ts';
import { newId } from '#kernel/id.ts';
import type { Rule } from '#policy/rule.ts';
import { toolClasses, type PolicyRequest } from '#policy/schema.ts';
import { random } from '#dev/random-cedar.ts';

const atNoon = { surface: 'mcp', device: 'unknown', now: { weekday: 3, minute: 720 }, args: {} } as const;
const r = random(1);
const pick = <T>(of: readonly T[]): T => of[r(of.length)]!;
const org = newId('org');
const groups = Array.from({ length: 40 }, () => newId('grp'));
const connectors = Array.from({ length: 20 }, () => newId('con'));
const people = Array.from({ length: 1000 }, () => ({
  user: newId('usr'),
  groups: Array.from({ length: 4 }, () => pick(groups)),
}));
const tools = connectors.flatMap((connector) =>
  Array.from({ length: 17 }, (_, i) => ({ connector, name: `tool_${i}`, class: pick(toolClasses) })),
);

const rules = Array.from({ length: 200 }, (_, i): Rule => {
  const what = {
    id: newId('rul'),
    name: `rule ${i}`,
    who: { kind: 'group', group: pick(groups) } as const,
    tools: r(3) === 0 ? { names: Array.from({ length: 5 }, () => `tool_${r(17)}`) } : { classes: [pick(toolClasses)] },
  };
  if (i % 20 === 0) return { ...what, connector: 'any', tools: { classes: ['destructive'] }, effect: 'forbid' };
  return { ...what, connector: pick(connectors), effect: 'allow', asks: 'never' };
});
const set = policySet(org, rules);
const requests = Array.from({ length: 20_000 }, (): PolicyRequest => {
  const { user, groups: of } = pick(people);
  return { user, groups: [...new Set(of)], tool: pick(tools), action: 'call', context: atNoon };
});

function measure(what: string, times: number, one: (q: PolicyRequest) => boolean): void {
  const took = new Float64Array(times);
  let allowed = 0;
  for (let i = 0; i < times; i++) {
    const q = requests[i % requests.length]!;
    const from = performance.now();
    if (one(q)) allowed++;
    took[i] = (performance.now() - from) * 1000;
  }
  took.sort();
  const at = (p: number): string => (took[Math.floor(times * p)] ?? 0).toFixed(1).padStart(9);
  console.log(
    `${what.padEnd(34)} p50 ${at(0.5)} us   p99 ${at(0.99)} us   ${((100 * allowed) / times).toFixed(0)} % allowed`,
  );
}

console.log(
  `200 rules, ${Object.keys(set.policies).length} policies, ${people.length} people in 4 of ${groups.length} groups, ${tools.length} tools`,
);
for (let i = 0; i < 20_000; i++) decide(set, requests[i]!);
measure('compiled', 200_000, (q) => decide(set, q).allowed);
measure('cedar-wasm (prepared, sliced)', 2_000, (q) => decideByWasm(set.policies, factsOf(org, q)).allowed);
const person = people[0]!;
const lists = Array.from({ length: 51 }, () => {
  const from = performance.now();
  for (const tool of tools) decide(set, { ...person, tool, action: 'call', context: atNoon });
  return performance.now() - from;
}).toSorted((a, b) => a - b);
console.log(`a list of ${tools.length} tools filtered in ${(lists[25] ?? 0).toFixed(2)} ms (p50)`);
const made = performance.now();
policySet(org, rules);
console.log(`a set of 200 rules compiled in ${(performance.now() - made).toFixed(2)} ms`);
let different = 0;
for (const q of requests.slice(0, 2000)) {
  const theirs = decideByWasm(set.policies, factsOf(org, q));
  if (theirs.allowed !== decide(set, q).allowed) different++;
}
console.log(`${different} of 2,000 decisions differ`);
