import type { OAuthFacts } from '#vault/oauth-facts.ts';
import { signIn } from '../microsoft/entra.ts';

/** Delegated permissions: what the app may do at most; what a person can reach stays theirs. */
export const oneDriveScopes: OAuthFacts['scopes'] = {
  read_only: [...signIn, 'Files.Read.All', 'Sites.Read.All'],
  read_write: [...signIn, 'Files.ReadWrite.All', 'Sites.Read.All'],
};

/** Any of these lets one read files. */
export const reads = ['Files.Read.All', 'Files.ReadWrite.All', 'Sites.Read.All', 'Sites.ReadWrite.All'] as const;
export const writes = ['Files.ReadWrite.All', 'Sites.ReadWrite.All'] as const;
