// Written by `npm run gen` from the OpenAPI document. Do not edit.
import { op } from '../call.ts';

/** Shows how people come into the organization, and whether the brake holds anybody. Needs member.read. */
export const findSettings = op<{ org: string }, { mode: "login_only" | "jit_permissive" | "jit_advanced" | "scim_permissive" | "scim_advanced"; prefix: string; domains: (string)[]; unverifiedDomains: (string)[]; version: number; brake: { held: number; limit: number; minutes: number; emptiedGroup: number } }>('provisioning.find_settings', 'GET', '/api/orgs/{org}/provisioning');

/** Lists which groups give which role, the pre-defined names first, each with what was seen of it. Needs member.read. */
export const listMappings = op<{ org: string }, { items: ({ id: string; group: string | null; name: string | null; role: "owner" | "admin" | "auditor" | "user"; tier: string | null; predefined: boolean; source: "directory" | "attribute" | "hand" | null; seen: { groups: number; members: number; first: string; last: string } | null })[]; next: string | null }>('provisioning.list_mappings', 'GET', '/api/orgs/{org}/provisioning/mappings');

/** Lists every group that came or was made, with first and last seen, source, members and mapping. Needs member.read. */
export const listGroups = op<{ org: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined; source?: "directory" | "attribute" | "hand" | undefined } }, { items: ({ id: string; name: string; source: "directory" | "attribute" | "hand"; from: string | null; externalId: string | null; members: number; firstSeen: string; lastSeen: string; mapped: ({ mapping: string; role: "owner" | "admin" | "auditor" | "user"; tier: string | null })[] })[]; next: string | null }>('provisioning.list_groups', 'GET', '/api/orgs/{org}/provisioning/groups');

/** Makes a group by hand. Needs directory.manage. */
export const makeGroup = op<{ org: string; body: { name: string } }, { id: string }>('provisioning.make_group', 'POST', '/api/orgs/{org}/provisioning/groups');

/** Lists the accounts in a group of whatever kind. Needs member.read. */
export const listGroupPeople = op<{ org: string; group: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined } }, { items: ({ user: string; email: string; displayName: string; asserted: string })[]; next: string | null }>('provisioning.list_group_people', 'GET', '/api/orgs/{org}/provisioning/groups/{group}/members');

/** Lists groups that came under nearly the name that a mapping waits for. Needs member.read. */
export const listNearMisses = op<{ org: string }, { items: ({ mapping: string; group: string; wanted: string; seen: string; members: number; role: "owner" | "admin" | "auditor" | "user"; kind: "case" | "space" | "separator" | "prefix" | "typo"; says: string; fix: string })[]; next: string | null }>('provisioning.list_near_misses', 'GET', '/api/orgs/{org}/provisioning/near-misses');

/** Maps a group as it is in place of the name that was expected; at once if nobody loses anything, else as a plan. Needs directory.manage. */
export const fixNearMiss = op<{ org: string; body: { mapping: string; group: string } }, { id: string; hash: string; target: { mode: "login_only" | "jit_permissive" | "jit_advanced" | "scim_permissive" | "scim_advanced"; prefix: string; domains: (string)[]; mappings: ({ id: string; role: "primary_owner" | "owner" | "admin" | "auditor" | "user"; tier: string | null })[] }; summary: { gains: number; loses: number; raised: number; lowered: number }; confirm: boolean; warnings: (string)[]; applied: { changed: number; atNextSignIn: number } | null }>('provisioning.fix_near_miss', 'POST', '/api/orgs/{org}/provisioning/near-misses/fix');

/** Sync now: compares all members with what directories and groups say, and makes right what differs. Needs directory.manage. */
export const sync = op<{ org: string }, { looked: number; changed: number; held: number }>('provisioning.sync', 'POST', '/api/orgs/{org}/provisioning/sync');

/** Ends a group that was made by hand. Needs directory.manage. */
export const removeGroup = op<{ org: string; group: string }, void>('provisioning.remove_group', 'DELETE', '/api/orgs/{org}/provisioning/groups/{group}');

/** Adds a member of the organization to a group that was made by hand. Needs directory.manage. */
export const addToGroup = op<{ org: string; group: string; user: string }, void>('provisioning.add_to_group', 'PUT', '/api/orgs/{org}/provisioning/groups/{group}/members/{user}');

/** Takes somebody out of a group that was made by hand. Needs directory.manage. */
export const removeFromGroup = op<{ org: string; group: string; user: string }, void>('provisioning.remove_from_group', 'DELETE', '/api/orgs/{org}/provisioning/groups/{group}/members/{user}');

/** Shows what a change of mode, mappings, prefix or domains would do to whom, and keeps it as a plan. Needs directory.manage. */
export const previewPlan = op<{ org: string; body: { edits: ({ set: "mode"; mode: "login_only" | "jit_permissive" | "jit_advanced" | "scim_permissive" | "scim_advanced" } | { set: "prefix"; prefix: string } | { set: "domains"; domains: (string)[] } | { set: "map"; group?: unknown | undefined; name?: string | undefined; role: "owner" | "admin" | "auditor" | "user"; tier?: string | null | undefined } | { set: "unmap"; mapping: unknown })[]; apply?: "never" | "if_nobody_loses" | undefined } }, { id: string; hash: string; target: { mode: "login_only" | "jit_permissive" | "jit_advanced" | "scim_permissive" | "scim_advanced"; prefix: string; domains: (string)[]; mappings: ({ id: string; role: "primary_owner" | "owner" | "admin" | "auditor" | "user"; tier: string | null })[] }; summary: { gains: number; loses: number; raised: number; lowered: number }; confirm: boolean; warnings: (string)[]; applied: { changed: number; atNextSignIn: number } | null }>('provisioning.preview_plan', 'POST', '/api/orgs/{org}/provisioning/plans');

/** Shows a plan. Needs member.read. */
export const findPlan = op<{ org: string; plan: string }, { id: string; hash: string; target: { mode: "login_only" | "jit_permissive" | "jit_advanced" | "scim_permissive" | "scim_advanced"; prefix: string; domains: (string)[]; mappings: ({ id: string; role: "primary_owner" | "owner" | "admin" | "auditor" | "user"; tier: string | null })[] }; summary: { gains: number; loses: number; raised: number; lowered: number }; madeBy: string; madeAt: string; appliedAt: string | null }>('provisioning.find_plan', 'GET', '/api/orgs/{org}/provisioning/plans/{plan}');

/** Lists whom a plan touches, those who lose access first. Needs member.read. */
export const listPlanLines = op<{ org: string; plan: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined; what?: "gains" | "loses" | "raised" | "lowered" | undefined } }, { items: ({ user: string; email: string; displayName: string; what: "gains" | "loses" | "raised" | "lowered"; from: "primary_owner" | "owner" | "admin" | "auditor" | "user" | null; to: "primary_owner" | "owner" | "admin" | "auditor" | "user" | null; atNextSignIn: boolean; because: ({ code: string; says: string })[] })[]; next: string | null }>('provisioning.list_plan_lines', 'GET', '/api/orgs/{org}/provisioning/plans/{plan}/people');

/** Gives whom a plan touches as CSV. Needs member.read. */
export const exportPlan = op<{ org: string; plan: string }, Response>('provisioning.export_plan', 'GET', '/api/orgs/{org}/provisioning/plans/{plan}/people.csv', true);

/** Applies a plan, if what it showed is still true. Needs directory.manage. */
export const applyPlan = op<{ org: string; plan: string; body: { hash: string; confirm?: string | undefined } }, { plan: string; changed: number; atNextSignIn: number }>('provisioning.apply_plan', 'POST', '/api/orgs/{org}/provisioning/plans/{plan}/apply');

/** Lists everybody whom provisioning knows, when an identity provider last stood behind them, and what the next sync would do. Needs member.read. */
export const listPeople = op<{ org: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined; drift?: "any" | "only" | undefined } }, { items: ({ user: string; email: string; displayName: string; account: "active" | "suspended"; role: "primary_owner" | "owner" | "admin" | "auditor" | "user" | null; source: "hand" | "directory" | "sign_in" | null; tier: string | null; directory: "absent" | "active" | "disabled" | "deleted"; lastAsserted: string | null; lastSignIn: string | null; seatSince: string | null; removed: { cause: "hand" | "directory" | "unmapped"; at: string } | null; breakGlass: boolean; held: boolean; drift: (string)[]; reasons: (string)[] })[]; next: string | null }>('provisioning.list_people', 'GET', '/api/orgs/{org}/provisioning/people');

/** Explains why a person is in or out, and what the next sign-in and the next sync would do. Needs member.read. */
export const explainPerson = op<{ org: string; user: string }, { user: string; email: string; displayName: string; account: "active" | "suspended"; role: "primary_owner" | "owner" | "admin" | "auditor" | "user" | null; source: "hand" | "directory" | "sign_in" | null; tier: string | null; directory: "absent" | "active" | "disabled" | "deleted"; lastAsserted: string | null; lastSignIn: string | null; seatSince: string | null; removed: { cause: "hand" | "directory" | "unmapped"; at: string } | null; breakGlass: boolean; held: boolean; mode: "login_only" | "jit_permissive" | "jit_advanced" | "scim_permissive" | "scim_advanced"; groups: (string)[]; signIn: { admit: boolean; role: "primary_owner" | "owner" | "admin" | "auditor" | "user" | null; seat: "none" | "unused" | "taken" | "refused"; effects: (string)[]; reasons: ({ code: string; says: string })[] }; sync: { admit: boolean; role: "primary_owner" | "owner" | "admin" | "auditor" | "user" | null; seat: "none" | "unused" | "taken" | "refused"; effects: (string)[]; reasons: ({ code: string; says: string })[] } }>('provisioning.explain_person', 'GET', '/api/orgs/{org}/provisioning/people/{user}');

/** Lists people whose removal the brake holds. Needs member.read. */
export const listHeld = op<{ org: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined } }, { items: ({ id: string; user: string; email: string; displayName: string; role: "primary_owner" | "owner" | "admin" | "auditor" | "user" | null; kind: "disabled" | "deleted" | "unmapped" | "lowered"; directory: string | null; group: string | null; groupName: string | null; at: string })[]; next: string | null }>('provisioning.list_held', 'GET', '/api/orgs/{org}/provisioning/held');

/** Lets held removals happen. Needs directory.manage. */
export const applyHeld = op<{ org: string; body: { removals: "all" | (string)[] } }, { count: number }>('provisioning.apply_held', 'POST', '/api/orgs/{org}/provisioning/held/apply');

/** Discards held removals and puts back what the directory had taken. Needs directory.manage. */
export const discardHeld = op<{ org: string; body: { removals: "all" | (string)[] } }, { count: number; entries: number; memberships: number }>('provisioning.discard_held', 'POST', '/api/orgs/{org}/provisioning/held/discard');

/** Lists who was removed and is not back. Needs member.read. */
export const listTombstones = op<{ org: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined } }, { items: ({ user: string; email: string; displayName: string; role: "primary_owner" | "owner" | "admin" | "auditor" | "user"; cause: "hand" | "directory" | "unmapped"; at: string })[]; next: string | null }>('provisioning.list_tombstones', 'GET', '/api/orgs/{org}/provisioning/removed');

/** Lets somebody who was removed come in again by the rules of the mode. Needs directory.manage. */
export const letInAgain = op<{ org: string; user: string }, void>('provisioning.let_in_again', 'DELETE', '/api/orgs/{org}/provisioning/removed/{user}');

/** Lists break-glass accounts, which no identity provider can change. Needs member.read. */
export const listExempt = op<{ org: string }, { items: ({ user: string; email: string; why: string; setBy: string; setAt: string })[]; next: string | null }>('provisioning.list_exempt', 'GET', '/api/orgs/{org}/provisioning/exempt');

/** Makes a member a break-glass account. Needs directory.manage. */
export const exemptPerson = op<{ org: string; user: string; body: { why: string } }, void>('provisioning.exempt_person', 'PUT', '/api/orgs/{org}/provisioning/exempt/{user}');

/** Ends that a member is a break-glass account. Needs directory.manage. */
export const endExemption = op<{ org: string; user: string }, void>('provisioning.end_exemption', 'DELETE', '/api/orgs/{org}/provisioning/exempt/{user}');

/** Lists people whom directory and sign-in name differently, with both sides and the repair. Needs member.read. */
export const diagnose = op<{ org: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined } }, { items: ({ entry: string; user: string | null; userName: string; mismatches: ({ code: "upn_not_mail" | "case_only" | "not_matched" | "subject_changed" | "address_differs" | "not_linked"; directory: string; signIn: string; says: string; fix: string; harm: "keeps_out" | "may_keep_out" | "harmless" })[] })[]; next: string | null }>('provisioning.diagnose', 'GET', '/api/orgs/{org}/provisioning/diagnostics');

/** Shows the limits of seats, how many are taken, and how many members have not taken theirs. Needs member.read. */
export const listSeats = op<{ org: string }, { items: ({ tier: string; seats: number; taken: number; left: number; waiting: number; says: string })[]; next: string | null }>('provisioning.list_seats', 'GET', '/api/orgs/{org}/provisioning/seats');

/** Sets how many seats there are: of one tier, or of the organization (`all`). Needs directory.manage. */
export const setSeats = op<{ org: string; tier: string; body: { seats: number } }, void>('provisioning.set_seats', 'PUT', '/api/orgs/{org}/provisioning/seats/{tier}');

/** Ends a limit of seats. Needs directory.manage. */
export const endSeatLimit = op<{ org: string; tier: string }, void>('provisioning.end_seat_limit', 'DELETE', '/api/orgs/{org}/provisioning/seats/{tier}');

/** Lists seats whose people have neither signed in nor called a tool for so many days. Needs member.read. */
export const listIdleSeats = op<{ org: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined; days?: number | undefined } }, { items: ({ user: string; email: string; displayName: string; role: "primary_owner" | "owner" | "admin" | "auditor" | "user"; tier: string | null; since: string; lastSignIn: string | null; lastCall: string | null })[]; next: string | null }>('provisioning.list_idle_seats', 'GET', '/api/orgs/{org}/provisioning/idle-seats');
