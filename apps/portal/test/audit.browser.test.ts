import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { noChromium } from '@gatehouse/server/dev/chromium.ts';
import { portalHouse, settled, type PortalHouse } from '@gatehouse/server/dev/portal-house.ts';

/** Start and the log, as the owner of the demo's organization uses them. */
const skip = noChromium;
let house: PortalHouse;
let page: Page;
let complaints: string[];
before(async () => {
  if (skip) return;
  house = await portalHouse();
  ({ page, complaints } = await house.as('owner'));
});
after(() => house?.close());

type Event = { seq: number; call?: string; type: string; disposition?: string };
async function search(query: string): Promise<Event[]> {
  const r = await fetch(`${house.origin}/api/orgs/${house.org}/audit/search?${query}`, {
    headers: { authorization: `Bearer ${house.story.founded.apiKey}` },
  });
  return ((await r.json()) as { events: Event[] }).events;
}
const open = async (at: string): Promise<void> => {
  await page.goto(house.at(at));
  await settled(page);
};
const patience = { timeout: 60_000 };
const rows = () => page.getByRole('grid').getByRole('row');

test('Start says what is set up, and leads from what needs a person to where it is repaired', { skip }, async () => {
  await open('start');
  await page.getByRole('heading', { name: 'Set-up' }).waitFor();
  assert.match(await page.getByRole('listitem').filter({ hasText: 'First connector' }).innerText(), /CRM/);
  const need = page.getByRole('listitem').filter({ hasText: 'has lost its TXT record' });
  await need.getByRole('link', { name: 'Show the record' }).click();
  await page.waitForURL(/\/identity\//, patience);
});

test('the number beside a room is what waits there for a decision', { skip }, async () => {
  await open('start');
  const room = page.getByRole('navigation', { name: 'Rooms' }).getByRole('link', { name: /^DLP.*need/ });
  await room.waitFor(patience);
});

test(
  'a typed filter becomes a part of the address, narrows the log, and Backspace takes it away',
  { skip },
  async () => {
    await open('audit');
    const bar = page.getByRole('combobox', { name: 'Filter the log' }).or(page.getByLabel('Filter the log'));
    await bar.first().fill('outcome:blocked');
    await bar.first().press('Enter');
    await page.waitForURL(/[?&]outcome=blocked/, patience);
    const wanted = (await search('outcome=blocked')).length;
    await page.getByText(new RegExp(`^${wanted} of `)).waitFor(patience);
    for (const row of (await rows().all()).slice(1)) assert.match(await row.innerText(), /Blocked/);
    await bar.first().focus();
    await bar.first().press('Backspace');
    await page.waitForURL((url) => !url.search.includes('outcome'), patience);
  },
);

test('an event is opened, moved from and closed by the keyboard, and its address is its own', { skip }, async () => {
  await open('audit');
  await page.getByRole('grid').focus();
  await page.keyboard.press('ArrowDown');
  await page.waitForURL(/[?&]event=\d+/, patience);
  const first = new URL(page.url()).searchParams.get('event');
  await page.keyboard.press('ArrowDown');
  await page.waitForURL((url) => url.searchParams.get('event') !== first, patience);
  const second = new URL(page.url()).searchParams.get('event');
  assert.ok(Number(second) < Number(first), 'older is below');
  await page.reload();
  await page.getByRole('complementary', { name: `Event ${second}` }).waitFor(patience);
  await page.getByRole('grid').focus();
  await page.keyboard.press('Escape');
  await page.waitForURL((url) => !url.search.includes('event'), patience);
});

test('an event is proved in the browser: its data, its place, and the signature', { skip }, async () => {
  const [blocked] = await search('outcome=blocked');
  await open(`audit?event=${blocked?.seq}`);
  await page.getByRole('list', { name: 'Decision path of this call' }).waitFor(patience);
  await page.getByRole('button', { name: 'Verify here' }).click();
  await page.getByText('Proved in this browser').waitFor(patience);
});

test(
  'an event whose data was changed on the way is not proved, and the page says what is wrong',
  { skip },
  async () => {
    const [blocked] = await search('outcome=blocked');
    await page.route(/\/audit\/events\/\d+/, async (route) => {
      const answer = await route.fetch();
      const body = (await answer.json()) as { event: { data: Record<string, unknown> } };
      body.event.data['ms'] = 1;
      await route.fulfill({ response: answer, json: body });
    });
    await open(`audit?event=${blocked?.seq}`);
    await page.getByRole('button', { name: 'Verify here' }).click();
    await page.getByText(/The data shown is not what the entry commits to/).waitFor(patience);
    await page.unroute(/\/audit\/events\/\d+/);
  },
);

test('what happens is in the log that is open a moment later, without a reload', { skip }, async () => {
  await open('audit?type=org.renamed');
  await page.getByRole('heading', { name: 'No event matches' }).waitFor(patience);
  await fetch(`${house.origin}/api/orgs/${house.org}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${house.story.founded.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Northwind Lamps and Sons' }),
  });
  await rows().filter({ hasText: 'another name' }).first().waitFor(patience);
});

test('the number of a call, pasted into the palette, leads to why it was refused', { skip }, async () => {
  const blocked = (await search('outcome=blocked')).find((e) => e.call !== undefined);
  await open('start');
  await page.keyboard.press('ControlOrMeta+k');
  await page.getByRole('combobox', { name: 'Search or do' }).fill(blocked?.call ?? '');
  await page.getByRole('option', { name: /What happened there, and why/ }).click();
  await page.getByRole('heading', { name: 'Which rules decided' }).waitFor(patience);
  await page.getByRole('heading', { name: 'What was recorded' }).waitFor(patience);
  await page.getByText('Blocked', { exact: true }).first().waitFor(patience);
});

test(
  'a checkpoint that was kept is compared with the log of today, and a forged one is found out',
  { skip },
  async () => {
    const r = await fetch(`${house.origin}/logs/${house.org}/checkpoint`, {
      headers: { authorization: `Bearer ${house.story.founded.apiKey}` },
    });
    const note = await r.text();
    await open('audit/checkpoints');
    await page.getByLabel('A checkpoint that you kept').fill(note);
    await page.getByRole('button', { name: 'Compare here' }).click();
    await page.getByText(/begins with the .* that you kept/).waitFor(patience);
    await page
      .getByLabel('A checkpoint that you kept')
      .fill(note.replace(/\n(\d+)\n/, (_, n: string) => `\n${Number(n) - 1}\n`));
    await page.getByRole('button', { name: 'Compare here' }).click();
    await page.getByText('It is not signed by the key of this log.').waitFor(patience);
  },
);

test('the export that the page gives is verified by the file that shares no code with us', { skip }, async () => {
  await open('audit/export');
  const saved = page.waitForEvent('download', patience);
  await page.getByRole('button', { name: /^Export [\d,]+ events/ }).click();
  const file = await (await saved).path();
  const key = await (
    await fetch(`${house.origin}/api/orgs/${house.org}/audit/key`, {
      headers: { authorization: `Bearer ${house.story.founded.apiKey}` },
    })
  ).json();
  const verifier = fileURLToPath(import.meta.resolve('@gatehouse/contract/verify.mjs'));
  const said = execFileSync(process.execPath, [verifier, file, '--key', (key as { key: string }).key], {
    encoding: 'utf8',
  });
  assert.match(said, /verified/);
});

test('an employee is not offered the log, and its address says why', { skip }, async () => {
  const seller = await house.as('seller');
  await seller.page.goto(house.at(''));
  await settled(seller.page);
  assert.equal(await seller.page.getByRole('link', { name: 'Audit' }).count(), 0);
  await seller.page.goto(house.at('audit'));
  await seller.page
    .getByText(/audit\.read/)
    .first()
    .waitFor(patience);
  await seller.page.context().close();
});

test('none of these pages complained of anything', { skip }, () => {
  assert.deepEqual(complaints, []);
});
