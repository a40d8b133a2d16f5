import { test } from 'node:test';
import assert from 'node:assert/strict';
import { vendorFlow } from '#dev/vendor-flow.ts';
import { notionId } from '#dev/vendors/notion-world.ts';
import { startNotion } from '#dev/vendors/notion.ts';
import { notionManifest } from './manifest.ts';

test('Notion goes all the way, with refresh tokens that work once', (t) =>
  vendorFlow(t, {
    manifest: notionManifest,
    open: startNotion,
    read: { tool: 'read_page', args: { id: notionId('page', 1) }, says: /# Handbook/ },
    write: {
      tool: 'append_blocks',
      args: { page: notionId('page', 2), markdown: 'Written by an agent' },
      says: /added 1 blocks to Travel/,
      then: (vendor) => assert.equal(vendor.world.blocks.at(-1)!.type, 'paragraph'),
    },
    accounts: [{ kind: 'static_token', actAs: 'organization', ends: null }],
  }));
