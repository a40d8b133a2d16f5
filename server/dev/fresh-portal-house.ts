import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, ConsoleMessage } from 'playwright-core';
import { buildPortal } from '@gatehouse/portal/build.ts';
import type { Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { bootstrap, type Bootstrapped } from '../bootstrap.ts';
import { readConfig } from '../config.ts';
import { serve, type Serving } from '../serve.ts';
import { setupLinkFor } from '../setup-link.ts';
import { startChromium } from './chromium.ts';
import { DnsLab, type DnsZone } from './dns.ts';
import { company, displayName, people } from './people.ts';
import type { PortalPage } from './portal-house.ts';
import { startStandIn, type StandIn } from './stand-in.ts';
import { apiOf, type Api } from './story-parts.ts';
import { testDb } from './test-db.ts';

/** A deployment on its first morning: one organization, one owner, nothing connected; and a browser before it. */
export type FreshPortalHouse = {
  origin: string;
  serving: Serving;
  founded: Bootstrapped;
  browser: Browser;
  api: Api;
  /** The company's zone in a name system that the deployment asks. */
  zone: DnsZone;
  /** The company's identity provider, which nobody has connected yet; started when it is first asked for. */
  idp(): Promise<{ issuer: string; clientId: string; clientSecret: string }>;
  at(page: string): string;
  /** A new window in which somebody is signed in by a one-time link. */
  as(user: Id<'usr'>, options?: BrowserContextOptions): Promise<PortalPage>;
  setupLink(user: Id<'usr'>): Promise<string>;
  close(): Promise<void>;
};

export async function freshPortalHouse(): Promise<FreshPortalHouse> {
  const closing: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const c of closing.splice(0).toReversed()) await c();
  };
  try {
    await buildPortal();
    const t = await testDb();
    closing.push(() => t.close());
    const home = mkdtempSync(join(tmpdir(), 'gatehouse-fresh-'));
    chmodSync(home, 0o755);
    closing.push(() => rmSync(home, { recursive: true, force: true }));
    const lab = await DnsLab.start();
    closing.push(() => lab.close());
    const { zone } = await lab.zone(company.domain, 2);
    const config = readConfig({ DATABASE_URL: t.url, GATEHOUSE_DATA: `${home}/data`, GATEHOUSE_PORT: '0' }, home);
    const serving = await serve({ ...config, dns: readConfig(lab.env, '/').dns }, silentLog, { fresh: true });
    closing.push(() => serving.stop());
    const { world } = serving.opened;
    const founded = await bootstrap(world, {
      org: company.name,
      name: displayName(people.owner),
      email: people.owner.email,
    });
    const browser = await startChromium();
    closing.push(() => browser.close());
    const { origin } = serving;

    let idp: Promise<StandIn<{ url: string }>> | undefined;
    const clientSecret = 'the-idp-and-gatehouse-share-this';
    const setupLink = async (user: Id<'usr'>): Promise<string> => (await setupLinkFor(world, user)).url;
    return {
      origin,
      serving,
      founded,
      browser,
      api: apiOf(origin, founded),
      zone,
      async idp() {
        idp ??= startStandIn<{ url: string }>('idp.ts', [
          '--client-id',
          'gatehouse',
          '--client-secret',
          clientSecret,
          '--redirect-uri',
          `${origin}/sign-in/callback`,
        ]).then((started) => {
          closing.push(() => started.stop());
          return started;
        });
        return { issuer: (await idp).ready.url, clientId: 'gatehouse', clientSecret };
      },
      at: (page) => `${origin}/portal/${founded.org}/${page}`,
      setupLink,
      async as(user, options = {}) {
        const context = await browser.newContext({
          viewport: { width: 1440, height: 900 },
          reducedMotion: 'reduce',
          ...options,
        });
        const page = await context.newPage();
        const complaints: string[] = [];
        // The identity provider's pages are not ours to complain of.
        const ours = (m: ConsoleMessage): boolean => m.location().url.startsWith(origin);
        page.on(
          'console',
          (m) => void (['error', 'warning'].includes(m.type()) && ours(m) && complaints.push(m.text())),
        );
        page.on('pageerror', (e) => complaints.push(e.message));
        await page.goto(await setupLink(user));
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
