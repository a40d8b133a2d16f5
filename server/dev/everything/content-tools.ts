import { setTimeout as sleep } from 'node:timers/promises';
import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { progressTokenOf } from '../mcp-context.ts';
import { answer, image, text, WAV } from './samples.ts';

/** What a tool of the fixture may do to the server as a whole. */
export type Hooks = { toolsChanged(): void; promptsChanged(): void };

/** Keywords of JSON Schema 2020-12 that a server, or whoever stands in front of it, must hand on as they are. */
const SCHEMA_2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object' as const,
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

/** A parameter that clients of 2026-07-28 also send as `Mcp-Param-Region`, so that whoever routes need not read the body. */
const WITH_HEADER = {
  type: 'object' as const,
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, note: { type: 'string' } },
  required: ['region'],
};

/** Tools that answer at once: every kind of content, schemas, headers, failures. */
export function addContentTools(server: McpServer, hooks: Hooks): void {
  server.registerTool('test_simple_text', { description: 'Answers with text.' }, () =>
    answer('This is a simple text response for testing.'),
  );
  server.registerTool('test_image_content', { description: 'Answers with an image.' }, () => ({ content: [image] }));
  server.registerTool('test_audio_content', { description: 'Answers with a recording.' }, () => ({
    content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }],
  }));
  server.registerTool('test_embedded_resource', { description: 'Answers with a resource inside.' }, () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  }));
  server.registerTool('test_multiple_content_types', { description: 'Answers with text, image and resource.' }, () => ({
    content: [
      text('Multiple content types test:'),
      image,
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  }));
  server.registerTool('test_error_handling', { description: 'Always fails.' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Has an input schema of many keywords.', inputSchema: fromJsonSchema(SCHEMA_2020) },
    (args) => answer(`given: ${JSON.stringify(args)}`),
  );
  server.registerTool(
    'test_header_parameter',
    {
      description: 'Has a parameter that is also sent as a header.',
      inputSchema: fromJsonSchema<{ region: string; note?: string }>(WITH_HEADER),
    },
    ({ region }) => answer(`region: ${region}`),
  );
  server.registerTool('test_trigger_tool_change', { description: 'Says that the list of tools changed.' }, () => {
    hooks.toolsChanged();
    return answer('said so');
  });
  server.registerTool('test_trigger_prompt_change', { description: 'Says that the list of prompts changed.' }, () => {
    hooks.promptsChanged();
    return answer('said so');
  });
}

/** Tools that say something before they answer. */
export function addStreamingTools(server: McpServer): void {
  server.registerTool('test_tool_with_logging', { description: 'Logs three times.' }, async (ctx) => {
    await ctx.mcpReq.log('info', 'Tool execution started');
    await sleep(50);
    await ctx.mcpReq.log('info', 'Tool processing data');
    await sleep(50);
    await ctx.mcpReq.log('info', 'Tool execution completed');
    return answer('logged three times');
  });
  server.registerTool('test_logging_tool', { description: 'Logs once, if the client asked for logs.' }, async (ctx) => {
    await ctx.mcpReq.log('info', 'something happened');
    return answer('logged');
  });
  server.registerTool('test_tool_with_progress', { description: 'Reports progress three times.' }, async (ctx) => {
    const progressToken = progressTokenOf(ctx);
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined)
        await ctx.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 100, message: `${progress} of 100` },
        });
      if (progress < 100) await sleep(50);
    }
    return answer('done');
  });
  server.registerTool(
    'test_reconnection',
    { description: 'Closes its stream in the middle, so that the client comes back for the answer.' },
    async (ctx) => {
      ctx.http?.closeSSE?.();
      await sleep(100);
      return answer('The answer came after the stream was closed.');
    },
  );
  server.registerTool(
    'test_slow',
    {
      description: 'Answers after a while, unless it is cancelled.',
      inputSchema: z.object({ ms: z.number().int().min(0).max(60_000) }),
    },
    async ({ ms }, ctx) => {
      await sleep(ms, undefined, { signal: ctx.mcpReq.signal });
      return answer(`waited ${ms} ms`);
    },
  );
}
