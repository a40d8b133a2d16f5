import { Problem } from '#kernel/problem.ts';

/** For a directory that never was and for one of another organization. */
export const noDirectory = (id: string): Problem =>
  new Problem('missing', 'directory/no-directory', {
    says: `there is no directory ${id.slice(0, 60)} in this organization`,
    fix: 'list the directories of the organization',
  });
