import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { chromium, type Browser as Chromium, type Page } from 'playwright-core';
import { samlHouse, type SamlHouse } from './saml-house.ts';
import { startStandIn, type StandIn } from './stand-in.ts';

/**
 * What only a real browser knows: which cookies go along when another site posts to us and we redirect. The stand-in is at 127.0.0.1 and we
 * are at localhost, which to a browser are two sites.
 */
const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((p) => existsSync(p));
const skip = executable === undefined ? 'no Chromium on this machine (Debian package chromium)' : false;

let h: SamlHouse;
let idp: StandIn<{ url: string; metadata: string }>;
let browser: Chromium;
const connections: Record<string, string> = {};
before(async () => {
  if (skip) return;
  h = await samlHouse();
  idp = await startStandIn('saml-idp.ts');
  const connect = async (name: string, from: object, more: object = {}): Promise<string> => {
    const r = await h.api('POST', `/orgs/${h.acme.org}/saml-connections`, {
      name,
      from,
      allowPrivate: true,
      matchDirectory: true,
      ...more,
    });
    assert.equal(r.status, 201, r.text);
    return String(r.body['id']);
  };
  connections['by redirect'] = await connect(
    'By redirect',
    { kind: 'metadata_url', url: idp.ready.metadata },
    { idpInitiated: true },
  );
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
  await idp.stop();
  await h[Symbol.asyncDispose]();
});

const signedIn = async (page: Page): Promise<boolean> =>
  (await page.context().cookies(h.origin)).some((c) => c.name === '__Host-gatehouse');

test(
  'in a real browser, a person signs in over SAML and out again; the post from the other site brings no cookie and needs none',
  { skip },
  async () => {
    const page = await (await browser.newContext()).newPage();
    const posted: (string | undefined)[] = [];
    const fetched: (string | undefined)[] = [];
    page.on('request', (r) => {
      const note = async (): Promise<void> => {
        const cookie = (await r.allHeaders())['cookie'];
        if (r.url().includes('/saml/acs/')) posted.push(cookie);
        if (r.url().includes('/saml/finish/')) fetched.push(cookie);
      };
      void note().catch(() => undefined);
    });
    await page.goto(
      `${h.origin}/sign-in/start/${connections['by redirect'] ?? ''}?return_to=${encodeURIComponent('/?from=saml')}`,
    );
    await page.getByRole('button', { name: /Luca/ }).click();
    await page.getByRole('button', { name: /Continue/ }).click();
    await page.waitForURL(`${h.origin}/?from=saml`);
    assert.ok(await signedIn(page));
    assert.deepEqual(posted, [undefined], 'SameSite keeps our cookies out of a post from elsewhere');
    assert.match(fetched[0] ?? '', /__Host-gatehouse-browser=/);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: /Continue at 127/ }).click();
    await page.getByText('signed out here and at your identity provider').waitFor();
    assert.ok(!(await signedIn(page)));
  },
);

test(
  'in a real browser, an unasked response signs in where the connection allows it, and a session that was there before ends',
  { skip },
  async () => {
    const page = await (await browser.newContext()).newPage();
    const unasked = `${idp.ready.url}/unasked?sub=00u-luca&acs=${encodeURIComponent(h.acs)}&audience=${encodeURIComponent(h.audience)}`;
    for (let i = 0; i < 2; i++) {
      await page.goto(unasked);
      await page.getByRole('button', { name: /Continue/ }).click();
      await page.waitForURL(`${h.origin}/`);
    }
    const opened = await h.events('session.opened');
    assert.equal(
      opened.at(-1)?.data['replaced'],
      opened.at(-2)?.data['session'],
      'the redirect brought the session that was there',
    );
  },
);
