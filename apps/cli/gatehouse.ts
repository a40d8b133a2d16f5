#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Opened } from '@gatehouse/server/open-world.ts';

/** One command: its words, and what it does with the arguments after them. Returns the exit status. */
type Command = { words: string; says: string; run(args: string[]): Promise<number> };

const root = fileURLToPath(new URL('../../', import.meta.url));
const verifier = fileURLToPath(new URL('../../packages/contract/verify.mjs', import.meta.url));
const node = (file: string, args: readonly string[]): number =>
  spawnSync(process.execPath, [file, ...args], { stdio: 'inherit' }).status ?? 1;

/** For any SCIM 2.0 server, ours and others'. */
const scimSays = {
  sync: 'List the users, groups and memberships of a SCIM server.',
  plan: 'Say what would make it as a file of people and grants wants it.',
  apply: 'Do what a plan says.',
  grant: 'Put people into a group: --user E-MAIL --group NAME.',
  revoke: 'Take people out of a group.',
};

/** Questions to the policies of an organization, by its API. */
const policySays = {
  explain: 'Say what would happen to a call, or why a recorded one was decided so.',
  simulate: 'List what a person can do, or who can use a tool.',
  backtest: 'Say what a draft would have changed in the calls of the last days.',
};

/** Keys that secrets are sealed with, of the whole deployment. */
const keysSays = {
  status: 'List the keys that secrets are sealed with, and how far a rotation is: [--scope ID] [--json].',
  rotate: 'Turn keys online: --scope ID | --all | --master, with --data new data keys only.',
  retire: 'Destroy an older key that nothing needs: --scope ID --generation N.',
  move: 'Have all keys wrapped by another key service of the settings: --to KIND.',
};

/** Systems of the catalogue. */
const connectorSays = {
  list: 'List the connectors of an organization, or with --catalogue what there could be.',
  add: 'Make a system of the catalogue available: --type TYPE.',
  import: 'Make a REST service available by its OpenAPI document, or take a newer one: FILE|URL.',
  check: 'Try an account at a vendor, tool by tool, from this machine: TYPE.',
};

const commands: Command[] = [
  { words: 'start', says: 'Start a node, as npm start does.', run: async () => node(`${root}server/main.ts`, []) },
  {
    words: 'demo',
    says: 'Tell the story of the README. --once ends with a status.',
    run: async (args) => node(`${root}server/dev/demo.ts`, args),
  },
  {
    words: 'bootstrap',
    says: 'Make an organization: --org NAME --owner E-MAIL --name NAME [--parent NAME] [--json].',
    run: bootstrap,
  },
  { words: 'setup-link', says: 'Make a one-time link for a user: --user usr_… [--json].', run: setupLink },
  { words: 'migrate', says: 'Bring the schema of DATABASE_URL up to date, with DATABASE_OWNER_URL.', run: migrate },
  ...(['status', 'rotate', 'retire', 'move'] as const).map((verb) => ({
    words: `keys ${verb}`,
    says: keysSays[verb],
    run: async (args: string[]) =>
      (await import('./keys-command.ts')).keysCommand(verb, args, (work) => withWorld(({ world }) => work(world))),
  })),
  {
    words: 'audit verify',
    says: 'Verify an export offline: FILE --key KEY [--checkpoint FILE]…',
    run: async (args) => node(verifier, args),
  },
  {
    words: 'bridge pack',
    says: 'Write the bridge as an MCPB bundle: --out FILE.mcpb [--url ADDRESS] [--connector NAME].',
    run: async (args) => (await import('./bridge/pack.ts')).pack(args),
  },
  {
    words: 'bridge',
    says: 'Be an MCP server on stdio: --url ADDRESS [--connector NAME] [--read-only] [--open] [--sign-out].',
    run: async (args) => {
      // Ends the process itself: a sign-in that nobody finishes must not keep it without a client.
      process.exit(await (await import('./bridge/bridge.ts')).bridge(args));
    },
  },
  {
    words: 'tunnel',
    says: 'Be an agent inside a network: --url ADDRESS --secret-file FILE --allow ADDRESS… [--name NAME].',
    run: async (args) => (await import('./tunnel/tunnel.ts')).tunnel(args),
  },
  ...(['sync', 'plan', 'apply', 'grant', 'revoke'] as const).map((verb) => ({
    words: `scim ${verb}`,
    says: scimSays[verb],
    run: async (args: string[]) => (await import('./scim/scim-commands.ts')).scim(verb, args),
  })),
  ...(['explain', 'simulate', 'backtest'] as const).map((verb) => ({
    words: `policy ${verb}`,
    says: policySays[verb],
    run: async (args: string[]) => (await import('./policy/policy-commands.ts')).policy(verb, args),
  })),
  ...(['list', 'add', 'import', 'check'] as const).map((verb) => ({
    words: `connector ${verb}`,
    says: connectorSays[verb],
    run: async (args: string[]) => (await import('./connector/connector-commands.ts')).connector(verb, args),
  })),
];

/** Opens the deployment that this machine's settings name, beside a server that may run on it. */
async function withWorld<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
  const { environment, readConfig } = await import('@gatehouse/server/config.ts');
  const { openWorld } = await import('@gatehouse/server/open-world.ts');
  const { makeLog } = await import('@gatehouse/server/kernel/log.ts');
  const config = readConfig(environment(), root.replace(/\/$/, ''));
  const origin = config.origin ?? `${config.tls ? 'https' : 'http'}://localhost:${config.listen.port}`;
  const opened = await openWorld(config, makeLog('error'), origin, { join: true });
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

async function bootstrap(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      org: { type: 'string' },
      owner: { type: 'string' },
      name: { type: 'string' },
      parent: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { org, owner, name, parent } = values;
  if (!org || !owner || !name || !/^[^\s@]+@[^\s@]+$/.test(owner)) {
    console.error(
      'gatehouse bootstrap needs --org, --owner (an e-mail address) and --name.\nFor example: gatehouse bootstrap --org "Northwind Lamps" --owner wilhelmina@northwind-lamps.example --name "Wilhelmina Wattage"',
    );
    return 2;
  }
  const made = await withWorld(async ({ world }) =>
    (await import('@gatehouse/server/bootstrap.ts')).bootstrap(world, { org, email: owner, name, parent }),
  );
  if (values.json) console.log(JSON.stringify(made, null, 2));
  else
    console.log(
      `${org} is there, and ${name} owns it.\n  organization  ${made.org}\n  API           ${made.api}\n  API key       ${made.apiKey}\n                shown this once, valid until ${made.apiKeyExpires.slice(0, 10)}\n  one-time link ${made.setupLink}\n                signs ${name} in, once, within a day`,
    );
  return 0;
}

async function setupLink(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { user: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  const { parseId } = await import('@gatehouse/server/kernel/id.ts');
  const user = parseId('usr', values.user ?? '');
  if (!user) {
    console.error('gatehouse setup-link needs --user with the id of a user (usr_ and 32 hex digits).');
    return 2;
  }
  const link = await withWorld(async ({ world }) =>
    (await import('@gatehouse/server/setup-link.ts')).setupLinkFor(world, user),
  );
  console.log(values.json ? JSON.stringify(link) : `${link.url}\nworks once, until ${link.expiresAt}`);
  return 0;
}

async function migrate(): Promise<number> {
  await withWorld(async ({ migrated }) => {
    console.log(migrated.length > 0 ? `Applied: ${migrated.join(', ')}` : 'The schema is current.');
  });
  return 0;
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const line = args.join(' ');
  const command = commands.find((c) => line === c.words || line.startsWith(`${c.words} `));
  if (!command) {
    const known = line === '' || line === 'help' || line === '--help';
    (known ? console.log : console.error)(
      `${known ? '' : `gatehouse: there is no command "${line}".\n`}gatehouse COMMAND\n${commands.map((c) => `  ${c.words.padEnd(16)} ${c.says}`).join('\n')}\nSettings are environment variables: docs/generated/config.md.`,
    );
    return known ? 0 : 2;
  }
  return command.run(args.slice(command.words.split(' ').length));
}

try {
  process.exitCode = await main();
} catch (e) {
  // A Problem, told by its shape: the server's code is loaded only by the commands that need it.
  const p = e instanceof Error ? e : new Error(String(e));
  const fix = 'fix' in p && typeof p.fix === 'string' ? `\nTo do: ${p.fix}` : '';
  console.error(`gatehouse: ${'says' in p && typeof p.says === 'string' ? p.says : p.message}${fix}`);
  process.exitCode = 1;
}
