import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium, type Browser as Chromium, type Page } from 'playwright-core';
import { silentLog } from '#kernel/log.ts';
import { readConfig } from '../config.ts';
import { displayName, people } from './people.ts';
import { tellStory, type Story } from './story.ts';
import { testDb, type TestDb } from './test-db.ts';

/** The pages that the server renders, in a real browser: every step that a person takes to let an agent in, and what a refusal looks like. */
const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((p) => existsSync(p));
const skip = executable === undefined ? 'no Chromium on this machine (Debian package chromium)' : false;

const home = mkdtempSync(join(tmpdir(), 'gatehouse-pages-'));
chmodSync(home, 0o755);
let t: TestDb;
let story: Story;
let browser: Chromium;
const landed: string[] = [];
const agent = createServer((req, res) => {
  if (req.url?.startsWith('/callback')) landed.push(req.url);
  res.end('You can close this tab.');
});
before(async () => {
  if (skip) return;
  t = await testDb();
  agent.listen(0, '127.0.0.1');
  const config = readConfig(
    { DATABASE_URL: t.url, GATEHOUSE_DATA: `${home}/data`, GATEHOUSE_PORT: '0', GATEHOUSE_DYNAMIC_REGISTRATION: 'on' },
    home,
  );
  story = await tellStory(config, silentLog, () => undefined, t.superUrl);
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
  agent.close();
  if (skip) return;
  await browser.close();
  await story.stop();
  await t.close();
  rmSync(home, { recursive: true, force: true });
});

/** What a page must never do: complain about its own policy, run off the side of a phone. */
async function sound(page: Page, what: string, complaints: readonly string[]): Promise<void> {
  // In words, because the types of the server do not have a document.
  const wider = Number(
    await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
  );
  assert.ok(wider <= 0, `${what} is ${wider} px wider than the window`);
  assert.deepEqual(complaints, [], what);
}

for (const [name, colorScheme, width] of [
  ['a wide window in the light', 'light', 1440],
  ['a phone in the dark', 'dark', 390],
] as const)
  test(
    `in ${name}, a person signs in at the identity provider, agrees, and the agent gets its code`,
    { skip },
    async () => {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
      const page = await context.newPage();
      const complaints: string[] = [];
      // Of the provider's and the agent's pages we do not judge what they fail to bring along.
      page.on(
        'console',
        (m) =>
          void (m.type() === 'error' && m.location().url.startsWith(story.serving.origin) && complaints.push(m.text())),
      );
      page.on('pageerror', (e) => complaints.push(e.message));
      const { origin } = story.serving;
      const callback = `http://127.0.0.1:${(agent.address() as AddressInfo).port}/callback`;
      const registered = (await (
        await fetch(`${origin}/oauth/register`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            client_name: 'A "nice" <b>agent</b>',
            redirect_uris: [callback],
            token_endpoint_auth_method: 'none',
            application_type: 'native',
          }),
        })
      ).json()) as { client_id: string };
      const verifier = randomBytes(32).toString('base64url');
      const query = new URLSearchParams({
        client_id: registered.client_id,
        response_type: 'code',
        redirect_uri: callback,
        scope: 'mcp:read',
        resource: `${origin}/mcp/crm`,
        state: 's',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      });
      await page.goto(`${origin}/oauth/authorize?${query.toString()}`);
      await sound(page, 'the sign-in page', complaints);
      assert.equal(await page.evaluate(`document.fonts.check('14px "Atkinson Hyperlegible Next Variable"')`), true);
      await page.getByRole('link', { name: /Northwind ID/ }).click();
      await page.getByRole('button', { name: displayName(people.seller) }).click();
      await page.waitForURL(/\/consent\//);
      await sound(page, 'the consent page', complaints);
      // The client's name is shown as it was sent, not as markup.
      assert.match(await page.locator('main').innerText(), /A "nice" <b>agent<\/b>/);
      await page.getByRole('button', { name: /Allow/ }).click();
      await page.waitForURL(`${callback}**`);
      assert.match(landed.at(-1) ?? '', /^\/callback\?.*code=.+&.*state=s/);
      assert.deepEqual(complaints, []);
      await context.close();
    },
  );

test('a refused page says what happened and carries a number, on a phone too', { skip }, async () => {
  const context = await browser.newContext({ colorScheme: 'dark', viewport: { width: 390, height: 800 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (e) => complaints.push(e.message));
  const answer = await page.goto(`${story.serving.origin}/sign-in/callback?state=nobody-began-this&code=x`);
  assert.ok((answer?.status() ?? 0) >= 400);
  await sound(page, 'the refused page', complaints);
  assert.match(await page.locator('main').innerText(), /This sign-in was finished already[^]*(req|sgn)_/);
  await context.close();
});
