import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { noChromium } from '@gatehouse/server/dev/chromium.ts';
import { freshPortalHouse, type FreshPortalHouse } from '@gatehouse/server/dev/fresh-portal-house.ts';
import { company, displayName, people } from '@gatehouse/server/dev/people.ts';
import { axe, settled } from '@gatehouse/server/dev/portal-house.ts';
import { keyboard, mouse, type Hands } from './hands.ts';

const skip = noChromium;
const owner = displayName(people.owner);

/** Signs in at the identity provider as somebody, if it does not know them from a moment ago, and is back when `there` is seen. */
async function back(page: Page, hands: Hands, who: string, there: Locator): Promise<void> {
  const person = page.getByRole('button', { name: new RegExp(`^${who},`) });
  await person.or(there).first().waitFor();
  if (await person.isVisible()) await hands.press(page, 'button', new RegExp(`^${who},`));
  await there.waitFor();
}
async function atProvider(page: Page, hands: Hands, who: string, there: Locator): Promise<void> {
  await hands.press(page, 'link', /^Continue at/);
  await back(page, hands, who, there);
}

/** The whole way, from an organization with nothing connected to one that lets people in by its identity provider only. */
async function setUpAndEnforce(house: FreshPortalHouse, hands: Hands): Promise<void> {
  const { page, complaints } = await house.as(house.founded.owner);
  const clean = async (where: string): Promise<void> => assert.deepEqual(await axe(page), [], where);

  // A domain, proved by a record in the DNS.
  await page.goto(house.at('identity/domains'));
  await settled(page);
  await hands.press(page, 'button', 'Add a domain…');
  await hands.type(page, 'Domain', company.domain);
  await clean('the dialog of a new domain');
  await hands.press(page, 'button', 'Add the domain');
  await page.getByRole('heading', { level: 1, name: company.domain }).waitFor();
  const cells = page.locator('code');
  const [host, value] = [await cells.nth(0).innerText(), await cells.nth(1).innerText()];
  assert.match(host, /^_gatehouse-challenge\./);
  house.zone.txt(host, value);
  for (let i = 0; ; i++) {
    await hands.press(page, 'button', 'Look now');
    const verified = page.getByText('Verified', { exact: true });
    if (
      await verified.waitFor({ timeout: 3000 }).then(
        () => true,
        () => false,
      )
    )
      break;
    assert.ok(i < 20, 'the record is there and the domain is not verified');
  }

  // An identity provider, from what it shows.
  const idp = await house.idp();
  await hands.press(page, 'link', 'Sign-in');
  await hands.press(page, 'link', 'Connect an identity provider');
  await hands.press(page, 'button', 'Another identity provider');
  if (hands === mouse) await page.getByText('OpenID Connect', { exact: true }).click();
  else {
    // A segmented control is a group of radios: one stop, then arrows.
    for (
      let i = 0;
      i < 100 &&
      !(await page.getByRole('radio', { name: 'SAML' }).evaluate((e) => e === e.ownerDocument.activeElement));
      i++
    )
      await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
  }
  await hands.type(page, 'Name', 'Northwind ID');
  await hands.type(page, 'Issuer', idp.issuer);
  await hands.type(page, 'Client id', idp.clientId);
  await hands.type(page, 'Client secret', idp.clientSecret);
  await hands.press(page, 'checkbox', /inside our private network/);
  await clean('the wizard');
  await hands.press(page, 'button', 'Connect Northwind ID');
  await page.getByRole('heading', { level: 1, name: 'Northwind ID, OpenID Connect' }).waitFor();
  const connection = page.url();

  // The owner links their own identity, then tests: nobody is let in by a test.
  await page.goto(house.origin);
  await hands.press(page, 'button', /Northwind ID/);
  await atProvider(page, hands, owner, page.getByRole('heading', { level: 1, name: owner }));
  await page.goto(connection);
  await settled(page);
  await hands.press(page, 'button', 'Test sign-in');
  const opening = page.context().waitForEvent('page');
  await hands.press(page, 'link', 'Open the test');
  const tested = await opening;
  await hands.press(tested, 'button', 'Begin the test');
  await atProvider(tested, hands, owner, tested.getByRole('heading', { name: 'A real sign-in would succeed' }));
  await tested.close();
  await page.getByRole('heading', { name: /A real sign-in would succeed/ }).waitFor({ timeout: 60_000 });
  await page.getByRole('row', { name: /email/ }).first().waitFor();
  await clean('the result of the test');

  // A way back for the day on which the identity provider fails.
  await page.goto(house.at(`directory/members/${house.founded.member}`));
  await settled(page);
  await hands.press(page, 'button', 'Make it a break-glass account…');
  await hands.type(page, 'Why', 'the way in when Northwind ID fails');
  await hands.press(page, 'button', 'Make it break-glass');
  await page.getByText(/is a break-glass account: no identity provider/).waitFor();

  // The owner proves the way in, by going it.
  await page.goto(`${house.origin}/sign-in`);
  await hands.press(page, 'link', /Northwind ID/);
  await back(page, hands, owner, page.getByRole('heading', { level: 1, name: owner }));

  // Report-only first, then everybody; who would be locked out is named before.
  await page.goto(house.at('identity/enforcement'));
  await settled(page);
  await page.getByText('Report-only comes first').waitFor();
  await hands.press(page, 'button', 'Start report-only');
  await page.getByText('Nobody is refused.', { exact: false }).first().waitFor();
  await page.getByText('Hanna Handwritten').waitFor();
  await clean('the simulation');
  await hands.press(page, 'button', 'Enforce for everybody…');
  const enforce = page.getByRole('button', { name: /^Enforce, 1 person is locked out/ });
  await enforce.waitFor();
  assert.equal(await enforce.getAttribute('aria-disabled'), 'true', 'nothing happens before who loses was seen');
  await clean('the dialog that enforces');
  await hands.press(page, 'checkbox', /I have seen who may not get in: Hanna Handwritten/);
  await hands.press(page, 'button', /^Enforce, 1 person is locked out/);
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.getByText('This is how it is enforced now.').waitFor();
  assert.equal((await house.api('GET', '/sso-enforcement'))['state'], 'full');
  assert.deepEqual(complaints, []);
  await page.context().close();
}

for (const hands of [mouse, keyboard])
  test(`an owner sets single sign-on up from nothing and enforces it, ${hands.words}`, { skip }, async () => {
    const house = await freshPortalHouse();
    try {
      const hanna = await house.api('POST', '/members', {
        email: `hanna@${company.domain}`,
        displayName: 'Hanna Handwritten',
        role: 'user',
      });
      await setUpAndEnforce(house, hands);
      // Whoever has no identity there does not get in any more, and reads why; the break-glass account still does.
      const context = await house.browser.newContext();
      const page = await context.newPage();
      await page.goto(await house.setupLink(String(hanna['user']) as never));
      await page.getByRole('button', { name: /Sign in as/ }).click();
      await page.getByText(/through its own identity provider only/i).waitFor();
      const owners = await house.as(house.founded.owner);
      await owners.page.goto(house.at('identity/enforcement'));
      await owners.page.getByText('This is how it is enforced now.').waitFor();
    } finally {
      await house.close();
    }
  });
