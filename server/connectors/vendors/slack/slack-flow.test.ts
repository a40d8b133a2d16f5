import { test } from 'node:test';
import assert from 'node:assert/strict';
import { vendorFlow } from '#dev/vendor-flow.ts';
import { startSlack } from '#dev/vendors/slack.ts';
import { slackManifest } from './manifest.ts';

for (const rotation of [true, false])
  test(`Slack goes all the way, with tokens that ${rotation ? 'end after 12 hours' : 'have no end'}`, (t) =>
    vendorFlow(t, {
      manifest: slackManifest,
      open: async () => Object.assign(await startSlack(), { rotation }),
      read: { tool: 'read_channel', args: { channel: '#general' }, says: /Who has the figures/ },
      write: {
        tool: 'post_message',
        args: { channel: 'general', text: 'hello <!channel>' },
        says: /posted in #general/,
        then: (vendor) => {
          assert.equal(vendor.world.channels[0]!.messages.at(-1)!.text, 'hello @channel');
          assert.deepEqual(vendor.world.alarmed, []);
        },
      },
      person: { ends: rotation ? 12 * 3600 : null },
      accounts: [{ kind: 'static_token', actAs: 'organization', ends: null }],
    }));
