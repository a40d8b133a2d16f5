import { GraphSays } from './microsoft-graph.ts';

/** What mail and calendars have in common. */
export const DENIED = 'ErrorAccessDenied';

export const missing = (): GraphSays =>
  new GraphSays(404, 'ErrorItemNotFound', 'The specified object was not found in the store.');

export const addresses = (v: unknown): string[] =>
  (Array.isArray(v) ? v : []).map((x: { emailAddress?: { address?: string } }) => {
    const a = x.emailAddress?.address ?? '';
    if (!/^[^@\s]+@[^@\s]+$/.test(a))
      throw new GraphSays(400, 'ErrorInvalidRecipients', 'At least one recipient is not valid.');
    return a;
  });
