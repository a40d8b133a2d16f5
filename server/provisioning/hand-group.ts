import { Problem } from '#kernel/problem.ts';

/** For a group that is none, of another organization, or not made by hand: only a directory or a sign-in changes the others. */
export const noHandGroup = (): Problem =>
  new Problem('missing', 'provisioning/no-hand-group', {
    says: 'there is no such group that was made by hand in this organization',
    fix: 'groups of a directory or of a sign-in are changed at the identity provider',
  });
