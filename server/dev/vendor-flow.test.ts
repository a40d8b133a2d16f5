import { test } from 'node:test';
import { z } from 'zod';
import { builtinTool } from '#connectors/kit/builtin-tool.ts';
import type { Manifest } from '#connectors/kit/manifest.ts';
import { vendorFlow } from './vendor-flow.ts';
import { plainManifest } from './vendors/plain-manifest.ts';
import { plainVendor } from './vendors/plain-vendor.ts';

const plain = {
  title: 'Me',
  description: 'Says who asks.',
  projection: [],
  input: z.strictObject({}),
  outward: false,
} as const;
const ask = (method: 'GET' | 'POST') => async (c: Parameters<ReturnType<typeof builtinTool>['run']>[0]) => ({
  content: [{ type: 'text' as const, text: (await c.vendor.send({ method, path: '/me' })).bytes.toString() }],
});
const manifest: Manifest = {
  ...plainManifest({ rotation: 'single_use' }),
  builtin: {
    version: '1',
    tools: [
      builtinTool({
        ...plain,
        name: 'who_am_i',
        class: 'read',
        brings: ['private'],
        scopes: ['read'],
        run: ask('GET'),
      }),
      builtinTool({ ...plain, name: 'write_me', class: 'write', brings: [], scopes: ['write'], run: ask('POST') }),
    ],
  },
};

test('a vendor with nothing particular goes all the way', (t) =>
  vendorFlow(t, {
    manifest,
    open: () => plainVendor({ rotation: 'single_use' }),
    read: { tool: 'who_am_i', says: /id-ada/ },
    write: { tool: 'write_me', says: /id-ada/ },
    accounts: [
      { kind: 'service_account', actAs: 'organization', read: { says: /id-service/ }, write: { says: /id-service/ } },
      { kind: 'service_account', actAs: 'organization_as_person' },
    ],
  }));
