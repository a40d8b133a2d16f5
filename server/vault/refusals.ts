import { Problem } from '#kernel/problem.ts';

/** Why there is no credential, in the four ways that its callers tell apart (credentials.ts). */
export const vaultRefusals = {
  none: (): Problem =>
    new Problem('missing', 'vault/no-connection', {
      says: 'there is no such connection, or it has ended',
      fix: 'connect the account again under Connections',
    }),
  off: (name: string): Problem =>
    new Problem('conflict', 'vault/no-connection', {
      says: `${name} is switched off for everyone in this organization`,
      fix: 'ask an administrator',
    }),
  reconnect: (name: string, why: string, says?: string): Problem =>
    new Problem('conflict', 'vault/reconnect', {
      says: `${name} does not accept this connection any more${says === undefined || says === '' ? '' : ` (${says})`}`,
      fix: 'connect the account again under Connections',
      more: { why },
    }),
  app: (name: string, why: string, says: string): Problem =>
    new Problem('unavailable', 'vault/app', {
      says: `${name} does not accept what this organization registered there (${says})`,
      fix: 'an administrator must look at the app or the account of this connector: its secret, certificate or rights have ended',
      more: { why },
    }),
  later: (name: string, why: string, says: string, waitMs: number): Problem =>
    new Problem('unavailable', 'vault/later', {
      says: `${name} gives no credential now (${says})`,
      fix: `try again in ${Math.max(1, Math.ceil(waitMs / 1000))} seconds`,
      more: { why, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) },
    }),
} as const;
