import type { Id } from '#kernel/id.ts';

/** Everything of a scope being sealed anew with its newest key. */
export type Rotation = {
  id: Id<'rot'>;
  scope: string;
  generation: number;
  /** False: the same key with new data keys. */
  newKey: boolean;
  state: 'running' | 'done';
  /** How far it is: what is sealed up to this row of this column is done. */
  tab: string;
  col: string;
  after: string;
  resealed: number;
  total: number;
  startedAt: Date;
  finishedAt: Date | null;
};

export const RESEAL_JOB = 'keys.reseal';
