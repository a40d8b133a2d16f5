import { test } from 'node:test';
import { startGitHub } from '#dev/vendors/github.ts';
import { vendorFlow } from '#dev/vendor-flow.ts';
import { github } from './manifest.ts';

test('GitHub goes all the way, for people and for an installation', (t) =>
  vendorFlow(t, {
    manifest: github,
    open: startGitHub,
    read: { tool: 'read_file', args: { repository: 'acme/website', path: 'src/index.ts' }, says: /port = 8080/ },
    write: {
      tool: 'create_issue',
      args: { repository: 'acme/website', title: 'Too slow', body: 'Measured.' },
      says: /Opened #\d+ in acme\/website/,
    },
    person: { ends: 28_800 },
  }));
