// Written by `npm run gen` from the OpenAPI document. Do not edit.
import { op } from '../call.ts';

/** Server-sent events that name the rooms in which something changed, of those that the caller may read. Comes back where it was with Last-Event-ID. Needs org.read. */
export const watchChanges = op<{ org: string }, Response>('start.watch_changes', 'GET', '/api/orgs/{org}/live', true);

/** Shows what is set up, what needs a person now and where it is repaired, and what is in order, of the rooms that the caller may read. Needs org.read. */
export const readStart = op<{ org: string }, { at: string; steps: ({ code: string; name: string; done: boolean; says: string; at: string | null; by: string | null; act: string; page: string })[]; needs: ({ code: string; urgency: "held" | "broken" | "breaks" | "know"; says: string; more: string; count: number; since: string | null; until: string | null; act: string; page: string })[]; fine: ({ says: string; more: string; at: string | null })[]; unseen: (string)[] }>('start.read_start', 'GET', '/api/orgs/{org}/start');

/** Counts what waits for a decision, by room, of what the caller may read. Needs org.read. */
export const countWaiting = op<{ org: string }, { rooms: ({ room: string; count: number })[] }>('start.count_waiting', 'GET', '/api/orgs/{org}/waiting');
