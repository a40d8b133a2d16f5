import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { MemberRole } from './member.ts';

export const surfaces = ['workspace', 'console'] as const;

/** Organization. */
export type Org = {
  id: Id<'org'>;
  name: string;
  surface: (typeof surfaces)[number];
  region: string;
  createdAt: Date;
};

/** One organization of a user, with the role there. */
export type OrgOfUser = { org: Id<'org'>; name: string; role: MemberRole };

/** The same words for an organization that does not exist and for one that is not yours, so that ids cannot be tried out. */
export const noSuchOrg = (): Problem =>
  new Problem('missing', 'org/no-such-org', {
    says: 'there is no such organization, or you are not in it',
    fix: 'check the id in the address; whoever owns the organization can add you',
  });
