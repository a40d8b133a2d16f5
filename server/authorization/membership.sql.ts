import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const Membership = z.object({
  parent: z.custom<Id<'par'>>(),
  org: z.custom<Id<'org'>>(),
  orgName: z.string(),
  member: z.custom<Id<'mem'>>(),
  user: z.custom<Id<'usr'>>(),
  role: z.string(),
  state: z.enum(['active', 'suspended']),
});
export type Membership = z.infer<typeof Membership>;

/** The member with their account's state now; undefined when they are no member any more. */
export const findMembership = (db: Reader, member: string): Promise<Membership | undefined> =>
  db.maybe(read(Membership)`
  select parent, org, org_name as "orgName", member, user_id as user, role, state from lookup_member(${member})`);

/** All organizations in which a person may act. */
export const listMemberships = (db: Reader, user: Id<'usr'>): Promise<Membership[]> =>
  db.many(read(Membership)`
  select parent, org, org_name as "orgName", member, user_id as user, role, state from lookup_memberships_of_user(${user})`);
