import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noChromium, startChromium } from '@gatehouse/server/dev/chromium.ts';
import { startMock } from '@gatehouse/portal/mock.ts';

test('the portal runs on sample answers, with no server of ours', { skip: noChromium }, async () => {
  const mock = await startMock(0);
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    const broken: string[] = [];
    page.on('pageerror', (e) => broken.push(e.message));
    await page.goto(`${mock.origin}/portal/org/mine`);
    await page.getByRole('heading', { level: 1, name: 'Mine' }).waitFor();
    assert.ok((await page.getByRole('navigation', { name: 'Rooms' }).getByRole('link').count()) > 5);
    assert.deepEqual(broken, []);
    const nothing = await fetch(`${mock.origin}/api/nothing`);
    assert.equal(nothing.status, 404);
    assert.equal(((await nothing.json()) as { code: string }).code, 'mock/no-such-operation');
  } finally {
    await browser.close();
    await mock.stop();
  }
});
