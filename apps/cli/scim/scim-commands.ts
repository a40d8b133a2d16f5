import { applyCommand } from './apply-command.ts';
import { grantCommand, revokeCommand } from './grant-command.ts';
import { planCommand } from './plan-command.ts';
import { runScim, type ScimCommand, type Terminal } from './run-scim.ts';
import { syncCommand } from './sync-command.ts';

const commands = {
  sync: syncCommand,
  plan: planCommand,
  apply: applyCommand,
  grant: grantCommand,
  revoke: revokeCommand,
} as const satisfies Record<string, ScimCommand>;

/** `gatehouse scim VERB …`. Returns the exit status: 0 done, 1 failed, 2 not understood, 3 the target or the plan is not as expected. */
export const scim = (verb: keyof typeof commands, args: readonly string[], terminal?: Terminal): Promise<number> =>
  runScim(commands[verb], args, terminal);
