import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGoogleDrive } from '#dev/vendors/google-drive.ts';
import { vendorFlow } from '#dev/vendor-flow.ts';
import { googleDriveManifest } from './manifest.ts';

test('Google Drive goes all the way', (t) =>
  vendorFlow(t, {
    manifest: googleDriveManifest,
    open: startGoogleDrive,
    read: { tool: 'read_file', args: { file_id: 'textQuote' }, says: /Quote for 10 lamps/ },
    write: {
      tool: 'create_file',
      args: { name: 'reply.txt', content: 'Ten lamps', folder_id: 'folderSales' },
      says: /Created: reply\.txt/,
      // oxlint-disable-next-line unicorn/no-thenable -- a part of a test, which nobody awaits
      then: (vendor) =>
        assert.ok(
          [...vendor.world.files.values()].some((f) => f.name === 'reply.txt' && f.parents[0] === 'folderSales'),
        ),
    },
  }));
