import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { noChromium } from '@gatehouse/server/dev/chromium.ts';
import { axe, overflow, portalHouse, settled, type PortalHouse, type Who } from '@gatehouse/server/dev/portal-house.ts';

/** Every page of the portal as each role sees it, in a wide window in the light and on a phone in the dark. */
const skip = noChromium;
let house: PortalHouse;
before(async () => {
  if (!skip) house = await portalHouse();
});
after(() => house?.close());

/** The addresses that the rooms column offers to somebody; a room shows its pages when one is in it. */
async function offered(page: Awaited<ReturnType<PortalHouse['as']>>['page']): Promise<string[]> {
  const links = async (): Promise<string[]> =>
    (await page.evaluate(
      `[...document.querySelectorAll('nav[aria-label="Rooms"] a')].map((a) => a.pathname)`,
    )) as string[];
  const found = new Set<string>();
  for (const room of await links()) {
    await page.goto(new URL(room, house.origin).href);
    await settled(page);
    for (const at of await links()) found.add(at);
  }
  return [...found];
}

const windows = [
  { words: 'in a wide window in the light', colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  { words: 'on a phone in the dark', colorScheme: 'dark', viewport: { width: 390, height: 844 } },
  { words: 'in a narrow window of 360 px in the light', colorScheme: 'light', viewport: { width: 360, height: 740 } },
  { words: 'in a wide window in the dark', colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
] as const;

for (const who of ['owner', 'auditor', 'seller'] satisfies Who[])
  test(
    `every page that the ${who} is offered is accessible, fits its window and complains of nothing`,
    { skip },
    async (t) => {
      const wide = await house.as(who);
      await wide.page.goto(house.at(''));
      await settled(wide.page);
      const pages = await offered(wide.page);
      await wide.page.context().close();
      assert.ok(pages.length >= (who === 'owner' ? 14 : 1), `only ${pages.length} pages are offered`);
      for (const { words, ...options } of windows)
        await t.test(words, async () => {
          const { page, complaints } = await house.as(who, options);
          for (const at of pages) {
            await page.goto(new URL(at, house.origin).href);
            await settled(page);
            assert.deepEqual(await axe(page), [], at);
            assert.ok((await overflow(page)) <= 0, `${at} is wider than its window`);
            assert.equal(
              await page.getByRole('alert').count(),
              0,
              `${at} shows a refusal to somebody who was offered it`,
            );
            assert.match(await page.title(), /^.+ · Northwind Lamps · Gatehouse$/);
          }
          assert.deepEqual(complaints, []);
          await page.context().close();
        });
    },
  );

test('menus, the palette and the drawer of the rooms are accessible while they are open', { skip }, async () => {
  for (const { words, ...options } of windows) {
    const { page, complaints } = await house.as('owner', options);
    await page.goto(house.at('mine'));
    await settled(page);
    const look = async (what: string): Promise<void> => {
      assert.deepEqual(await axe(page), [], `${what} ${words}`);
      await page.keyboard.press('Escape');
    };
    await page.keyboard.press('/');
    await page.getByRole('combobox', { name: 'Search or do' }).waitFor();
    await look('the palette');
    if (options.viewport.width < 900) {
      await page.getByRole('button', { name: 'Rooms' }).click();
      await page.getByRole('navigation', { name: 'Rooms' }).waitFor();
      await look('the drawer');
    } else {
      for (const name of [/switch organization/, /Primary owner/]) {
        await page.getByRole('button', { name }).click();
        await page.getByRole('menu').waitFor();
        await look('a menu');
        await page.getByRole('menu').waitFor({ state: 'hidden' });
      }
    }
    assert.deepEqual(complaints, []);
    await page.context().close();
  }
});

test('whoever is not signed in goes to sign in and comes back to the page that they wanted', { skip }, async () => {
  const context = await house.browser.newContext();
  const page = await context.newPage();
  await page.goto(house.at('mine?q=x'));
  const { pathname, searchParams } = new URL(page.url());
  assert.equal(pathname, '/sign-in');
  assert.equal(searchParams.get('return_to'), `/portal/${house.org}/mine?q=x`);
  await context.close();
});
