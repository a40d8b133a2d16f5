import { startEmbedded } from '#kernel/embedded.ts';
import { silentLog } from '#kernel/log.ts';
import { Problem } from '#kernel/problem.ts';

// A process with an embedded PostgreSQL, for tests that kill it: prints one line of JSON when it runs or has refused, and stays.
try {
  const { folder, port, pid, superUrl, ownerUrl, appUrl } = await startEmbedded({
    folder: process.argv[2] ?? '',
    log: silentLog,
  });
  console.log(JSON.stringify({ running: { folder, port, pid, superUrl, ownerUrl, appUrl } }));
  setInterval(() => undefined, 60_000);
} catch (e) {
  if (!(e instanceof Problem)) throw e;
  const { code, says, fix, more } = e;
  console.log(JSON.stringify({ refused: { code, says, fix, more } }));
}
