// Written by `npm run gen` from the OpenAPI document. Do not edit.
import { op } from '../call.ts';

/** One page of the log, by position. Reading leaves an event. Needs audit.read. */
export const listEvents = op<{ org: string; query?: { log?: "org" | "parent" | undefined; before?: number | undefined; after?: number | undefined; limit?: number | undefined; type?: string | undefined; actor?: string | undefined; connector?: string | undefined; call?: string | undefined; text?: string | undefined } }, { log: string; size: number; events: ({ seq: number; id: string; at: string; type: string; says: string; actor: { kind: string; id?: string | undefined }; request: string; connector?: string | undefined; tool?: string | undefined; call?: string | undefined; resource?: string | undefined; disposition?: string | undefined; decisions?: (string)[] | undefined; data: Record<string, unknown> })[]; next: number | null }>('audit.list_events', 'GET', '/api/orgs/{org}/audit/events');

/** One event with the proof that it is in the log that the checkpoint was signed for. Reading leaves an event. Needs audit.read. */
export const getEvent = op<{ org: string; seq: string; query?: { log?: "org" | "parent" | undefined } }, { event: { seq: number; id: string; at: string; type: string; says: string; actor: { kind: string; id?: string | undefined }; request: string; connector?: string | undefined; tool?: string | undefined; call?: string | undefined; resource?: string | undefined; disposition?: string | undefined; decisions?: (string)[] | undefined; data: Record<string, unknown> }; entry: string; salt: string; proof: { checkpoint: string; size: number; hashes: (string)[] } | null }>('audit.get_event', 'GET', '/api/orgs/{org}/audit/events/{seq}');

/** The log up to its newest checkpoint, as JSONL that can be verified offline or as CSV. Leaves an event. Needs audit.export. */
export const exportLog = op<{ org: string; query?: { log?: "org" | "parent" | undefined; format?: "jsonl" | "csv" | undefined; from?: number | undefined } }, Response>('audit.export_log', 'GET', '/api/orgs/{org}/audit/export', true);

/** The key that checkpoints of this log are verified with. Keep a copy where we cannot change it. Needs audit.read. */
export const getKey = op<{ org: string; query?: { log?: "org" | "parent" | undefined } }, { log: string; origin: string; key: string }>('audit.get_key', 'GET', '/api/orgs/{org}/audit/key');

/** The newest signed statement of size and root. Whoever keeps it can prove later that nothing before it was changed. Needs audit.read. */
export const getCheckpoint = op<{ org: string; query?: { log?: "org" | "parent" | undefined } }, { log: string; size: number; at: string; checkpoint: string }>('audit.get_checkpoint', 'GET', '/api/orgs/{org}/audit/checkpoint');

/** Searches the log, newest first, with the names of whom it speaks of. By tool, resource or text a page looks at 20000 positions; follow next. Reading leaves an event. Needs audit.read. */
export const searchEvents = op<{ org: string; query?: { log?: "org" | "parent" | undefined; type?: string | undefined; actor?: string | undefined; outcome?: string | undefined; connector?: string | undefined; tool?: string | undefined; call?: string | undefined; request?: string | undefined; resource?: string | undefined; text?: string | undefined; since?: string | undefined; until?: string | undefined; before?: number | undefined; limit?: number | undefined } }, { log: string; size: number; events: ({ seq: number; id: string; at: string; type: string; says: string; actor: { kind: string; id?: string | undefined }; request: string; connector?: string | undefined; tool?: string | undefined; call?: string | undefined; resource?: string | undefined; disposition?: string | undefined; decisions?: (string)[] | undefined; data: Record<string, unknown> })[]; names: Record<string, string>; next: number | null }>('audit.search_events', 'GET', '/api/orgs/{org}/audit/search');

/** Counts what fits, exactly up to 100000, and when it was. Reading leaves an event. Needs audit.read. */
export const countEvents = op<{ org: string; query?: { log?: "org" | "parent" | undefined; type?: string | undefined; actor?: string | undefined; outcome?: string | undefined; connector?: string | undefined; tool?: string | undefined; call?: string | undefined; request?: string | undefined; resource?: string | undefined; text?: string | undefined; since?: string | undefined; until?: string | undefined } }, { size: number; found: { count: number; exact: boolean; since: number }; picture: { from: string; to: string; intervals: ({ at: string; count: number; odd: number })[] } | null }>('audit.count_events', 'GET', '/api/orgs/{org}/audit/totals');

/** Lists signed checkpoints, the largest first; before is a size. Needs audit.read. */
export const listCheckpoints = op<{ org: string; query?: { log?: "org" | "parent" | undefined; limit?: number | undefined; cursor?: number | undefined } }, { items: ({ size: number; at: string; checkpoint: string })[]; next: string | null }>('audit.list_checkpoints', 'GET', '/api/orgs/{org}/audit/checkpoints');

/** Proves that the log of one checkpoint begins with that of an earlier one (RFC 9162 consistency). Needs audit.read. */
export const proveGrowth = op<{ org: string; query: { log?: "org" | "parent" | undefined; from: number; to: number } }, { from: string; to: string; hashes: (string)[] }>('audit.prove_growth', 'GET', '/api/orgs/{org}/audit/growth');
