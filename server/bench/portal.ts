import { parseArgs } from 'node:util';
import type { BrowserContext, Page } from 'playwright-core';
import { auditEvents, event } from '#audit/events.ts';
import { change } from '#audit/change.ts';
import { freshPortalHouse } from '#dev/fresh-portal-house.ts';
import { noChromium } from '#dev/chromium.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';

/**
 * What a person waits for: first contentful paint of Start and of the log with many events, the time until the page's heading and its data
 * are there and the main thread has been idle (interactive), and frames per second while the log is scrolled. Beside it, as the floor, an
 * empty page of the same server in the same browser. Server, PostgreSQL and browser share this machine. Each visit has an empty cache.
 */
const { values } = parseArgs({
  options: { events: { type: 'string', default: '1000000' }, visits: { type: 'string', default: '7' } },
});
const [wanted, visits] = [Number(values.events), Number(values.visits)];
if (noChromium) throw new Error(noChromium);

const house = await freshPortalHouse();
try {
  await fill(wanted);
  const { page } = await house.as(house.founded.owner);
  const context = page.context();
  console.log(
    `portal: ${wanted.toLocaleString('en')} events in the log, median of ${visits} visits with an empty cache`,
  );
  console.log(`${''.padEnd(24)}first paint, ms   interactive, ms   transferred, KB`);
  await row(context, 'an empty page (floor)', `${house.origin}/healthz`, undefined);
  await row(context, 'Start', house.at('start'), '#main h1');
  await row(context, 'Audit', house.at('audit'), '#main [role="row"] [role="gridcell"]');
  const { fps, rows } = await scroll(page);
  console.log(`scrolling the log: ${fps.toFixed(1)} frames/s over ${rows.toLocaleString('en')} px in 5 s`);
  console.log('targets: first paint <= 1,000 ms, interactive <= 1,500 ms, >= 50 frames/s');
} finally {
  await house.close();
}

/** Events as people leave them, in batches through `change()`, so that they are in the tree and under checkpoints. */
async function fill(events: number): Promise<void> {
  const { world } = house.serving.opened;
  const { org, parent, owner } = house.founded;
  const { now, ...rest } = world;
  const batch = 500;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (done < events) {
      const from = done;
      done += batch;
      const ctx: Ctx = {
        ...rest,
        actor: { kind: 'user', id: owner, session: newId('ses') },
        parent,
        org,
        now: now(),
        request: newId('req'),
      };
      await change(ctx, async () => ({
        value: undefined,
        events: Array.from({ length: batch }, (_, i) =>
          event(auditEvents, 'audit.read', { log: org, from: from + i, to: from + i + 100, filter: `day ${i % 50}` }),
        ) as [ReturnType<typeof event>],
      }));
      if (from % 100_000 === 0) console.error(`${from.toLocaleString('en')} of ${events.toLocaleString('en')} events`);
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  await house.serving.settled();
}

type Visit = { paint: number; ready: number; bytes: number };

async function visit(context: BrowserContext, url: string, there: string | undefined): Promise<Visit> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  session.on('Network.loadingFinished', (e) => void (bytes += e.encodedDataLength));
  await page.goto(url, { waitUntil: 'commit' });
  if (there !== undefined) await page.waitForSelector(there);
  else await page.waitForLoadState('load');
  // The thread has answered to a timer without delay: nothing keeps it from a click.
  const ready = Number(
    await page.evaluate(
      `new Promise((done) => { const look = (last) => setTimeout(() => { const now = performance.now(); if (now - last < 30) done(now); else look(now); }, 10); look(performance.now()); })`,
    ),
  );
  const paint = Number(
    await page.evaluate(`performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN`),
  );
  await page.close();
  return { paint, ready, bytes };
}

const median = (all: number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? NaN;

async function row(context: BrowserContext, name: string, url: string, there: string | undefined): Promise<void> {
  const all: Visit[] = [];
  for (let i = 0; i < visits; i++) all.push(await visit(context, url, there));
  const of = (f: (v: Visit) => number): string => median(all.map(f)).toFixed(0).padStart(15);
  console.log(`${name.padEnd(24)}${of((v) => v.paint)}   ${of((v) => v.ready)}   ${of((v) => v.bytes / 1024)}`);
}

/** Scrolls for five seconds, a row for each frame, and counts the frames that were drawn. */
async function scroll(page: Page): Promise<{ fps: number; rows: number }> {
  await page.goto(house.at('audit'));
  await page.waitForSelector('#main [role="row"] [role="gridcell"]');
  const [frames, ms, px] = (await page.evaluate(`new Promise((done) => {
    const grid = document.querySelector('#main [role="grid"]');
    const began = performance.now();
    let frames = 0, px = 0;
    const next = (now) => {
      frames++; px += 32; grid.scrollTop += 32;
      if (now - began < 5000) requestAnimationFrame(next); else done([frames, now - began, px]);
    };
    requestAnimationFrame(next);
  })`)) as [number, number, number];
  return { fps: (frames / ms) * 1000, rows: px };
}
