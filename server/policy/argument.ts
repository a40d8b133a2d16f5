import { z } from 'zod';

/**
 * What an argument of a tool means to rules and to people who approve. A reviewer says it once per tool; nothing that an agent or an upstream
 * writes can. `amount` is a number; every other kind is text.
 */
export const argumentKinds = ['path', 'repository', 'folder', 'channel', 'recipient', 'amount', 'url', 'text'] as const;
export type ArgumentKind = (typeof argumentKinds)[number];

/**
 * Where values of a kind stand in a tool's arguments: an RFC 6901 JSON Pointer, in which a segment `*` means every item of an array (or every
 * value of an object), e.g. `/message/to/*`.
 */
export const ArgumentPlace = z.strictObject({
  kind: z.enum(argumentKinds),
  at: z
    .string()
    .max(300)
    .regex(/^(?:\/(?:[^~/]|~[01])*)+$/, 'expected a JSON Pointer like /to or /files/*/path'),
});
export type ArgumentPlace = z.infer<typeof ArgumentPlace>;

/** What rules and approvers see of a tool's arguments, as its reviewer has said; at most 40 places. */
export const Projection = z.array(ArgumentPlace).max(40);
export type Projection = readonly ArgumentPlace[];
