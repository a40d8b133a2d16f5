// Written by `npm run gen` from the OpenAPI document. Do not edit.
import { op } from '../call.ts';

/** Lists which applications may act for which members; q searches name and client id. Needs member.read. */
export const listGrants = op<{ org: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined } }, { items: ({ id: string; member: string; client: string; clientName: string | null; scopes: Record<string, (string)[]>; givenAt: string; expiresAt: string; lastUsedAt: string | null; connection: string | null })[]; next: string | null }>('authorization.list_grants', 'GET', '/api/orgs/{org}/grants');

/** Ends a consent; the application is refused within a second. Needs member.manage. */
export const revokeGrant = op<{ org: string; grant: string }, void>('authorization.revoke_grant', 'DELETE', '/api/orgs/{org}/grants/{grant}');

/** Lists which applications may act for you; q searches name and client id. Needs signed_in. */
export const listOwnGrants = op<{ org: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined } }, { items: ({ id: string; member: string; client: string; clientName: string | null; scopes: Record<string, (string)[]>; givenAt: string; expiresAt: string; lastUsedAt: string | null; connection: string | null })[]; next: string | null }>('authorization.list_own_grants', 'GET', '/api/orgs/{org}/my-grants');

/** Ends a consent of your own. Needs signed_in. */
export const revokeOwnGrant = op<{ org: string; grant: string }, void>('authorization.revoke_own_grant', 'DELETE', '/api/orgs/{org}/my-grants/{grant}');
