import { Problem } from '#kernel/problem.ts';

export const nothingHeld = (): Problem =>
  new Problem('missing', 'provisioning/nothing-held', {
    says: 'none of these removals is held: they were applied, discarded or taken back already',
    fix: 'list what is held',
  });
