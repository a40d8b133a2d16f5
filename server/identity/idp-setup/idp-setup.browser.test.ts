import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { chromium, type Browser as Chromium, type Page } from 'playwright-core';
import { idpSetupHouse, type IdpSetupHouse } from '#dev/idp-setup-house.ts';
import { assets } from '#kernel/page-assets.ts';

/** The set-up pages in a real browser, wide and narrow, light and dark. */
const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((p) => existsSync(p));
const skip = executable === undefined ? 'no Chromium on this machine (Debian package chromium)' : false;
/** Where to put pictures, for whoever wants to look at them. */
const pictures = process.env['GATEHOUSE_TEST_PICTURES'];

let h: IdpSetupHouse;
let browser: Chromium;
before(async () => {
  if (skip) return;
  h = await idpSetupHouse();
  browser = await chromium.launch({
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
  await browser.close();
  await h[Symbol.asyncDispose]();
});

/** Every text has the contrast of WCAG AA against what is behind it, every field a label, every target a size, and nothing runs off the side. */
const faults = String.raw`(() => {
  const found = [];
  const wider = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wider > 0) found.push(wider + ' px wider than the window');
  const rgb = (c) => (c.match(/[\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((x) => x / 255).map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)).reduce((s, x, i) => s + x * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (let n = e; n; n = n.parentElement) { const c = rgb(getComputedStyle(n).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  for (const e of document.querySelectorAll('main *, header, footer')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim() !== '');
    if (!own || e.getClientRects().length === 0) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push('contrast ' + ratio.toFixed(1) + ': ' + e.textContent.trim().slice(0, 40));
    if (parseFloat(getComputedStyle(e).fontSize) < 11.9) found.push('too small: ' + e.textContent.trim().slice(0, 40));
  }
  for (const e of document.querySelectorAll('input, select, textarea')) if ((e.labels ?? []).length === 0) found.push('no label: ' + e.name);
  for (const e of document.querySelectorAll('button, .btn, nav a')) if (e.getBoundingClientRect().height < 24) found.push('small target: ' + e.textContent.trim());
  if (document.querySelectorAll('h1').length !== 1) found.push('headings of the first level: ' + document.querySelectorAll('h1').length);
  return found;
})()`;

async function sound(page: Page, name: string, complaints: readonly string[]): Promise<void> {
  await page.waitForLoadState('load');
  await page.evaluate('document.fonts.ready');
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
  assert.deepEqual(await page.evaluate(faults), [], name);
  assert.deepEqual(complaints, [], name);
}

for (const [what, colorScheme, width] of [
  ['a wide window in the light', 'light', 1440],
  ['a wide window in the dark', 'dark', 1440],
  ['a phone in the light', 'light', 390],
  ['a phone in the dark', 'dark', 360],
] as const)
  test(
    `in ${what}, a whole set-up can be done, read and copied, without a script`,
    { skip, timeout: 120_000 },
    async () => {
      const context = await browser.newContext({
        colorScheme,
        viewport: { width, height: 900 },
        javaScriptEnabled: true,
      });
      await context.route(/\/(assets|favicon)/, async (route) => {
        const asset = assets[new URL(route.request().url()).pathname];
        if (!asset) return route.fulfill({ status: 404 });
        return route.fulfill({ contentType: asset.type, body: Buffer.from(asset.body) });
      });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on(
        'console',
        (m) => void (m.type() === 'error' && !/status of 4/.test(m.text()) && complaints.push(m.text())),
      );
      page.on('pageerror', (e) => complaints.push(e.message));
      const shot = (step: string) => sound(page, `${colorScheme}-${width}-${step}`, complaints);

      const { url } = await h.link({ name: `Bo of Lamps IT, ${colorScheme} ${width}` });
      await page.goto(url);
      await shot('1-first');
      assert.equal(await page.locator('script').count(), 0);
      await page.getByLabel('Identity provider').selectOption('entra-id');
      await page.getByRole('button', { name: 'Show the steps' }).click();
      await shot('2-start');

      await page.getByRole('link', { name: 'Domain', exact: true }).first().click();
      await page.getByLabel('Domain').fill(`d${width}${colorScheme}.lamps.example`);
      await page.getByRole('button', { name: 'Add the domain' }).click();
      await page.getByRole('button', { name: 'Look it up now' }).click();
      await shot('3-domain');

      await page.getByRole('navigation').getByRole('link', { name: 'Sign-in' }).click();
      await shot('4-sign-in');
      // One click takes the whole value, to be copied.
      const value = page.locator('.value').first();
      await value.click();
      assert.equal(await page.evaluate('getSelection().toString()'), await value.innerText());
      await page.getByLabel('Issuer').fill('https://login.example/{tenant}/v2.0');
      await page.getByLabel('Client ID').fill(`${h.idp.clientId}-${colorScheme}-${width}`);
      await page.getByLabel('Client secret').fill('secret');
      await page.getByRole('button', { name: 'Connect sign-in' }).click();
      assert.match(await page.getByRole('alert').innerText(), /not an address/);
      await shot('5-mistake');
      assert.equal(await page.getByLabel('Client ID').inputValue(), `${h.idp.clientId}-${colorScheme}-${width}`);
      await page.getByLabel('Issuer').fill(h.idp.issuer);
      await page.getByLabel('Client secret').fill(h.idp.clientSecret);
      await page.getByRole('button', { name: 'Connect sign-in' }).click();
      await shot('6-connected');
      await page.getByRole('button', { name: 'Test the connection' }).click();
      await shot('7-test');
      assert.match(page.url(), /\/sign-in\/test\//);
      await page.goto(`${url}/sign-in`);

      await page.getByRole('link', { name: 'People and groups' }).click();
      await page.getByRole('button', { name: 'Make address and token' }).click();
      assert.match(await page.locator('main').innerText(), /Copy the token now[^]*ghs_/);
      await shot('8-token');
      await page.getByRole('link', { name: 'See what has arrived' }).click();
      await page.getByRole('link', { name: /Keep looking/ }).click();
      const looked = await page.getByRole('status').innerText();
      await page.waitForFunction(
        (was) =>
          !(globalThis as unknown as { document: { body: { innerText: string } } }).document.body.innerText.includes(
            was,
          ),
        looked,
        { timeout: 15_000 },
      );
      await shot('9-seen');
      await page.getByRole('link', { name: 'Stop looking' }).click();
      await page.goto(`${h.origin}/idp-setup/${'A'.repeat(43)}`);
      await shot('10-no-link');
      await context.close();
    },
  );

for (const [provider, protocol] of [
  ['okta', 'oidc'],
  ['google-workspace', 'saml'],
  ['onelogin', 'saml'],
  ['generic', 'saml'],
] as const)
  test(`the steps for ${provider} over ${protocol} fit a phone of 360 px`, { skip }, async () => {
    const context = await browser.newContext({ colorScheme: 'light', viewport: { width: 360, height: 800 } });
    await context.route(/\/(assets|favicon)/, async (route) => {
      const asset = assets[new URL(route.request().url()).pathname];
      return route.fulfill(asset ? { contentType: asset.type, body: Buffer.from(asset.body) } : { status: 404 });
    });
    const page = await context.newPage();
    const { url } = await h.visit({}, { provider, protocol });
    for (const path of ['', '/sign-in', '/directory']) {
      await page.goto(`${url}${path}`);
      await sound(page, `360-${provider}-${protocol}${path.replace('/', '-')}`, []);
    }
    await context.close();
  });
