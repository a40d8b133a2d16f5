import { jcs } from './jcs.ts';
import { sha256 } from './sha256.ts';

/**
 * What an approval is bound to: SHA-256 of `gatehouse-action-v1`, a zero byte and the canonical form of the action. The prefix keeps the
 * hash of an action from ever being the hash of anything else that we sign or compare.
 */
export const actionHash = (action: unknown): Buffer => sha256(`gatehouse-action-v1\0${jcs(action)}`);
