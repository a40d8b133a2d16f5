import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((p) => existsSync(p));

/** Why tests with a real browser are skipped on this machine; false where they run. */
export const noChromium = executable === undefined ? 'no Chromium on this machine (Debian package chromium)' : false;

/** Debian's Chromium without a screen, and without what it asks of the world when it starts. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: executable ?? '',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
