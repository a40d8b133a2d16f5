import { makeSigner, type Signer } from '@gatehouse/contract/checkpoint.ts';
import type { Seal } from '#kernel/seal.ts';
import type { LogId } from './inbox.sql.ts';

/** Name of a log in its checkpoints. It has the host and no scheme, so that moving from http to https does not make another log. */
export const originOf = (origin: string, log: LogId): string => `${new URL(origin).host}/audit/${log}`;

/**
 * The signer of a log. One Ed25519 key per deployment, derived from the seal's root and never stored: every node has the same, no row
 * can be swapped for another key, and it changes only if the deployment's root key is lost. The key id differs per log, since it is over the name.
 */
export const signerOf = (world: { seal: Pick<Seal, 'derive'>; origin: string }, log: LogId): Signer =>
  makeSigner(originOf(world.origin, log), world.seal.derive('audit checkpoint key', 32));
