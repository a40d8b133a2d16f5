import { Problem } from '#kernel/problem.ts';

/** The same words for an id that never was, that is gone, and that another directory owns. */
export const noUser = (id: string): Problem =>
  new Problem('missing', 'directory/no-user', {
    says: `there is no user ${id.slice(0, 100)} in this directory`,
    fix: 'look the user up by userName or externalId',
  });

export const noGroup = (id: string): Problem =>
  new Problem('missing', 'directory/no-group', {
    says: `there is no group ${id.slice(0, 100)} in this directory`,
    fix: 'look the group up by displayName or externalId',
  });
