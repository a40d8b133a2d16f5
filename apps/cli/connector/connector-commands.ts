import type { Terminal } from '../scim/run-scim.ts';
import { runPolicy, type PolicyCommand } from '../policy/run-policy.ts';
import { addCommand } from './add-command.ts';
import { checkConnector } from './check-command.ts';
import { checkConfiguredCommand } from './check-configured-command.ts';
import { importCommand } from './import-command.ts';
import { listCommand } from './list-command.ts';

const commands = { list: listCommand, add: addCommand, import: importCommand } as const satisfies Record<
  string,
  PolicyCommand
>;
export type ConnectorVerb = keyof typeof commands | 'check';

/** `gatehouse connector VERB …`. Returns the exit status: 0 done, 1 failed, 2 not understood, 3 when a check is not as hoped. */
export const connector = (verb: ConnectorVerb, args: readonly string[], terminal?: Terminal): Promise<number> =>
  verb !== 'check'
    ? runPolicy(commands[verb], verb === 'import' ? named(args, 'source') : args, terminal)
    : args.some((a) => a === '--url' || a.startsWith('--url='))
      ? runPolicy(checkConfiguredCommand, named(args, 'connector'), terminal)
      : checkConnector(args);

/** `check SLUG --url …` is about a connector of a deployment, `import FILE …` about a document: what stands first may stand without its flag. */
const named = (args: readonly string[], flag: string): string[] =>
  args[0] === undefined || args[0].startsWith('-') ? [...args] : [`--${flag}`, ...args];
