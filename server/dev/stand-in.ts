import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A stand-in that runs as a process of its own, as the system it stands for would. */
export type StandIn<Ready> = {
  /** What it printed when it was ready. */
  ready: Ready;
  /** Lines that it wrote to stderr so far, e.g. the calls that it received. */
  lines: readonly string[];
  stop(): Promise<void>;
};

/**
 * Starts `server/dev/<script>` and waits until it says that it is ready. It ends with us even if we are killed: it holds the other end
 * of a pipe, and the kernel closes ours.
 */
export async function startStandIn<Ready extends { url: string }>(
  script: 'idp.ts' | 'saml-idp.ts' | 'crm.ts' | 'everything.ts' | 'vendors/serve.ts',
  args: readonly string[] = [],
): Promise<StandIn<Ready>> {
  const child = spawn(process.execPath, [new URL(script, import.meta.url).pathname, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (l) => lines.push(l));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await new Promise<Ready>((resolve, reject) => {
    // Libraries also write notices there; ours is the one that is JSON.
    createInterface({ input: child.stdout }).on('line', (l) => {
      if (l.startsWith('{')) resolve(JSON.parse(l) as Ready);
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`${script} ended with ${code} before it was ready:\n${lines.join('\n')}`)),
    );
  });
  return {
    ready,
    lines,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
