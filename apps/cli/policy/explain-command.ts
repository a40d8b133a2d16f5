import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { text, type Values } from '../scim/scim-options.ts';
import { connectorNamed, userNamed } from './api.ts';
import { EXIT, usage } from './exit.ts';
import type { PolicyCommand } from './run-policy.ts';

const Named = z.looseObject({ name: z.string(), words: z.string().nullable() });
const Explained = z.looseObject({
  outcome: z.string(),
  says: z.string(),
  rules: z.array(Named.extend({ through: z.string().nullable() })),
  close: z.array(Named.extend({ differs: z.string(), failed: z.array(z.string()) })),
  version: z.string(),
  engine: z.string(),
});
const Facts = z.looseObject({
  class: z.string(),
  groups: z.array(z.object({ id: z.string(), name: z.string() })),
  context: z.looseObject({ surface: z.string(), device: z.string() }),
});
const Call = Explained.extend(Facts.shape).extend({ combinations: z.array(z.record(z.string(), z.unknown())) });
const Record = z.looseObject({
  call: z.looseObject({
    id: z.string(),
    at: z.string(),
    user: z.string(),
    tool: z.string(),
    outcome: z.string().nullable(),
    why: z.string().nullable(),
  }),
  decided: z
    .looseObject({
      outcome: z.string(),
      version: z.string(),
      policies: z.array(Named.extend({ inForce: z.boolean() })),
    })
    .nullable(),
  facts: Facts.extend({ args: z.array(z.record(z.string(), z.unknown())) }).nullable(),
  missing: z.string().nullable(),
  now: Explained.nullable(),
});

const words = (p: z.infer<typeof Named>): string => (p.words === null ? p.name : `${p.name}: ${p.words}`);
const linesOf = (e: z.infer<typeof Explained>): string[] => [
  `${e.outcome}: ${e.says}`,
  ...e.rules.map((r) => `  decided by  ${words(r)}`),
  ...e.close.map(
    (c) =>
      `  came close  ${words(c)} (${c.differs === 'condition' ? `does not hold: ${c.failed.join(' and ')}` : `another ${c.differs === 'who' ? 'person' : 'tool'}`})`,
  ),
];
const factLines = (f: z.infer<typeof Facts>, args: readonly object[]): string[] => [
  `  facts       class ${f.class}, by ${f.context.surface}, device ${f.context.device}, groups: ${f.groups.map((g) => g.name).join(', ') || 'none'}`,
  ...args.filter((a) => Object.keys(a).length > 0).map((a) => `  arguments   ${JSON.stringify(a)}`),
];

/** `gatehouse policy explain`: why a call is decided as it is. */
export const explainCommand: PolicyCommand = {
  help: `gatehouse policy explain --user WHO --connector NAME --tool TOOL [--arguments JSON|@FILE] [--surface S] [--device D] [--at TIME]
gatehouse policy explain --call tcl_…
Says what would happen to a call, or why a recorded one was decided so: the rules, the facts, and which rules come close.
The key needs the permission policy.read.
  --user WHO            a member's e-mail address or id
  --connector NAME      a connector's short name or id
  --arguments JSON      the arguments of the call, or @FILE with them
  --check               exit with 3 unless the call is allowed without asking`,
  options: {
    user: { type: 'string' },
    connector: { type: 'string' },
    tool: { type: 'string' },
    arguments: { type: 'string' },
    surface: { type: 'string' },
    device: { type: 'string' },
    at: { type: 'string' },
    call: { type: 'string' },
    check: { type: 'boolean' },
  },
  prepare(v) {
    const check = v['check'] === true;
    const call = text(v, 'call');
    if (call !== undefined) {
      if (text(v, 'user') !== undefined || text(v, 'tool') !== undefined)
        throw usage('--call is about a recorded call, whose person and tool are known', 'leave --user and --tool out');
      return async ({ api, answer }) => {
        const r = await api.ask('POST', '/policy/explain', Record, { call });
        const { call: c, decided, now } = r;
        answer(
          [
            `${c.id}: ${c.tool} by ${c.user} at ${c.at}, ${c.outcome ?? 'still open'}${c.why === null ? '' : ` (${c.why})`}`,
            ...(decided
              ? [
                  `then ${decided.outcome}, by version ${decided.version}`,
                  ...decided.policies.map(
                    (p) => `  decided by  ${words(p)}${p.inForce ? '' : ' (no longer in force)'}`,
                  ),
                ]
              : []),
            ...(r.facts ? factLines(r.facts, r.facts.args) : []),
            ...(r.missing === null ? [] : [r.missing]),
            ...(now ? [`now ${linesOf(now).join('\n')}`, `  version     ${now.version}`] : []),
          ].flatMap((l) => l.split('\n')),
          r,
        );
        return check && (now?.outcome ?? decided?.outcome) !== 'allowed' ? EXIT.differs : EXIT.ok;
      };
    }
    const [user, connector, tool] = [text(v, 'user'), text(v, 'connector'), text(v, 'tool')];
    if (user === undefined || connector === undefined || tool === undefined)
      throw usage('give --user, --connector and --tool, or --call');
    const args = argumentsOf(v);
    const rest = Object.fromEntries(
      ['surface', 'device', 'at'].flatMap((k) => (text(v, k) === undefined ? [] : [[k, text(v, k)]])),
    );
    return async ({ api, answer }) => {
      const body = { user: await userNamed(api, user), connector: await connectorNamed(api, connector), tool, ...rest };
      const e = await api.ask('POST', '/policy/explain', Call, { ...body, ...(args ? { arguments: args } : {}) });
      answer([...linesOf(e), ...factLines(e, e.combinations), `  version     ${e.version}, decided by ${e.engine}`], e);
      return check && e.outcome !== 'allowed' ? EXIT.differs : EXIT.ok;
    };
  },
};

function argumentsOf(v: Values): Record<string, unknown> | undefined {
  const given = text(v, 'arguments');
  if (given === undefined) return undefined;
  try {
    return z
      .record(z.string(), z.unknown())
      .parse(JSON.parse(given.startsWith('@') ? readFileSync(given.slice(1), 'utf8') : given));
  } catch (e) {
    throw usage(
      `--arguments is not a JSON object${e instanceof Error && 'code' in e ? `: ${e.message}` : ''}`,
      'for example: --arguments \'{"to":"ada@example.com"}\', or @FILE',
    );
  }
}
