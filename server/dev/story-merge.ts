import type { World } from '#kernel/ctx.ts';
import { bootstrap, type Bootstrapped } from '../bootstrap.ts';
import { setupLinkFor } from '../setup-link.ts';
import { Browser } from './browser.ts';
import { expect, list, type Api, type Json, type StepOf } from './story-parts.ts';

/** The API as somebody who signed in with a browser: what people decide themselves, no key can. */
export async function asPerson(world: World, org: string, link: string): Promise<Api> {
  const browser = new Browser();
  await browser.open(link);
  await browser.submit(/Sign in as/);
  return async (method, path, body) => {
    const url = new URL(`${world.origin}/api/orgs/${org}${path}`);
    const answer = await fetch(url, {
      method,
      headers: {
        cookie: browser.cookies(url),
        origin: world.origin,
        'sec-fetch-site': 'same-origin',
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const got = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${got}`);
    return got === '' ? {} : (JSON.parse(got) as Json);
  };
}

/** Two companies become one and part again. Returns a fresh link for the first owner, whose own was used here. */
export async function tellOfMerge(step: StepOf, world: World, northwind: Bootstrapped): Promise<string> {
  await step(async () => {
    const birch = await bootstrap(world, {
      org: 'Birch Shades',
      name: 'Benedikt Birch',
      email: 'benedikt@birch-shades.example',
    });
    const wilhelmina = await asPerson(world, northwind.org, northwind.setupLink);
    const benedikt = await asPerson(world, birch.org, birch.setupLink);
    const agree = async (): Promise<string> => {
      const merge = await benedikt('POST', '/merges', { with: northwind.org, as: 'joining' });
      const path = `/merges/${String(merge['id'])}`;
      await benedikt('POST', `${path}/send`, {});
      const seen = await wilhelmina('POST', `${path}/preview`, {});
      await wilhelmina('POST', `${path}/approve`, { hash: seen['hash'] });
      const applied = await benedikt('POST', `${path}/approve`, { hash: seen['hash'] });
      expect(applied['state'] === 'applied', `the merge is ${String(applied['state'])}`);
      return path;
    };
    const path = await agree();
    const together = list((await wilhelmina('GET', '/sister-orgs'))['items']).map((o) => String(o['name']));
    expect(together.includes('Birch Shades'), `after the merge the sisters are ${together.join(', ')}`);
    const undone = await wilhelmina('POST', `${path}/undo`, {});
    expect(undone['state'] === 'undone', `the merge is ${String(undone['state'])}`);
    // And again, for good: a deployment with one parent asks nobody at the door which company is theirs.
    await agree();
    return {
      value: undefined,
      says: 'Birch Shades joined Northwind Lamps: previewed, approved by an owner of each side, applied in one transaction, undone, and then done for good',
      look: `${northwind.api}${path}`,
    };
  });
  return (await setupLinkFor(world, northwind.owner)).url;
}
