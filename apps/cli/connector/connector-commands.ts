import type { Terminal } from '../scim/run-scim.ts';
import { runPolicy, type PolicyCommand } from '../policy/run-policy.ts';
import { addCommand } from './add-command.ts';
import { checkConnector } from './check-command.ts';
import { checkConfiguredCommand } from './check-configured-command.ts';
import { listCommand } from './list-command.ts';

const commands = { list: listCommand, add: addCommand } as const satisfies Record<string, PolicyCommand>;
export type ConnectorVerb = keyof typeof commands | 'check';

/** `gatehouse connector VERB …`. Returns the exit status: 0 done, 1 failed, 2 not understood, 3 when a check is not as hoped. */
export const connector = (verb: ConnectorVerb, args: readonly string[], terminal?: Terminal): Promise<number> =>
  verb !== 'check'
    ? runPolicy(commands[verb], args, terminal)
    : args.some((a) => a === '--url' || a.startsWith('--url='))
      ? runPolicy(checkConfiguredCommand, named(args), terminal)
      : checkConnector(args);

/** `check SLUG --url …` is about a connector of a deployment; its name may stand where a type would. */
const named = (args: readonly string[]): string[] =>
  args[0] === undefined || args[0].startsWith('-') ? [...args] : ['--connector', ...args];
