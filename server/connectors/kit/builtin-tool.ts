import type { z } from 'zod';
import type { Projection } from '#policy/argument.ts';
import type { ToolClass } from '#policy/schema.ts';
import type { ActAs, Person, Settings } from '#vault/vendor-auth.ts';
import type { VendorClient } from './vendor-client.ts';

/** One tool on a vendor's REST API. It is ours, so its review is part of it; an administrator may still close it or give another class. */
export type BuiltinTool = {
  /** `search_files`. */
  name: string;
  title: string;
  /** What it does and when to use it, in plain words for a model; says limits and units. */
  description: string;
  /** Strict object; becomes the tool's input schema, with the descriptions of its members. Or a schema of its own and who judges by it. */
  input: z.ZodObject | StatedInput;
  class: ToolClass;
  /** What rules and approvers see of the arguments. */
  projection: Projection;
  /** Scopes at the vendor, any of which it needs; none: whatever the connection has does. */
  scopes: readonly string[];
  /**
   * What reading it brings into a session: `untrusted` text that outsiders can have written, `private` content of the organization. An outward
   * action after both needs a yes.
   */
  brings: readonly ('untrusted' | 'private')[];
  /** Whether it can carry content out of the organization, or to many: sending, sharing, posting. */
  outward: boolean;
  /** `args` fit `input`. A `VendorRefusal` or a Problem becomes an error that the model can read. */
  run(call: BuiltinCall, args: never): Promise<ToolAnswer>;
};

/** Arguments by a JSON Schema that somebody else wrote. */
export type StatedInput = {
  stated: Readonly<Record<string, unknown>>;
  safeParse(
    args: unknown,
  ):
    | { success: true; data: unknown }
    | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };
};

/** Keeps a tool's arguments and its schema of one type. */
export function builtinTool<S extends z.ZodObject>(
  t: Omit<BuiltinTool, 'input' | 'run'> & { input: S; run(call: BuiltinCall, args: z.output<S>): Promise<ToolAnswer> },
): BuiltinTool {
  return t;
}

export type BuiltinCall = {
  vendor: VendorClient;
  settings: Settings;
  actAs: ActAs;
  /** Who calls, as Gatehouse knows. Whom a tool acts for or sees comes from here, never from arguments. */
  person: Person;
  now: Date;
  signal: AbortSignal;
};

/** MCP content. Texts that outsiders can have written are given as they are; that they are untrusted is said by the tool's `brings`. */
export type ToolAnswer = {
  content: readonly (
    | { type: 'text'; text: string }
    | { type: 'image'; data: string; mimeType: string }
    | { type: 'resource_link'; uri: string; name: string; mimeType?: string }
  )[];
  structuredContent?: Readonly<Record<string, unknown>>;
  isError?: true;
};
