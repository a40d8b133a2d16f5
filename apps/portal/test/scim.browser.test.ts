import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { noChromium } from '@gatehouse/server/dev/chromium.ts';
import { freshPortalHouse, type FreshPortalHouse } from '@gatehouse/server/dev/fresh-portal-house.ts';
import { pushPeople } from '@gatehouse/server/dev/idp-push.ts';
import { company, displayName, groupNames, people } from '@gatehouse/server/dev/people.ts';
import { axe, settled } from '@gatehouse/server/dev/portal-house.ts';

const skip = noChromium;
let house: FreshPortalHouse;
before(async () => {
  if (!skip) house = await freshPortalHouse();
});
after(() => house?.close());

type Member = { email: string; role: string; state: string };
const members = async (): Promise<Member[]> => (await house.api('GET', '/members?limit=200'))['items'] as Member[];
const clean = async (page: Page, where: string): Promise<void> => assert.deepEqual(await axe(page), [], where);
const go = async (page: Page, at: string): Promise<void> => {
  await page.goto(house.at(at));
  await settled(page);
};
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

/** Adds a mapping of a group that has come to the draft. */
async function map(page: Page, group: string, role: string): Promise<void> {
  await button(page, 'Add a mapping').first().click();
  const dialog = page.getByRole('dialog', { name: 'Add a mapping' });
  await dialog.getByRole('combobox', { name: 'Group' }).fill(group);
  await page.getByRole('option', { name: new RegExp(`^${group}, `) }).click();
  await dialog.getByRole('combobox', { name: 'Gives' }).click();
  await page.getByRole('option', { name: role, exact: true }).click();
  await clean(page, 'the dialog of a new mapping');
  await dialog.getByRole('button', { name: 'Add to the plan' }).click();
  await dialog.waitFor({ state: 'hidden' });
}

/** Applies the plan in sight; it needs the organization's name where no group makes owners. */
async function apply(page: Page): Promise<void> {
  await button(page, /^Apply(,| to )/).click();
  const dialog = page.getByRole('dialog');
  const name = dialog.getByRole('textbox');
  if (await name.isVisible()) await name.fill(company.name);
  await clean(page, 'the dialog that applies');
  await dialog.getByRole('button', { name: /^Apply/ }).click();
  await dialog.waitFor({ state: 'hidden' });
}

test(
  'an owner switches a directory with mapped groups on, sees who would lose access before, and loses nobody',
  { skip },
  async () => {
    for (const p of [people.seller, people.lead])
      await house.api('POST', '/members', { email: p.email, displayName: displayName(p), role: 'user' });
    await house.api('POST', '/members', {
      email: `hanna@${company.domain}`,
      displayName: 'Hanna Handwritten',
      role: 'user',
    });
    const before = await members();
    const { page, complaints } = await house.as(house.founded.owner);

    // A directory and its token, which is shown once.
    await go(page, 'directory/scim');
    await button(page, 'Connect a directory…').click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Northwind ID');
    await button(page, 'Connect it').click();
    await page.getByRole('heading', { level: 1, name: 'Northwind ID' }).waitFor();
    const base = await page.locator('code').first().innerText();
    await button(page, 'Make a token…').click();
    await button(page, 'Make it').click();
    const shown = page.getByRole('dialog', { name: /shown this once/ });
    await shown.waitFor();
    await clean(page, 'the token, shown once');
    const token = await shown.locator('code').innerText();
    assert.match(token, /^ghs_/);
    await button(page, 'I have it').click();
    assert.ok(!(await page.content()).includes(token), 'the token stays on the page');

    // The identity provider pushes. Whom it sends comes in; nobody who is here is touched by it.
    await pushPeople(
      base,
      token,
      [people.owner, people.seller, people.lead, people.leaver],
      [groupNames.sales, groupNames.leads],
      'okta',
    );
    const stay = async (): Promise<void> => {
      const now = await members();
      for (const m of before)
        assert.deepEqual(
          now.find((n) => n.email === m.email && n.state === 'active')?.role,
          m.role,
          `${m.email} is what they were`,
        );
    };
    await stay();

    // People who are here already become the directory's, as far as the owner says; nobody takes over the primary owner by accident.
    await page.getByRole('tab', { name: 'People who are here already' }).click();
    await page.getByRole('checkbox', { name: `Take ${displayName(people.seller)}` }).waitFor();
    const owner = page.getByRole('checkbox', { name: `Take ${displayName(people.owner)}` });
    assert.equal(await owner.isChecked(), false);
    await clean(page, 'adoption');
    await button(page, 'Take 2 accounts…').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take 2 accounts' }).click();
    await page.getByText('2 accounts are the directory’s now').waitFor();

    // Mapping the sellers: the mode does not look at groups yet, so nobody is touched.
    await go(page, 'directory/mappings');
    await map(page, groupNames.sales, 'User');
    await button(page, /^Apply/).waitFor();
    await apply(page);
    await page.getByRole('heading', { name: 'The mappings are in force' }).waitFor();
    await stay();

    // What the mode would do: Hanna, whom nobody pushed, would lose access, and is named before anything happens.
    await go(page, 'directory/mode');
    await page.getByRole('radio', { name: /^Directory, mapped groups only/ }).click();
    const plan = page.getByRole('complementary', { name: /^If the mode were/ });
    await plan.getByText('Hanna Handwritten').waitFor();
    await clean(page, 'the plan of a mode');
    await button(page, /^Apply to/).click();
    await page.getByRole('checkbox', { name: /I have seen who loses access: Hanna Handwritten/ }).waitFor();
    await button(page, 'Back').click();
    await stay();

    // A group by hand for whom the directory does not know, mapped like the others.
    await go(page, 'directory/groups');
    await button(page, 'Make a group by hand…').click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Guests');
    await button(page, 'Make it').click();
    await page.getByRole('heading', { level: 1, name: 'Guests' }).waitFor();
    await button(page, 'Add a member…').click();
    await page.getByRole('combobox', { name: 'Member' }).fill('Hanna');
    await page.getByRole('option', { name: /^Hanna Handwritten/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.getByRole('gridcell', { name: 'Hanna Handwritten' }).waitFor();
    await go(page, 'directory/mappings');
    await map(page, 'Guests', 'User');
    await button(page, /^Apply/).waitFor();
    await apply(page);

    // Now the same mode takes nobody's access.
    await go(page, 'directory/mode');
    await page.getByRole('radio', { name: /^Directory, mapped groups only/ }).click();
    await plan.getByText('Nobody gains or loses anything by it.').waitFor();
    await plan.getByRole('button', { name: /0\s*lose access/ }).waitFor();
    await apply(page);
    await page.getByRole('heading', { name: 'The mode is directory, mapped groups only' }).waitFor();

    await stay();
    const now = await members();
    assert.ok(
      now.some((m) => m.email === people.leaver.email),
      'whom the directory sent is in',
    );
    assert.deepEqual(complaints, []);
  },
);
