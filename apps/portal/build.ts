import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import process, { argv } from 'node:process';

const here = new URL('./', import.meta.url);
const stamp = new URL('dist/stamp', here);

/** A hash of everything that the build reads. */
function sources(): string {
  const root = new URL('../../', here);
  const hash = createHash('sha256');
  const files = globSync(
    ['apps/portal/{src,vite.config.ts}{,/**}', 'packages/{ui,client,contract}/**', 'package-lock.json'],
    {
      cwd: root.pathname,
      exclude: ['**/node_modules/**', '**/*.test.ts', '**/dist/**'],
      withFileTypes: true,
    },
  );
  for (const f of files
    .filter((f) => f.isFile())
    .map((f) => `${f.parentPath}/${f.name}`)
    .toSorted())
    hash.update(f.slice(root.pathname.length)).update('\0').update(readFileSync(f)).update('\0');
  return hash.digest('hex');
}

/**
 * Builds the portal if what it is made of has changed since the last time; a few seconds. Where Vite is not installed (an installation
 * without development packages) a portal that was built before is used as it is. Returns what happened, in words.
 */
export async function buildPortal(): Promise<string> {
  const now = sources();
  const built = existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined;
  if (built === now) return 'the portal is built';
  const vite = await import('vite').catch(() => undefined);
  if (!vite) {
    return built === undefined
      ? 'the portal is not built, and Vite, which builds it, is not installed; run npm ci and npm run build'
      : 'the portal was built earlier and is used as it is';
  }
  const { config } = await import('./vite.config.ts');
  await vite.build(config);
  writeFileSync(stamp, now);
  return 'the portal has been built';
}

if (import.meta.filename === argv[1]) process.stdout.write(`${await buildPortal()}\n`);
