import { z } from 'zod';
import type { Access } from '#vault/vendor-auth.ts';
import type { BuiltinTool } from './builtin-tool.ts';
import type { Builtin } from './manifest.ts';

/** The tools that a connector offers, by name: the same order at every node and every time. A read-only one has nothing that writes. */
export const toolsOf = (builtin: Builtin, access: Access): readonly BuiltinTool[] =>
  builtin.tools
    .filter((t) => access === 'read_write' || t.class === 'read')
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** What MCP clients are told of a tool. Its pin covers all of it, so also what reading brings and whether it goes out. */
export type ToolDefinition = {
  name: string;
  title: string;
  description: string;
  inputSchema: Readonly<Record<string, unknown>>;
  annotations: { readOnlyHint: boolean; destructiveHint: boolean; openWorldHint: true };
  _meta: { 'gatehouse/brings': readonly string[]; 'gatehouse/outward': boolean };
};

const made = new WeakMap<BuiltinTool, ToolDefinition>();

export function definitionOf(t: BuiltinTool): ToolDefinition {
  const known = made.get(t);
  if (known) return known;
  const inputSchema = schemaOf(t.input);
  if (inputSchema['additionalProperties'] !== false) throw new Error(`the input of ${t.name} is not strict`);
  const definition: ToolDefinition = {
    name: t.name,
    title: t.title,
    description: t.description,
    inputSchema,
    annotations: { readOnlyHint: t.class === 'read', destructiveHint: t.class === 'destructive', openWorldHint: true },
    _meta: { 'gatehouse/brings': [...t.brings].sort(), 'gatehouse/outward': t.outward },
  };
  made.set(t, definition);
  return definition;
}

function schemaOf(input: BuiltinTool['input']): Readonly<Record<string, unknown>> {
  if ('stated' in input) return input.stated;
  const { $schema: _, ...schema } = z.toJSONSchema(input, { target: 'draft-2020-12', io: 'input' });
  return schema;
}
