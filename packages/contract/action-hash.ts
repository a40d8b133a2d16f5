import { jcs } from './jcs.ts';
import { sha256 } from './sha256.ts';

/**
 * What an approval is bound to: SHA-256 of `gatehouse-action-v1`, a zero byte and the canonical form of the action. The prefix keeps the
 * hash of an action from ever being the hash of anything else that we sign or compare.
 */
export const actionHash = (action: unknown): Buffer => sha256(`gatehouse-action-v1\0${jcs(action)}`);

/** What the log and the proof of a decision are bound to; the same form under a prefix of its own. */
export const decisionHash = (decision: unknown): Buffer => sha256(`gatehouse-decision-v1\0${jcs(decision)}`);

/**
 * What a passkey signs: for one action its hash; for several, which are decided at once, the hash of the sorted list of their hashes in hex,
 * so that none can be added to the list or taken from it afterwards.
 */
export function challengeOf(actions: readonly string[]): Buffer {
  const [only] = actions;
  if (only === undefined) throw new TypeError('there is no challenge for no action');
  return actions.length === 1 ? Buffer.from(only, 'hex') : sha256(`gatehouse-batch-v1\0${jcs([...actions].sort())}`);
}
