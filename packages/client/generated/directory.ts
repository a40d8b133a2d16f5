// Written by `npm run gen` from the OpenAPI document. Do not edit.
import { op } from '../call.ts';

/** Connects a directory over SCIM 2.0. Needs directory.manage. */
export const createDirectory = op<{ org: string; body: { name: string } }, { id: string; name: string; state: "active" | "paused"; created: string; url: string; settings: { profile: "compat" | "strict"; domains: (string)[]; domainPolicy: "accept" | "hold" | "refuse"; extensions: ({ schema: string; name: string; attributes: ({ name: string; type: "string" | "boolean" | "integer" | "decimal" | "dateTime" | "reference"; multi: boolean; caseExact: boolean; says: string })[] })[]; rate: number; journal: "changes" | "all"; journalDays: number } }>('directory.create_directory', 'POST', '/api/orgs/{org}/directories');

/** Lists the directories of the organization. Needs directory.manage. */
export const listDirectories = op<{ org: string }, { items: ({ id: string; name: string; state: "active" | "paused"; created: string; url: string; settings: { profile: "compat" | "strict"; domains: (string)[]; domainPolicy: "accept" | "hold" | "refuse"; extensions: ({ schema: string; name: string; attributes: ({ name: string; type: "string" | "boolean" | "integer" | "decimal" | "dateTime" | "reference"; multi: boolean; caseExact: boolean; says: string })[] })[]; rate: number; journal: "changes" | "all"; journalDays: number } })[]; next: string | null }>('directory.list_directories', 'GET', '/api/orgs/{org}/directories');

/** One directory with its settings. Needs directory.manage. */
export const getDirectory = op<{ org: string; directory: string }, { id: string; name: string; state: "active" | "paused"; created: string; url: string; settings: { profile: "compat" | "strict"; domains: (string)[]; domainPolicy: "accept" | "hold" | "refuse"; extensions: ({ schema: string; name: string; attributes: ({ name: string; type: "string" | "boolean" | "integer" | "decimal" | "dateTime" | "reference"; multi: boolean; caseExact: boolean; says: string })[] })[]; rate: number; journal: "changes" | "all"; journalDays: number } }>('directory.get_directory', 'GET', '/api/orgs/{org}/directories/{directory}');

/** Changes name or settings of a directory, pauses or resumes it. What is left out stays. Needs directory.manage. */
export const changeDirectory = op<{ org: string; directory: string; body: { name?: string | undefined; state?: "active" | "paused" | undefined; profile?: "compat" | "strict" | undefined; domains?: (string)[] | undefined; domainPolicy?: "accept" | "hold" | "refuse" | undefined; extensions?: ({ schema: string; name: string; attributes: ({ name: string; type: "string" | "boolean" | "integer" | "decimal" | "dateTime" | "reference"; multi?: boolean | undefined; caseExact?: boolean | undefined; says?: string | undefined })[] })[] | undefined; rate?: number | undefined; journal?: "changes" | "all" | undefined; journalDays?: number | undefined } }, { id: string; name: string; state: "active" | "paused"; created: string; url: string; settings: { profile: "compat" | "strict"; domains: (string)[]; domainPolicy: "accept" | "hold" | "refuse"; extensions: ({ schema: string; name: string; attributes: ({ name: string; type: "string" | "boolean" | "integer" | "decimal" | "dateTime" | "reference"; multi: boolean; caseExact: boolean; says: string })[] })[]; rate: number; journal: "changes" | "all"; journalDays: number } }>('directory.change_directory', 'PATCH', '/api/orgs/{org}/directories/{directory}');

/** Makes a token for a directory. It is shown this once. Needs directory.manage. */
export const createScimToken = op<{ org: string; directory: string; body: { days?: number | undefined } }, { id: string; token: string; expires: string }>('directory.create_scim_token', 'POST', '/api/orgs/{org}/directories/{directory}/tokens');

/** Lists the tokens of a directory, without their secrets. Needs directory.manage. */
export const listScimTokens = op<{ org: string; directory: string }, { items: ({ id: string; created: string; createdBy: string; expires: string; revoked: string | null; lastUsed: string | null })[]; next: string | null }>('directory.list_scim_tokens', 'GET', '/api/orgs/{org}/directories/{directory}/tokens');

/** Ends a token of a directory at once. Needs directory.manage. */
export const revokeScimToken = op<{ org: string; directory: string; token: string }, void>('directory.revoke_scim_token', 'DELETE', '/api/orgs/{org}/directories/{directory}/tokens/{token}');

/** Lists the groups that rules can speak of. Needs member.read. */
export const listGroups = op<{ org: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined } }, { items: ({ id: string; directory: string; name: string; externalId: string | null; members: number })[]; next: string | null }>('directory.list_groups', 'GET', '/api/orgs/{org}/groups');

/** Lists the people of a group. Needs member.read. */
export const listGroupMembers = op<{ org: string; group: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined } }, { items: ({ entry: string; user: string | null; name: string; userName: string; active: boolean; unlinkedBecause: "local_user" | "address_in_use" | "no_address" | "domain_held" | null })[]; next: string | null }>('directory.list_group_members', 'GET', '/api/orgs/{org}/groups/{group}/members');

/** Makes an OAuth client for a directory. Its secret is shown this once. Needs directory.manage. */
export const createScimClient = op<{ org: string; directory: string; body: { days?: number | undefined } }, { id: string; secret: string; expires: string; tokenUrl: string }>('directory.create_scim_client', 'POST', '/api/orgs/{org}/directories/{directory}/clients');

/** Lists the OAuth clients of a directory, without their secrets. Needs directory.manage. */
export const listScimClients = op<{ org: string; directory: string }, { items: ({ id: string; created: string; createdBy: string; expires: string; revoked: string | null; lastUsed: string | null })[]; next: string | null }>('directory.list_scim_clients', 'GET', '/api/orgs/{org}/directories/{directory}/clients');

/** Ends an OAuth client of a directory and all tokens that it got, at once. Needs directory.manage. */
export const revokeScimClient = op<{ org: string; directory: string; client: string }, void>('directory.revoke_scim_client', 'DELETE', '/api/orgs/{org}/directories/{directory}/clients/{client}');

/** Requests of a directory, newest first: as they came, what they meant, what they changed, how they ended. Needs directory.manage. */
export const listJournal = op<{ org: string; directory: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined; status?: string | undefined; method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | undefined; resource?: string | undefined; person?: string | undefined } }, { items: ({ id: string; at: string; request: string; operation: number | null; token: string; method: string; path: string; resource: string | null; people: (string)[]; status: number; ms: number; bytes: number; meant: Record<string, unknown>; changed: (unknown)[]; problem: { code: string; says: string; fix: string | null } | null })[]; next: string | null }>('directory.list_journal', 'GET', '/api/orgs/{org}/directories/{directory}/journal');

/** One request of a directory with its body, secrets taken out. Needs directory.manage. */
export const getJournalEntry = op<{ org: string; directory: string; entry: string }, { id: string; at: string; request: string; operation: number | null; token: string; method: string; path: string; resource: string | null; people: (string)[]; status: number; ms: number; bytes: number; meant: Record<string, unknown>; changed: (unknown)[]; problem: { code: string; says: string; fix: string | null } | null; body: string | null; truncated: boolean }>('directory.get_journal_entry', 'GET', '/api/orgs/{org}/directories/{directory}/journal/{entry}');

/** Runs the request again as it would run now, undoes it, and tells what it would have changed. Needs directory.manage. */
export const rehearseJournalEntry = op<{ org: string; directory: string; entry: string; body: Record<string, unknown> }, { status: number; problem: { code: string; says: string; fix: string | null } | null; meant: Record<string, unknown>; notes: (string)[]; events: ({ type: string; data: Record<string, unknown> })[]; diff: unknown }>('directory.rehearse_journal_entry', 'POST', '/api/orgs/{org}/directories/{directory}/journal/{entry}/replay');

/** Which accounts would become the directory’s, and what would change about them. Changes nothing. Needs directory.manage. */
export const planAdoption = op<{ org: string; directory: string }, { hash: string; matches: ({ entry: string; userName: string; user: string; email: string; displayName: string; state: "active" | "suspended"; roles: ({ org: string; role: "primary_owner" | "owner" | "admin" | "auditor" | "user" })[]; by: "external_id" | "email"; was: "local_user" | "address_in_use" | "no_address" | "domain_held"; becomes: { email: string; displayName: string; suspended: boolean }; primaryOwner: boolean })[]; more: boolean }>('directory.plan_adoption', 'GET', '/api/orgs/{org}/directories/{directory}/adoption');

/** Puts the accounts of a plan under the directory, all or none, if the plan is still true. Needs directory.manage. */
export const adoptPeople = op<{ org: string; directory: string; body: { hash: string; take: "all" | (string)[]; primaryOwners?: (string)[] | undefined } }, { adopted: number }>('directory.adopt_people', 'POST', '/api/orgs/{org}/directories/{directory}/adoption');

/** Gives accounts to people who were held because of their domain and no longer need to be. Call it until nothing is left. Needs directory.manage. */
export const settleHeld = op<{ org: string; directory: string; body: Record<string, unknown> }, { settled: number; left: boolean }>('directory.settle_held', 'POST', '/api/orgs/{org}/directories/{directory}/held');
