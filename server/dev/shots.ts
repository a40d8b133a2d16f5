import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { portalHouse, settled, type Who } from './portal-house.ts';

// `npm run shots`: pictures of the portal's main pages from the demo's data, in the light and in the dark, into docs/pictures.
const folder = fileURLToPath(new URL('../../docs/pictures', import.meta.url));
const shots: { name: string; who: Who; at: string; width?: number; height?: number }[] = [
  { name: 'start', who: 'owner', at: 'start' },
  { name: 'audit', who: 'owner', at: 'audit' },
  { name: 'mappings', who: 'owner', at: 'directory/mappings' },
  { name: 'tool-review', who: 'owner', at: 'connectors/tools' },
  { name: 'rules', who: 'owner', at: 'policy/rules' },
  { name: 'approvals', who: 'owner', at: 'approvals/inbox' },
  { name: 'mine', who: 'seller', at: 'mine' },
  { name: 'start-phone', who: 'owner', at: 'start', width: 390, height: 844 },
];

mkdirSync(folder, { recursive: true });
const house = await portalHouse();
try {
  for (const scheme of ['light', 'dark'] as const)
    for (const { name, who, at, width = 1440, height = 900 } of shots) {
      const { page } = await house.as(who, { colorScheme: scheme, viewport: { width, height } });
      await page.goto(house.at(at));
      await settled(page);
      await page.screenshot({ path: `${folder}/${name}-${scheme}.png` });
      await page.context().close();
      console.log(`${name}-${scheme}.png`);
    }
} finally {
  await house.close();
}
