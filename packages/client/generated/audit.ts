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
