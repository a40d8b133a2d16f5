import { createHash, randomBytes } from 'node:crypto';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Admission } from './admission.ts';
import type { DirectorySettings, Resources } from './directory-settings.ts';
import type { ScimCall } from './scim-journal.ts';

/** A SCIM connection: what comes in through it belongs to it, and its people become members of `org`. */
export type Directory = {
  id: Id<'dir'>;
  org: Id<'org'>;
  name: string;
  state: 'active' | 'paused';
  created: Date;
  settings: DirectorySettings;
};

/** A bearer token of a directory, as admins see it. */
export type ScimToken = {
  id: Id<'sct'>;
  created: Date;
  createdBy: string;
  expires: Date;
  revoked: Date | null;
  lastUsed: Date | null;
};

/** Longest life of a token; a year, so that a forgotten one ends by itself. */
export const MAX_TOKEN_DAYS = 365;

/** A new token: 256 random bits. Its prefix lets secret scanners find it in places where it should not be. */
export const newScimToken = (): string => `ghs_${randomBytes(32).toString('base64url')}`;

/** Tokens are random, so a fast hash is enough; only this is stored. */
export const scimTokenHash = (token: string): Buffer => createHash('sha256').update(token).digest();

/** The Ctx of a request that came with a directory's token: how the directory is treated, and what the journal will say of the request. */
export type ScimCtx = OrgCtx & {
  readonly directory: Id<'dir'>;
  readonly settings: DirectorySettings;
  readonly resources: Resources;
  readonly call: ScimCall;
  /** What its word does to members and accounts; given by doors.ts. */
  readonly admission: Admission;
};

const isScim = (ctx: Ctx): ctx is ScimCtx =>
  ctx.actor.kind === 'scim' && ctx.org !== undefined && 'directory' in ctx && ctx.directory === ctx.actor.directory;

/** INVARIANT (own entries only): which directory a SCIM request works on comes from its token, never from its path or body. */
export function scimCtx(ctx: Ctx): ScimCtx {
  if (!isScim(ctx))
    throw new Problem('bug', 'directory/not-scim', { says: 'a SCIM operation was reached without a directory token' });
  return ctx;
}
