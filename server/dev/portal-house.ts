import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { buildPortal } from '@gatehouse/portal/build.ts';
import type { Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { readConfig } from '../config.ts';
import { setupLinkFor } from '../setup-link.ts';
import { addAuditor, auditor, userOf } from './auditor.ts';
import { startChromium } from './chromium.ts';
import { people } from './people.ts';
import { tellStory, type Story } from './story.ts';
import { testDb } from './test-db.ts';

const axeSource = (): string => readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** A page of the portal with what it complained about. */
export type PortalPage = { page: Page; complaints: string[] };
export type Who = keyof typeof people | 'auditor';

export type PortalHouse = {
  story: Story;
  origin: string;
  org: string;
  browser: Browser;
  /** The address of a page below the organization. */
  at(page: string): string;
  /** A new window in which somebody is signed in, by a one-time link as an operator makes it. */
  as(who: Who, options?: BrowserContextOptions): Promise<PortalPage>;
  user(who: Who): Promise<Id<'usr'>>;
  close(): Promise<void>;
};

/** The demo's deployment, told to its end, with a browser before it. */
export async function portalHouse(): Promise<PortalHouse> {
  const closing: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const c of closing.splice(0).toReversed()) await c();
  };
  try {
    await buildPortal();
    const t = await testDb();
    closing.push(() => t.close());
    const home = mkdtempSync(join(tmpdir(), 'gatehouse-portal-'));
    chmodSync(home, 0o755);
    closing.push(() => rmSync(home, { recursive: true, force: true }));
    const config = readConfig(
      {
        DATABASE_URL: t.url,
        GATEHOUSE_DATA: `${home}/data`,
        GATEHOUSE_PORT: '0',
        GATEHOUSE_DYNAMIC_REGISTRATION: 'on',
      },
      home,
    );
    const story = await tellStory(config, silentLog, () => undefined, t.superUrl);
    closing.push(() => story.stop());
    await addAuditor(story.serving.origin, story.founded);
    const browser = await startChromium();
    closing.push(() => browser.close());
    const { origin, opened } = story.serving;
    const { org } = story.founded;

    const user = (who: Who): Promise<Id<'usr'>> =>
      userOf(origin, story.founded, who === 'auditor' ? auditor.email : people[who].email);

    return {
      story,
      origin,
      org,
      browser,
      at: (page) => `${origin}/portal/${org}/${page}`,
      user,
      async as(who, options = {}) {
        const context = await browser.newContext({
          viewport: { width: 1440, height: 900 },
          reducedMotion: 'reduce',
          ...options,
        });
        const page = await context.newPage();
        const complaints: string[] = [];
        page.on('console', (m) => void (['error', 'warning'].includes(m.type()) && complaints.push(m.text())));
        page.on('pageerror', (e) => complaints.push(e.message));
        await page.goto((await setupLinkFor(opened.world, await user(who))).url);
        await page.getByRole('button', { name: /Sign in as/ }).click();
        await page.waitForURL(`${origin}/`);
        return { page, complaints };
      },
      close,
    };
  } catch (e) {
    await close();
    throw e;
  }
}

/** WCAG 2.0 to 2.2, A and AA: what axe finds, in words that name the element. An empty list is the only good answer. */
export async function axe(page: Page): Promise<string[]> {
  await page.evaluate(axeSource());
  const found = (await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] }).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' | ' + [...n.any, ...n.all, ...n.none].map((a) => a.message).join('; ').slice(0, 200)).join(' || ')))`,
  )) as string[];
  return found;
}

/** The page is there: no loader runs, no row is a bone, the fonts are loaded. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('#main h1');
  // The page's policy forbids to evaluate text, which waitForFunction would; asking from here is allowed.
  const there = `document.fonts.status === 'loaded' && !document.querySelector('#main[aria-busy], .gh-bone')`;
  for (let i = 0; i < 600; i++) {
    if (await page.evaluate(there)) return;
    await page.waitForTimeout(50);
  }
  throw new Error(`${page.url()} is still loading after half a minute`);
}

/** By how many pixels the page is wider than its window; a page that scrolls sideways is wrong. */
export const overflow = async (page: Page): Promise<number> =>
  Number(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'));
