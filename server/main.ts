import { fileURLToPath } from 'node:url';
import { makeLog } from '#kernel/log.ts';
import { Problem } from '#kernel/problem.ts';
import { environment, readConfig } from './config.ts';
import { serve } from './serve.ts';
import { welcome } from './welcome.ts';

// `npm start`: a node. What it prints to people goes to stdout before its log lines begin.
const fail = (e: unknown): never => {
  if (e instanceof Problem)
    console.error(`Gatehouse cannot start: ${e.says}\n${e.fix === undefined ? '' : `To do: ${e.fix}\n`}(${e.code})`);
  else console.error('Gatehouse cannot start:', e);
  process.exit(1);
};

try {
  const config = readConfig(environment(), fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, ''));
  const log = makeLog(config.logLevel);
  const serving = await serve(config, log);
  for (const line of await welcome(serving)) console.log(line);
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (stopping) process.exit(1); // asked twice: at once
      stopping = true;
      serving.stop().then(() => process.exit(0), fail);
    });
} catch (e) {
  fail(e);
}
