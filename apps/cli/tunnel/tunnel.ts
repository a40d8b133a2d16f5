// The agent of a tunnel, as `gatehouse tunnel`. It connects outwards, takes requests, and reaches what its own command line allows and
// nothing else. It needs node and the wire's own files; everything for people goes to stderr, and no secret anywhere.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readDestination, shownDestination, type Destination } from '@gatehouse/contract/tunnel/destination.ts';
import { MAX_ALLOW } from '@gatehouse/contract/tunnel/frame.ts';
import { pauseOf } from './pause.ts';
import { connect, type Connection } from './connect.ts';

const options = {
  url: { type: 'string' },
  'secret-file': { type: 'string' },
  allow: { type: 'string', multiple: true },
  name: { type: 'string' },
} as const;

export const VERSION = '0.1.0';
/** What is under way when the agent is told to stop has this long. */
const LEAVE_MS = 10_000;
/** A connection that lasted so long was a good one: the next pause is short again. */
const GOOD_MS = 30_000;

const say = (line: string): void => void process.stderr.write(`gatehouse tunnel: ${line}\n`);

export class Usage extends Error {}

/** What the command line says, or what is wrong with it. */
export function settingsOf(args: string[]): { url: URL; secretFile: string; allow: Destination[]; name: string } {
  const { values } = parseArgs({ args, options });
  const url = URL.canParse(values.url ?? '') ? new URL(values.url ?? '') : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.pathname !== '/' || url.search || url.hash)
    throw new Usage('--url must be the address of your Gatehouse, for example https://gatehouse.example');
  if (url.protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname))
    throw new Usage('--url must begin with https: the secret and everything that is asked go there');
  const secretFile = values['secret-file'];
  if (!secretFile)
    throw new Usage('--secret-file must name the file that has the secret of the tunnel, and nothing else');
  if (!values.allow?.length)
    throw new Usage(
      '--allow must name what may be reached, for example --allow http://crm.internal:8080; give it once for each',
    );
  if (values.allow.length > MAX_ALLOW) throw new Usage(`--allow can be given ${MAX_ALLOW} times`);
  const allow = values.allow.map((text) => {
    const d = readDestination(text);
    if ('wrong' in d) throw new Usage(`--allow ${text}: ${d.wrong}`);
    return d;
  });
  const name = (values.name ?? hostname()).replaceAll(/[\0-\x1f\x7f]/g, ' ').slice(0, 100);
  return { url, secretFile, allow, name: name === '' ? 'agent' : name };
}

/** The secret as it is in its file now: a rotated one is found at the next connection, without a restart. */
function secretIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (e) {
    throw new Usage(
      `the secret file ${file} cannot be read (${e instanceof Error && 'code' in e ? String(e.code) : 'unknown'})`,
    );
  }
  if (!/^ght_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/.test(text))
    throw new Usage(`the secret file ${file} does not have the secret of a tunnel in it (ght_…), and nothing else`);
  return text;
}

/** Runs the agent until it is told to stop. */
export async function tunnel(args: string[]): Promise<number> {
  const all = new Set<Connection>();
  const stop = new AbortController();
  try {
    const s = settingsOf(args);
    secretIn(s.secretFile);
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        if (stop.signal.aborted) process.exit(1); // asked twice: at once
        stop.abort();
        for (const c of all) c.leave();
        setTimeout(() => all.forEach((c) => c.end()), LEAVE_MS).unref();
      });
    say(`reaches ${s.allow.map(shownDestination).join(', ')} and nothing else`);
    for (let failures = 0; !stop.signal.aborted;) {
      let secret: string;
      try {
        secret = secretIn(s.secretFile);
      } catch (e) {
        // While it is being replaced.
        say(e instanceof Error ? e.message : 'the secret file cannot be read');
        failures++;
        await pause(failures, stop.signal);
        continue;
      }
      const began = performance.now();
      const moved = Promise.withResolvers<undefined>();
      const connection = connect({
        ...s,
        secret,
        version: VERSION,
        welcome: (w) => say(`connected to the tunnel “${w.name}” as ${w.agent}`),
        leaving: () => moved.resolve(undefined),
        fault: (e) => say(`a fault of this agent: ${e instanceof Error ? e.message : 'unknown'}`),
      });
      all.add(connection);
      const ended = connection.over.then((reason) => {
        all.delete(connection);
        return reason;
      });
      const reason = await Promise.race([ended, moved.promise]);
      if (performance.now() - began >= GOOD_MS || (reason === undefined && failures === 0)) failures = 0;
      else failures++;
      if (stop.signal.aborted) break;
      say(reason === undefined ? 'the server sends this agent to another node' : `not connected: ${reason.says}`);
      await pause(reason === undefined && failures === 0 ? 0 : Math.max(1, failures), stop.signal);
    }
    await Promise.all([...all].map((c) => c.over));
    return 0;
  } catch (e) {
    say(e instanceof Error ? e.message : 'failed');
    return 2;
  }
}

const pause = (failures: number, signal: AbortSignal): Promise<void> =>
  sleep(pauseOf(failures, Math.random()), undefined, { signal }).catch(() => undefined);
