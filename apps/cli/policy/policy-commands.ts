import type { Terminal } from '../scim/run-scim.ts';
import { backtestCommand } from './backtest-command.ts';
import { explainCommand } from './explain-command.ts';
import { runPolicy, type PolicyCommand } from './run-policy.ts';
import { simulateCommand } from './simulate-command.ts';

const commands = {
  explain: explainCommand,
  simulate: simulateCommand,
  backtest: backtestCommand,
} as const satisfies Record<string, PolicyCommand>;
export type PolicyVerb = keyof typeof commands;

/** `gatehouse policy VERB …`. Returns the exit status: 0 done, 1 failed, 2 not understood, 3 with --check when it is not as hoped. */
export const policy = (verb: PolicyVerb, args: readonly string[], terminal?: Terminal): Promise<number> =>
  runPolicy(commands[verb], args, terminal);
