import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGmail } from '#dev/vendors/gmail.ts';
import { vendorFlow } from '#dev/vendor-flow.ts';
import { gmailManifest } from './manifest.ts';

test('Gmail goes all the way', (t) =>
  vendorFlow(t, {
    manifest: gmailManifest,
    open: startGmail,
    read: { tool: 'search_threads', args: { query: 'from:carl' }, says: /Angebot für Lampen/ },
    write: {
      tool: 'create_draft',
      args: { to: ['carl@customer.example'], subject: 'Lamps', body: 'Ten lamps' },
      says: /Draft written/,
      // oxlint-disable-next-line unicorn/no-thenable -- a part of a test, which nobody awaits
      then: (vendor) => assert.ok([...vendor.world.boxes.values()].some((b) => b.drafts.length > 0)),
    },
    accounts: [
      // The robot has a mailbox of its own, with nothing in it.
      { kind: 'service_account', actAs: 'organization', read: { says: /No thread fits/ } },
      { kind: 'service_account', actAs: 'organization_as_person' },
    ],
  }));
