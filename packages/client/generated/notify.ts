// Written by `npm run gen` from the OpenAPI document. Do not edit.
import { op } from '../call.ts';

/** Lists mails to members, newest first: to whom, about what, whether it was sent and why not. The words are not kept. Needs member.read. */
export const listMessages = op<{ org: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined; state?: "queued" | "sent" | "not_sent" | undefined } }, { items: ({ id: string; user: string; email: string | null; kind: string; state: "queued" | "sent" | "not_sent"; why: { code: "no_smtp" | "too_many" | "no_address" | "suspended" | "gone" | "outdated" | "refused" | "given_up"; says: string } | null; attempts: number; createdAt: string; settledAt: string | null })[]; next: string | null }>('notify.list_messages', 'GET', '/api/orgs/{org}/messages');
