import type { Locator, Page } from 'playwright-core';

type Role = Parameters<Page['getByRole']>[0];
type Name = string | RegExp;

/** How a person works a page: with a mouse, or with nothing but the keyboard. A journey is told once and walked with both. */
export type Hands = {
  words: string;
  press(page: Page, role: Role, name: Name): Promise<void>;
  type(page: Page, name: Name, text: string): Promise<void>;
  /** Chooses an option of a select. */
  choose(page: Page, name: Name, option: Name): Promise<void>;
};

const one = (page: Page, role: Role, name: Name): Locator => page.getByRole(role, { name }).first();

export const mouse: Hands = {
  words: 'with a mouse',
  press: (page, role, name) => one(page, role, name).click(),
  type: (page, name, text) => page.getByRole('textbox', { name }).first().fill(text),
  async choose(page, name, option) {
    await one(page, 'combobox', name).click();
    await one(page, 'option', option).click();
  },
};

/** More stops than any page has. */
const MOST_STOPS = 250;

/** Tabs until the element has the focus, as whoever has no mouse does. */
async function reach(page: Page, to: Locator): Promise<void> {
  await to.waitFor();
  for (let i = 0; i < MOST_STOPS; i++) {
    const there = await to.evaluate((el) => el === el.ownerDocument.activeElement);
    if (there) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no way to ${to.toString()} with the Tab key`);
}

export const keyboard: Hands = {
  words: 'with nothing but the keyboard',
  async press(page, role, name) {
    const to = one(page, role, name);
    await reach(page, to);
    await page.keyboard.press(role === 'checkbox' || role === 'radio' || role === 'switch' ? 'Space' : 'Enter');
  },
  async type(page, name, text) {
    await reach(page, page.getByRole('textbox', { name }).first());
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type(text);
  },
  async choose(page, name, option) {
    const select = one(page, 'combobox', name);
    await reach(page, select);
    await page.keyboard.press('Enter');
    const wanted = one(page, 'option', option);
    await wanted.waitFor();
    for (let i = 0; i < 60; i++) {
      if ((await wanted.getAttribute('data-combobox-selected')) !== null) break;
      await page.keyboard.press('ArrowDown');
    }
    await page.keyboard.press('Enter');
  },
};
