import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stopTestCluster } from './test-db.ts';

/**
 * `npm test` after `npm run check`: every test of the repository but the walls, which check has run. One PostgreSQL serves all of them and is
 * stopped at the end. The last lines are the runner's own. Arguments are patterns of test files, to run some only.
 */
const patterns = process.argv.slice(2);
const runner = spawn(
  process.execPath,
  [
    '--test',
    '--test-reporter=spec',
    '--test-concurrency=2',
    '--test-timeout=300000',
    ...(patterns.length
      ? patterns
      : [
          'server/*.test.ts',
          'server/!(walls|node_modules)/**/*.test.ts',
          'packages/**/*.test.ts',
          'apps/**/*.test.ts',
        ]),
  ],
  { stdio: 'inherit', cwd: fileURLToPath(new URL('../../', import.meta.url)) },
);
const code = await new Promise<number>((resolve) => runner.once('exit', (c, signal) => resolve(signal ? 1 : (c ?? 1))));
await stopTestCluster();
process.exitCode = code;
