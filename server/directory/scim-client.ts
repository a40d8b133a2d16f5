import { randomBytes } from 'node:crypto';
import type { Id } from '#kernel/id.ts';

/** An OAuth client of a directory, as admins see it. It trades its secret for tokens of an hour (RFC 6749 §4.4). */
export type ScimClient = {
  id: Id<'scc'>;
  created: Date;
  createdBy: string;
  expires: Date;
  revoked: Date | null;
  lastUsed: Date | null;
};

/** A new secret: 256 random bits under a prefix that secret scanners know. */
export const newScimSecret = (): string => `ghx_${randomBytes(32).toString('base64url')}`;

/** Life of a token that a client gets. */
export const CLIENT_TOKEN_SECONDS = 3600;
/** Live tokens of one client. A provider that asks for one with every request is told to keep it. */
export const MAX_CLIENT_TOKENS = 100;
