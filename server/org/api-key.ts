import { createHash, randomBytes } from 'node:crypto';
import type { Id } from '#kernel/id.ts';
import { permissions, type Permission } from '#kernel/permission.ts';
import { Problem } from '#kernel/problem.ts';
import type { MemberRole } from './member.ts';
import { can } from './roles.ts';

/** A key for scripts, as its organization's admins see it. Its value is shown once and not kept. */
export type ApiKey = {
  id: Id<'key'>;
  name: string;
  permissions: Permission[];
  createdBy: Id<'usr'>;
  createdAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
};

/** What a presented key turned out to be. */
export type FoundApiKey = {
  org: Id<'org'>;
  parent: Id<'par'>;
  key: Id<'key'>;
  permissions: readonly string[];
  expiresAt: Date;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
  creatorState: 'active' | 'suspended' | null;
  creatorRole: MemberRole | null;
};

/** A key must be renewed at least once a year, so that a forgotten one ends by itself. */
export const MAX_KEY_DAYS = 365;
/** How often the last use is written down. Finer would cost a write per request and tell nobody more. */
export const KEY_USE_SECONDS = 60;

const FORM = /^ghk_[A-Za-z0-9_-]{43}$/;

/** Permissions that a key may carry: none of a door's own words. */
export const keyPermissions = permissions.filter(
  (p) => p !== 'public' && p !== 'signed_in' && p !== 'scim' && p !== 'agent',
);

/** A new key's value: 32 random bytes behind a prefix that secret scanners can look for. */
export const newKeyValue = (): string => `ghk_${randomBytes(32).toString('base64url')}`;

/** SHA-256 of a key's value; fast is enough, because nobody can guess 256 random bits. */
export const hashKey = (value: string): Buffer => createHash('sha256').update(value).digest();

/** Whether this looks like one of our keys at all. */
export const isKeyValue = (value: string): boolean => FORM.test(value);

/**
 * What a key may do now. INVARIANT (a key is never more than its creator): it carries what was chosen, and of that only what the role of
 * its creator has at this moment; when the creator is suspended or removed, the key ends with them.
 */
export function livePermissions(k: FoundApiKey, now: Date): ReadonlySet<Permission> {
  if (k.revokedAt) throw refused('org/key-revoked', 'this API key was revoked', 'create another key');
  if (k.expiresAt <= now)
    throw refused(
      'org/key-expired',
      `this API key expired on ${k.expiresAt.toISOString().slice(0, 10)}`,
      'create another key',
    );
  const { creatorRole: role } = k;
  if (k.creatorState !== 'active' || role === null)
    throw refused(
      'org/key-orphaned',
      'whoever created this API key has left the organization or is suspended, and the key ended with that',
      'let another owner or admin create a key',
    );
  return new Set<Permission>([
    'public',
    'signed_in',
    ...keyPermissions.filter((p) => k.permissions.includes(p) && can(role, p)),
  ]);
}

const refused = (code: string, says: string, fix: string): Problem =>
  new Problem('unauthenticated', code, { says, fix });
