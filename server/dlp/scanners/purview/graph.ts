import { MiB } from '#kernel/limits.ts';
import { ask, ScanFailure, type Answered, type Deadline } from '../exchange.ts';
import type { Asking } from '../said.ts';
import type { PurviewMemory } from './memory.ts';
import { base, purviewToken } from './purview-token.ts';

/** Answers of Graph are larger than a verdict: scopes name policies and places. */
const MAX_GRAPH_BYTES = 1 * MiB;
/** Where the answer says nothing, and the longest that we believe. */
const DEFAULT_PAUSE_S = 10;
const LONGEST_PAUSE_S = 600;

/** Nothing was taken, because Graph has asked to wait: what was to be said may be said again. */
export class AskedToWait extends ScanFailure {
  constructor(says: string) {
    super('refused', says, false);
  }
}

/** Posts to Graph with a token; a token that is refused is replaced once. Throttling is kept to by all of this process. */
export async function graph(
  a: Asking<'purview'>,
  path: string,
  body: unknown,
  until: Deadline,
  memory: PurviewMemory,
  etag?: string,
): Promise<Answered> {
  for (let attempt = 1; ; attempt++) {
    if (memory.pausedUntil > performance.now())
      throw new AskedToWait('Graph has asked to wait (429), and the time is not over');
    const bearer = await purviewToken(a, memory);
    const answer = await ask(
      a.egress,
      {
        url: `${base(a.config.graph)}/v1.0${path}`,
        headers: {
          authorization: `Bearer ${bearer}`,
          'content-type': 'application/json',
          accept: 'application/json',
          ...(etag === undefined ? {} : { 'if-none-match': etag }),
        },
        body: JSON.stringify(body),
        rules: a.rules,
        maxBytes: MAX_GRAPH_BYTES,
      },
      until,
    );
    if (answer.status === 401 && attempt === 1) {
      memory.token = undefined;
      continue;
    }
    if (answer.status === 429 || (answer.status === 503 && answer.headers.has('retry-after'))) {
      memory.pausedUntil = performance.now() + pauseOf(answer.headers.get('retry-after'), a.now) * 1000;
      throw new AskedToWait(`Graph asks to wait (${answer.status})`);
    }
    if (answer.status === 402)
      throw new ScanFailure(
        'refused',
        'Graph wants this to be paid for (402): set up billing for Purview in the tenant',
      );
    if (answer.status === 403)
      throw new ScanFailure(
        'refused',
        'the client lacks the permission Content.Process.User (403), or nobody has consented to it',
      );
    return answer;
  }
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function pauseOf(header: string | null, now: Date): number {
  const text = header?.trim() ?? '';
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : (Date.parse(text) - now.getTime()) / 1000;
  return Math.min(Math.max(Number.isFinite(seconds) ? seconds : DEFAULT_PAUSE_S, 1), LONGEST_PAUSE_S);
}
