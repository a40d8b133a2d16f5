import type { Id } from '#kernel/id.ts';

/** From most to least. */
export const memberRoles = ['primary_owner', 'owner', 'admin', 'user'] as const;
export type MemberRole = (typeof memberRoles)[number];

/** A user in an org, with a role. */
export type Member = { id: Id<'mem'>; user: Id<'usr'>; role: MemberRole };
