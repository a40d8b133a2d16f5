import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOMAIN } from '#dev/vendors/microsoft-world.ts';
import { startMicrosoft } from '#dev/vendors/microsoft.ts';
import { vendorFlow } from '#dev/vendor-flow.ts';
import { outlook } from './manifest.ts';

test('Outlook goes all the way, for persons and for the organization in the name of a person', async (t) => {
  const vendor = await startMicrosoft();
  await vendorFlow(t, {
    manifest: outlook,
    open() {
      // Entra itself would stop the others before they come to us.
      vendor.lenient = true;
      vendor.registration.roles = new Set(['Mail.ReadWrite', 'Mail.Send', 'Calendars.ReadWrite']);
      return Promise.resolve(vendor);
    },
    read: { tool: 'search_messages', args: { text: 'lamps' }, says: /Budget plan/ },
    write: {
      tool: 'send_message',
      args: { to: ['grace@partner.example'], subject: 'Re: Budget plan', text: 'Fine with me.' },
      says: /Sent to grace@partner\.example/,
    },
    // Entra's tokens end after 60 to 90 minutes.
    person: { ends: 5400 },
    accounts: (['entra_certificate', 'entra_secret'] as const).map((kind) => ({
      kind,
      actAs: 'organization_as_person' as const,
      ends: 3600,
    })),
  });
  assert.deepEqual(
    vendor.world.sent.map((m) => [m.mailbox, ...m.to]),
    [1, 2, 3].map(() => [`ada@${DOMAIN}`, 'grace@partner.example']),
  );
});
