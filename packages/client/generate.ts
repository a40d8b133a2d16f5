import { sampleOf } from './sample.ts';

/** What the generator reads of an OpenAPI 3.1 document: our own, so its forms are known. */
export type Schema = {
  format?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema | boolean;
  prefixItems?: Schema[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  $ref?: string;
  $defs?: Record<string, Schema>;
  description?: string;
};
type Described = {
  operationId: string;
  summary: string;
  'x-permission': string;
  parameters: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
};
export type Document = { paths: Record<string, Record<string, Described>> };

const key = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
const union = (parts: readonly string[]): string => {
  const all = [...new Set(parts)];
  return all.length === 0 ? 'never' : all.join(' | ');
};

/** The TypeScript type of a schema, on one line. References into a schema's own `$defs` recurse rarely; they become `unknown`. */
export function typeOf(s: Schema | boolean | undefined): string {
  if (s === undefined || typeof s === 'boolean') return 'unknown';
  if (s.const !== undefined) return JSON.stringify(s.const);
  if (s.enum) return union(s.enum.map((v) => JSON.stringify(v)));
  const choice = s.anyOf ?? s.oneOf;
  if (choice) return union(choice.map(typeOf));
  if (s.allOf) return s.allOf.map((part) => `(${typeOf(part)})`).join(' & ');
  if (Array.isArray(s.type)) return union(s.type.map((type) => typeOf({ ...s, type })));
  switch (s.type) {
    case 'string':
      return 'string';
    case 'number':
    case 'integer':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array':
      return s.prefixItems ? `[${s.prefixItems.map(typeOf).join(', ')}]` : `(${typeOf(s.items)})[]`;
    case 'object':
      return objectOf(s);
    case undefined:
    default:
      return 'unknown';
  }
}

function objectOf(s: Schema): string {
  const needed = new Set(s.required);
  const fields = Object.entries(s.properties ?? {}).map(
    ([name, shape]) =>
      `${key(name)}${needed.has(name) ? '' : '?'}: ${typeOf(shape)}${needed.has(name) ? '' : ' | undefined'}`,
  );
  if (fields.length > 0) return `{ ${fields.join('; ')} }`;
  return typeof s.additionalProperties === 'object'
    ? `Record<string, ${typeOf(s.additionalProperties)}>`
    : 'Record<string, unknown>';
}

const camel = (words: string): string => words.replaceAll(/_(\w)/g, (_, c: string) => c.toUpperCase());
const reserved = new Set(['delete', 'export', 'import', 'new', 'try', 'return', 'switch', 'default', 'void', 'with']);

/** The name of an operation in its room's file; a word that the language keeps for itself gets the room behind it (`exportConnections`). */
const nameOf = (room: string, name: string): string => camel(reserved.has(name) ? `${name}_${room}` : name);

function inputOf(d: Described): string {
  const path = d.parameters.filter((p) => p.in === 'path').map((p) => `${key(p.name)}: string`);
  const queries = d.parameters.filter((p) => p.in === 'query');
  const query = queries.map(
    (p) =>
      `${key(p.name)}${p.required && !('default' in p.schema) ? '' : '?'}: ${typeOf(p.schema)}${p.required ? '' : ' | undefined'}`,
  );
  const must = queries.some((p) => p.required);
  const body = d.requestBody?.content['application/json'];
  const parts = [
    ...path,
    ...(query.length > 0 ? [`query${must ? '' : '?'}: { ${query.join('; ')} }`] : []),
    ...(body ? [`body: ${typeOf(body.schema)}`] : []),
  ];
  return parts.length > 0 ? `{ ${parts.join('; ')} }` : 'Record<string, never>';
}

function outputOf(d: Described): string {
  const [status, answer] = Object.entries(d.responses).find(([code]) => code.startsWith('2')) ?? [];
  const content = answer?.content && Object.values(answer.content)[0];
  if (content) return typeOf(content.schema);
  return status === '204' ? 'void' : 'Response';
}

/**
 * The client of the API, written from its OpenAPI document: one file for each room, one value for each operation. By the file's name.
 * Only what is below `/api` is called by programs of ours.
 */
export function generateClient(document: Document): Record<string, string> {
  const rooms = new Map<string, string[]>();
  for (const [path, methods] of Object.entries(document.paths)) {
    if (!path.startsWith('/api/')) continue;
    for (const [method, d] of Object.entries(methods)) {
      const [room = '', name = ''] = d.operationId.split('.');
      const output = outputOf(d);
      const raw = output === 'Response' ? ', true' : '';
      rooms.set(room, [
        ...(rooms.get(room) ?? []),
        `/** ${d.summary} Needs ${d['x-permission']}. */\nexport const ${nameOf(room, name)} = op<${inputOf(d)}, ${output}>('${d.operationId}', '${method.toUpperCase()}', '${path}'${raw});\n`,
      ]);
    }
  }
  const head = (body: string): string =>
    `// Written by \`npm run gen\` from the OpenAPI document. Do not edit.\nimport { op } from '../call.ts';\n\n${body}`;
  return Object.fromEntries([...rooms].map(([room, ops]) => [`${room}.ts`, head(ops.join('\n'))]));
}

/** What the mock server answers: by method and path, the status and a body that the reply's schema allows (none: a stream or a file). */
export type MockAnswer = { status: number; body?: unknown };

/** The handlers of the mock server, written from the same document: an operation that is not declared has none. */
export function generateMock(document: Document): string {
  const answers: Record<string, MockAnswer> = {};
  for (const [path, methods] of Object.entries(document.paths)) {
    if (!path.startsWith('/api/')) continue;
    for (const [method, d] of Object.entries(methods)) {
      const [status, answer] = Object.entries(d.responses).find(([code]) => code.startsWith('2')) ?? ['200', {}];
      const content = answer.content && Object.values(answer.content)[0];
      answers[`${method.toUpperCase()} ${path}`] = {
        status: Number(status),
        ...(content ? { body: sampleOf(content.schema) } : {}),
      };
    }
  }
  return `${JSON.stringify(answers, null, 1)}\n`;
}
