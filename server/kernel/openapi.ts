import { z } from 'zod';
import type { Door, Operation } from './operation.ts';

type Json = Record<string, unknown>;

/** JSON Schema 2020-12 of a zod schema, as OpenAPI 3.1 wants it; what JSON cannot say (a transform) is described by its input. */
const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
};

const parameters = (where: 'path' | 'query', schema: z.ZodType): Json[] => {
  const s = schemaOf(schema, 'input');
  const properties = Object.entries((s['properties'] ?? {}) as Record<string, Json>);
  const required = new Set((s['required'] ?? []) as string[]);
  return properties.map(([name, shape]) => ({
    name,
    in: where,
    required: where === 'path' || required.has(name),
    schema: shape,
  }));
};

function described(op: Operation, type: string): Json {
  const body = op.body && {
    requestBody: { required: true, content: { 'application/json': { schema: schemaOf(op.body, 'input') } } },
  };
  const success =
    op.reply && op.status !== 204
      ? { description: 'Done', content: { [type]: { schema: schemaOf(op.reply, 'output') } } }
      : { description: op.status === 204 ? 'Done; no content' : 'A page, a redirect or a stream' };
  return {
    operationId: op.id,
    summary: op.says,
    'x-permission': op.can,
    ...(op.can === 'public' ? { security: [] } : {}),
    parameters: [...parameters('path', op.params), ...parameters('query', op.query)],
    ...body,
    responses: {
      [String(op.status)]: success,
      default: {
        description: 'A refusal: what was found, what was expected, what to do next',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

/** The OpenAPI 3.1 document of some doors. */
export function openApi(doors: readonly Pick<Door, 'prefix' | 'operations'>[], origin: string, version: string): Json {
  const paths: Record<string, Json> = {};
  for (const door of doors)
    for (const op of door.operations) {
      const [method = 'GET', path = ''] = op.at.split(' ');
      const full = (door.prefix + (path === '/' ? '' : path) || '/').replaceAll(/:(\w+)(?:\{[^}]*\})?/g, '{$1}');
      paths[full] = {
        ...paths[full],
        [method.toLowerCase()]: described(
          op,
          door.prefix.startsWith('/scim') ? 'application/scim+json' : 'application/json',
        ),
      };
    }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gatehouse',
      version,
      description:
        'Who may use which tool, who must say yes, and proof of what happened. Every refusal has a stable `code`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: origin }],
    security: [{ key: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key (ghk_…), a directory token (ghs_…) at /scim, or an access token of ours at /mcp.',
        },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-gatehouse' },
      },
      schemas: {
        Problem: {
          type: 'object',
          description: 'RFC 9457 problem details.',
          required: ['type', 'title', 'status', 'code', 'detail', 'request'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            code: { type: 'string', description: 'Stable for ever; docs/generated/codes.md lists all.' },
            detail: { type: 'string', description: 'What was found and what was expected.' },
            fix: { type: 'string', description: 'What to do next.' },
            request: { type: 'string', description: 'Quote this to whoever runs the deployment.' },
          },
        },
      },
    },
  };
}
