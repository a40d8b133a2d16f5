import type { IncomingMessage } from 'node:http';
import { Problem } from '#kernel/problem.ts';

/**
 * Refuses requests that were not meant for us: a page whose name was made to point here (DNS rebinding), or another site's script.
 * INVARIANT (ours only): nothing else of a request is looked at before this.
 */
export function checkHost(req: IncomingMessage, origin: { host: string; origin: string }): void {
  const raw = req.rawHeaders;
  let hosts = 0;
  let credentials = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i];
    if (name === undefined || (name.length !== 4 && name.length !== 13)) continue;
    const lower = name.toLowerCase();
    if (lower === 'host') hosts++;
    else if (lower === 'authorization') credentials++;
  }
  const host = req.headers.host;
  if (hosts !== 1 || host?.toLowerCase() !== origin.host)
    throw new Problem('forbidden', 'gateway/foreign-host', {
      says: `this server is ${origin.host}, and the request is for ${host === undefined || host === '' ? 'no host' : JSON.stringify(host.slice(0, 100))}`,
      fix: `use ${origin.origin}`,
    });
  const from = req.headers.origin;
  if (from !== undefined && from !== origin.origin)
    throw new Problem('forbidden', 'gateway/foreign-origin', {
      says: `a page of ${JSON.stringify(from.slice(0, 100))} may not call this server`,
      fix: `call it from ${origin.origin}, or from a program that is no web page`,
    });
  if (credentials > 1)
    throw new Problem('invalid', 'gateway/two-credentials', {
      says: 'the request has more than one Authorization header',
      fix: 'send one',
    });
}
