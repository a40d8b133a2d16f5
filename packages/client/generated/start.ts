// Written by `npm run gen` from the OpenAPI document. Do not edit.
import { op } from '../call.ts';

/** Server-sent events that name the rooms in which something changed, of those that the caller may read. Comes back where it was with Last-Event-ID. Needs org.read. */
export const watchChanges = op<{ org: string }, Response>('start.watch_changes', 'GET', '/api/orgs/{org}/live', true);
