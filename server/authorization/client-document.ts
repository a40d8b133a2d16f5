import type { Db } from '#kernel/db.ts';
import type { Egress } from '#kernel/egress.ts';
import { KiB } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { Problem } from '#kernel/problem.ts';
import { keepDocumentFresh } from './adapter-documents.ts';
import { findDocument } from './oauth-item.sql.ts';

/** A client metadata document, or a client's keys. */
export const MAX_DOCUMENT_BYTES = 16 * KiB;
/** A person waits for it in front of the consent page; the library's own limit is the same. */
export const DOCUMENT_TIMEOUT_MS = 2500;
/** A failed address is not asked again for this long, so that nobody can use us to knock at a door. */
export const FAILED_FOR_MS = 60_000;
/** Fetches per host and minute, and for all hosts together: far above what people do, far below what hurts a host. */
export const PER_HOST = 20;
export const PER_NODE = 120;

export type DocumentKit = {
  egress: Egress;
  oauth: Db;
  log: Log;
  now: () => Date;
  /** Hosts on private addresses whose documents may be fetched, because the configuration names them. */
  allowPrivate?: readonly string[] | undefined;
};

export type Documents = {
  /** The `fetch` of the library: metadata documents and keys of clients. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** The text that was last fetched well here, to be kept when somebody consents. */
  seen(url: string): string | undefined;
};

/** Fetches what clients publish about themselves, politely, and gets over a host that is down for a while. */
export function clientDocuments(kit: DocumentKit): Documents {
  const failed = new Map<string, number>();
  const good = new Map<string, string>();
  const counts = new Map<string, number>();
  let minute = 0;

  const bounded = <V>(map: Map<string, V>, key: string, value: V): void => {
    map.delete(key);
    if (map.size >= 500) for (const oldest of map.keys().take(100)) map.delete(oldest);
    map.set(key, value);
  };

  const spend = (host: string, at: number): void => {
    const now = Math.floor(at / 60_000);
    if (now !== minute) counts.clear();
    minute = now;
    for (const [who, most] of [
      [host, PER_HOST],
      ['', PER_NODE],
    ] as const) {
      const n = (counts.get(who) ?? 0) + 1;
      if (n > most)
        throw new Problem('too_many', 'authorization/client-fetches', {
          says: `too many client documents were asked of ${host} in one minute`,
          fix: 'try again in a minute',
        });
      counts.set(who, n);
    }
  };

  const lastGood = async (url: string): Promise<Response | undefined> => {
    const body = await kit.oauth.read({}, (db) => findDocument(db, url));
    if (body === undefined) return undefined;
    return new Response(body, {
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'max-age=60' },
    });
  };

  return {
    seen: (url) => good.get(url),
    async fetch(input, init) {
      const url = input instanceof Request ? input.url : String(input);
      const at = kit.now().getTime();
      const until = failed.get(url);
      if (until !== undefined && until > at) {
        const kept = await lastGood(url);
        if (kept) return kept;
        throw new Problem('upstream', 'authorization/client-document', {
          says: `the document at ${url} could not be read a moment ago`,
          fix: 'try again in a minute',
        });
      }
      spend(new URL(url).host, at);
      const { signal: _signal, ...rest } = init ?? {};
      // The library puts a dispatcher of its own into the options; ours checks and pins the address before it connects.
      const plain: RequestInit = { method: rest.method ?? 'GET', headers: rest.headers ?? {}, body: rest.body ?? null };
      try {
        const r = await kit.egress.fetch(url, plain, {
          maxBytes: MAX_DOCUMENT_BYTES,
          timeoutMs: DOCUMENT_TIMEOUT_MS,
          ...(kit.allowPrivate ? { allowPrivate: kit.allowPrivate } : {}),
        });
        if (r.status >= 500)
          throw new Problem('upstream', 'authorization/client-document', { says: `${url} answered ${r.status}` });
        if (r.status !== 200) bounded(failed, url, at + FAILED_FOR_MS);
        else {
          const body = await r.text();
          if (good.get(url) !== body) await keepDocumentFresh(kit.oauth, url, body);
          bounded(good, url, body);
          failed.delete(url);
          return new Response(body, { status: 200, headers: r.headers });
        }
        return r;
      } catch (e) {
        bounded(failed, url, at + FAILED_FOR_MS);
        kit.log.info({ err: e, host: new URL(url).host }, 'a client document could not be fetched');
        const kept = await lastGood(url);
        if (kept) return kept;
        throw e;
      }
    },
  };
}
