import { createHash } from 'node:crypto';
import type { Id } from '#kernel/id.ts';
import type { MemberRole } from '#org/member.ts';
import type { User } from '#org/user.ts';
import type { Unlinked } from './scim-user.ts';

/** An entry of the directory that has no account, and the account that would become its. */
export type Match = {
  entry: Id<'scu'>;
  version: number;
  userName: string;
  user: Id<'usr'>;
  email: string;
  displayName: string;
  state: User['state'];
  roles: readonly { org: Id<'org'>; role: MemberRole }[];
  /** By the directory's own id, which an earlier directory of the parent used for this account, or by the address that the directory asserts. */
  by: 'external_id' | 'email';
  was: Unlinked;
  /** What the directory will say of the account from then on. */
  becomes: { email: string; displayName: string; suspended: boolean };
  primaryOwner: boolean;
};

/** What adoption would do. `more`: there are further matches, to be looked at when these are dealt with. */
export type AdoptionPlan = { hash: string; matches: readonly Match[]; more: boolean };

/** Matches of one plan: what a person can still look through, and one transaction can take. */
export const MAX_MATCHES = 1000;

/** Changes when anything does that whoever agreed to the plan has seen. */
export const planHash = (matches: readonly Match[]): string =>
  createHash('sha256').update(JSON.stringify(matches)).digest('hex');
