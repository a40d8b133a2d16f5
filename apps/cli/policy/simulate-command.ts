import { z } from 'zod';
import { text } from '../scim/scim-options.ts';
import { connectorNamed, everyItem, userNamed } from './api.ts';
import { EXIT, usage } from './exit.ts';
import type { PolicyCommand } from './run-policy.ts';

const passed = [
  'class',
  'tool',
  'outcome',
  'q',
  'surface',
  'device',
  'at',
  'path',
  'folder',
  'repository',
  'channel',
  'recipient',
  'recipient_domain',
  'amount',
  'url',
] as const;
/** What a flag is called; --url is the server. */
const flagOf = (field: (typeof passed)[number]): string => (field === 'url' ? 'fact-url' : field.replace('_', '-'));

const Tool = z.looseObject({
  connector: z.looseObject({ slug: z.string() }),
  tool: z.string(),
  class: z.string(),
  outcome: z.string(),
  says: z.string(),
  conditions: z.array(z.looseObject({ name: z.string() })),
});
const Person = z.looseObject({
  email: z.string(),
  displayName: z.string(),
  outcome: z.string(),
  tools: z.array(
    z.looseObject({ connector: z.string(), tool: z.string(), says: z.string(), domains: z.array(z.string()) }),
  ),
});

const toolLine = (item: unknown): string => {
  const t = Tool.parse(item);
  const on = t.conditions.length > 0 ? ` (${t.conditions.map((c) => c.name).join(', ')})` : '';
  return `${t.outcome.padEnd(8)} ${`${t.connector.slug}/${t.tool}`.padEnd(40)} ${t.class.padEnd(12)} ${t.says}${on}`;
};
const personLine = (item: unknown): string => {
  const p = Person.parse(item);
  const domains = [...new Set(p.tools.flatMap((t) => t.domains))];
  const to = domains.length > 0 ? ` to ${domains.includes('any') ? 'any domain' : domains.join(', ')}` : '';
  const names = p.tools.map((t) => `${t.connector}/${t.tool}`);
  const tools = names.length > 3 ? `${names.slice(0, 3).join(' ')} and ${names.length - 3} more` : names.join(' ');
  return `${p.outcome.padEnd(8)} ${p.email.padEnd(40)} ${tools}${to}: ${p.tools[0]?.says ?? ''}`;
};

/** `gatehouse policy simulate`: what a person can do, or who can do something. */
export const simulateCommand: PolicyCommand = {
  help: `gatehouse policy simulate --user WHO [--connector NAME] [--outcome allowed|asks|depends|denied]
gatehouse policy simulate --tool TOOL --connector NAME [--recipient-domain D | --outside | --path P | …]
gatehouse policy simulate --class CLASS [--connector NAME]
Lists what a person can do, or who can use a tool or a class of tools with these arguments.
The key needs the permission policy.read.
  --outside             to recipients whose domain is not one that the organization has proved
  --path, --folder, --repository, --channel, --recipient, --recipient-domain, --amount, --fact-url
                        what rules see of the arguments
  --q TEXT              only names with TEXT in them
  --csv                 answer with CSV
  --check               exit with 3 if anything is listed, e.g. with --outcome allowed`,
  options: {
    user: { type: 'string' },
    connector: { type: 'string' },
    outside: { type: 'boolean' },
    csv: { type: 'boolean' },
    check: { type: 'boolean' },
    ...Object.fromEntries(passed.map((p) => [flagOf(p), { type: 'string' as const }])),
  },
  prepare(v) {
    const user = text(v, 'user');
    const [tool, klass] = [text(v, 'tool'), text(v, 'class')];
    if (user === undefined && tool === undefined && klass === undefined)
      throw usage('give --user, or --tool with its --connector, or --class');
    if (user !== undefined && (tool !== undefined || v['outside'] === true))
      throw usage(
        '--user lists tools; --tool and --outside are about people',
        'ask one of them, or use gatehouse policy explain',
      );
    const [csv, check] = [v['csv'] === true, v['check'] === true];
    if (csv && v['json'] === true) throw usage('give --csv or --json, not both');
    return async ({ api, answer, out }) => {
      const query = new URLSearchParams();
      for (const field of passed) {
        const value = text(v, flagOf(field));
        if (value !== undefined) query.set(field, value);
      }
      const connector = text(v, 'connector');
      if (connector !== undefined) query.set('connector', await connectorNamed(api, connector));
      if (user !== undefined) query.set('user', await userNamed(api, user));
      if (v['outside'] === true) query.set('outside', 'true');
      const what = user === undefined ? 'people' : 'tools';
      if (csv) {
        const all = await api.text(`/policy/simulate/${what}.csv?${query}`);
        out(all.trimEnd());
        return check && all.trimEnd().includes('\n') ? EXIT.differs : EXIT.ok;
      }
      const items = await everyItem(api, `/policy/simulate/${what}?${query}`);
      answer(
        items.length > 0 ? items.map(user === undefined ? personLine : toolLine) : [`there are no ${what} to list`],
        { items },
      );
      return check && items.length > 0 ? EXIT.differs : EXIT.ok;
    };
  },
};
