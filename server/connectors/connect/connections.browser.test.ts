import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { chromium, type Browser, type Page } from 'playwright-core';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { plainManifest } from '#dev/vendors/plain-manifest.ts';
import { plainVendor, type PlainVendor } from '#dev/vendors/plain-vendor.ts';
import { createSetupLink } from '#identity/create-setup-link.ts';
import { enterOrg } from '#identity/gate.ts';
import { newId, type Id } from '#kernel/id.ts';
import { assets } from '#kernel/page-assets.ts';
import type { Manifest } from '../kit/manifest.ts';
import { appOperations } from './app.http.ts';
import { connectionPages } from './connections.http.ts';

/** The way of a person to a vendor and back, in a real browser that runs no script of ours. */
const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((p) => existsSync(p));
const skip = executable === undefined ? 'no Chromium on this machine (Debian package chromium)' : false;

let h: DoorHouse;
let vendor: PlainVendor;
let chrome: Browser;
before(async () => {
  if (skip) return;
  vendor = await plainVendor({ refreshExpiresIn: 30 * 86_400, rotation: 'replaced' });
  const manifest = plainManifest({ rotation: 'replaced' });
  const vendorOf = (type: string): Manifest | undefined => (type === 'plain' ? manifest : undefined);
  h = await doorHouse({
    operations: appOperations({ vendorOf }),
    pages: connectionPages({ vendorOf, enter: (ctx, org) => enterOrg(ctx, org, 'connector.read') }),
  });
  chrome = await chromium.launch({
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
});
after(async () => {
  if (skip) return;
  await chrome.close();
  await h[Symbol.asyncDispose]();
  await vendor.close();
});

async function connector(name: string, o: { access?: string; actAs?: string } = {}): Promise<Id<'con'>> {
  const id = newId('con');
  await h.t.super(
    `insert into connector (org, id, slug, name, url, state, created_at, type, mode, act_as, access, settings, origins, origins_private)
     values ($1, $2, $3, $4, 'https://plain.example', 'on', now(), 'plain', 'builtin', $5, $6, $7, $8, true)`,
    h.acme.org,
    id,
    name.toLowerCase().replaceAll(/[^a-z]+/g, '-'),
    name,
    o.actAs ?? 'person',
    o.access ?? 'read_write',
    JSON.stringify(vendor.settings),
    JSON.stringify(vendor.origins),
  );
  vendor.registerRedirect(`${h.origin}/connections/callback/${id}`);
  const { clientId, clientSecret } = vendor.app;
  const r = await h.api('PUT', `/orgs/${h.acme.org}/connectors/${id}/app`, { clientId, clientSecret });
  assert.equal(r.status, 200, r.text);
  return id;
}

async function sit(width: number, colorScheme: 'light' | 'dark'): Promise<{ page: Page; complaints: string[] }> {
  const context = await chrome.newContext({
    viewport: { width, height: width < 500 ? 844 : 900 },
    colorScheme,
    javaScriptEnabled: false,
  });
  await context.route(/\/assets\/|favicon/, (route) => {
    const file = assets[new URL(route.request().url()).pathname];
    return file ? route.fulfill({ contentType: file.type, body: file.body }) : route.abort();
  });
  const page = await context.newPage();
  page.setDefaultTimeout(180_000);
  page.setDefaultNavigationTimeout(180_000);
  const complaints: string[] = [];
  page.on('console', (m) => void (m.type() === 'error' && complaints.push(m.text())));
  await page.goto((await createSetupLink({ ...h.ctx, now: h.world.now() }, h.acme.owner)).url);
  await page.getByRole('button', { name: /Sign in as/ }).click();
  await page.waitForURL(`${h.origin}/`);
  return { page, complaints };
}
const shot = async (page: Page, name: string): Promise<void> => {
  const folder = process.env['GATEHOUSE_SHOTS'];
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
};

for (const [width, scheme] of [
  [1280, 'light'],
  [360, 'dark'],
] as const)
  test(
    `a person connects, sees how it stands and ends it without a script, ${width} px, ${scheme}`,
    { skip },
    async () => {
      const drive = await connector(`Drive ${scheme}`);
      await connector(`Notes ${scheme}`);
      await connector(`Shared wiki ${scheme}`, { actAs: 'organization' });
      const { page, complaints } = await sit(width, scheme);
      await page.goto(`${h.origin}/connections`);
      await shot(page, `connections-${scheme}-${width}-none`);
      await page.getByRole('link', { name: `Connect Drive ${scheme}` }).click();
      await page.waitForURL(`${h.origin}/connections/start/${drive}`);
      await shot(page, `connections-${scheme}-${width}-start`);
      // The page leads on by itself; without its button being pressed, through the vendor and back.
      await page.getByRole('button', { name: 'Connect to read', exact: true }).click();
      await page.waitForURL(/\/connections\?done=/);
      const text = await page.locator('main').innerText();
      assert.match(text, /is connected as ada@acme\.example/);
      await shot(page, `connections-${scheme}-${width}-connected`);
      await page.getByRole('link', { name: 'Let it write, too' }).click();
      await page.getByRole('button', { name: 'Connect to read and write' }).click();
      await page.waitForURL(/\/connections\?done=/);
      await page.goto(`${h.origin}/connections`);
      assert.match(await page.locator('main').innerText(), /read and write/);

      await h.t.super(
        `update connection set state = 'reconnect', why = 'invalid_grant' where connector = $1 and ended_at is null`,
        drive,
      );
      await page.goto(`${h.origin}/connections`);
      await shot(page, `connections-${scheme}-${width}-ended`);
      const wide = await page
        .evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
        .catch(() => 0);
      assert.equal(wide, 0, 'nothing is wider than the screen');
      await page.getByRole('button', { name: 'Disconnect' }).click();
      await page.waitForURL(/\/connections\?ended=/);
      assert.equal(await page.getByRole('button', { name: 'Disconnect' }).count(), 0);

      vendor.visitor.account = 'mallory';
      await page.goto(`${h.origin}/connections/start/${drive}`);
      await page.getByRole('button', { name: 'Connect to read', exact: true }).click();
      await page.getByRole('heading', { name: /was not connected/ }).waitFor();
      await shot(page, `connections-${scheme}-${width}-refused`);
      vendor.visitor.account = 'ada';
      // The answer of 403 is what the browser itself remarks on.
      assert.deepEqual(
        complaints.filter((c) => !c.includes('403')),
        [],
      );
    },
  );
