import { z } from 'zod';
import { read, type Query } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { memberRoles } from '#org/member.ts';

const LiveGrant = z.object({
  parent: z.custom<Id<'par'>>(),
  org: z.custom<Id<'org'>>(),
  member: z.custom<Id<'mem'>>(),
  user: z.custom<Id<'usr'>>(),
  role: z.enum(memberRoles),
  client: z.string(),
});
/** The person behind a consent, with consent, membership and account all alive. */
export type LiveGrant = z.infer<typeof LiveGrant>;

export const lookupLiveGrant = (grant: string, at: Date): Query<LiveGrant> =>
  read(LiveGrant)`select parent, org, member, user_id as "user", role, client from lookup_live_grant(${grant}, ${at})`;
