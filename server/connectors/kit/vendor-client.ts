import { setTimeout as wait } from 'node:timers/promises';
import type { Egress, EgressRules } from '#kernel/egress.ts';
import { parseJson } from '#kernel/json.ts';
import { MiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Unlocked } from '#vault/credentials.ts';
import type { Origins } from '#vault/vendor-address.ts';
import type { Settings } from '#vault/vendor-auth.ts';
import type { Manifest } from './manifest.ts';
import { echoesOf, present, withoutEchoes } from './present-credential.ts';
import { readRefusal, refusalOf, retryAfterMs, VendorRefusal } from './vendor-refusal.ts';
import { urlOf } from './vendor-url.ts';

export { VendorRefusal } from './vendor-refusal.ts';

/**
 * A vendor's REST API as one connection may use it. The credential is put in at the last moment by the vault and goes to the connector's origins
 * only; a 401 renews it once and asks again; 429 and the vendor's own limits are kept to within the call's time; nothing that writes is sent
 * twice once a byte of it may have been acted on.
 */
export interface VendorClient {
  /**
   * One request. Throws `VendorRefusal` for an answer of 400 and above that is not among `takes`, and a Problem where nothing was reached.
   */
  send(r: VendorRequest): Promise<VendorAnswer>;
  /** What came with the token that the API needs: `instance_url`, `base_uri`, account ids. */
  readonly facts: Readonly<Record<string, string>>;
  /** What the credential may do, as the vendor said. */
  readonly scopes: readonly string[];
  readonly settings: Settings;
  /** A client whose credential can do less, where the account can be narrowed (see OrganizationGrant.mint); else the same client. */
  narrowed(to: Readonly<Record<string, unknown>>): VendorClient;
}

export type VendorRequest = {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A role of the manifest's origins; default `api`. A fact that is an origin (`instance_url`) is named with `fact:instance_url`. */
  at?: string;
  /**
   * Begins with a slash and has no query. Segments from arguments go through `segment` (vendor-path.ts) and through nothing else. Or a complete
   * address that the vendor gave (the next page): it is followed if it is under one of the connector's origins, and `query` is absent then.
   */
  path: string;
  query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** In place of `query`: written already, every part of it encoded (openapi/encode-request.ts). */
  search?: string;
  headers?: Readonly<Record<string, string>>;
  /** At most one of these. */
  json?: unknown;
  form?: Readonly<Record<string, string>>;
  body?: Uint8Array;
  /** Statuses of 400 and above that are an answer here. */
  takes?: readonly number[];
  /** Largest answer; above it the answer ends with `too_large`. Default 4 MiB. */
  maxBytes?: number;
  /** Whether asking again changes nothing at the vendor. Default: GET only. */
  safe?: boolean;
  /** Follows one redirect to a download address that the vendor made for this request, without the credential. */
  followDownload?: true;
};

export type VendorAnswer = {
  status: number;
  headers: Headers;
  bytes: Buffer;
  /** Parsed strictly; throws `VendorRefusal` where it is no JSON. */
  json(): unknown;
};

/** What the vault gives: a token that is good now. `refused` is one that the vendor did not take. */
export type Unlock = (refused?: Secret, narrow?: Readonly<Record<string, unknown>>) => Promise<Unlocked>;

export type VendorReach = {
  manifest: Pick<Manifest, 'name' | 'readError' | 'errorsInAnswers' | 'factHosts' | 'present' | 'echoes'>;
  settings: Settings;
  /** By `originsOf`; a credential goes nowhere else. */
  origins: Origins;
  rules: EgressRules;
  egress: Pick<Egress, 'fetch'>;
  unlock: Unlock;
  signal: AbortSignal;
  now(): Date;
  /** When whoever called stops waiting. */
  deadline: Date;
};

/** A vendor's answer with a page of a list or a document; who expects more says so. */
const DEFAULT_MAX_BYTES = 4 * MiB;
/** Times that one request waits because the vendor asks it to; a vendor that is never content is told of. */
const MAX_WAITS = 3;
/** Where a vendor says "later" and not when. */
const FIRST_WAIT_MS = 1000;

/** A client for the length of one call: it opens the credential at once, so that one that is missing is found before anything is sent. */
export async function vendorClient(reach: VendorReach): Promise<VendorClient> {
  return clientOf(reach, undefined, { opened: await reach.unlock() });
}

function clientOf(
  reach: VendorReach,
  narrow: Readonly<Record<string, unknown>> | undefined,
  held: { opened: Unlocked | undefined },
  wide?: Unlocked,
): VendorClient {
  const known = (): Unlocked | undefined => held.opened ?? wide;
  return {
    settings: reach.settings,
    get facts() {
      return known()?.facts ?? {};
    },
    get scopes() {
      return known()?.scopes ?? [];
    },
    narrowed: (to) => clientOf(reach, { ...narrow, ...to }, { opened: undefined }, known()),
    send: (r) => send(reach, narrow, held, r),
  };
}

async function send(
  reach: VendorReach,
  narrow: Readonly<Record<string, unknown>> | undefined,
  held: { opened: Unlocked | undefined },
  r: VendorRequest,
): Promise<VendorAnswer> {
  const safe = r.safe ?? (r.method === 'GET' || r.method === 'HEAD');
  let renewed = false;
  let waits = 0;
  for (;;) {
    const opened = (held.opened ??= await reach.unlock(undefined, narrow));
    const url = urlOf(reach, opened, r);
    const answer = await once(reach, opened, url, r, safe);
    const at = r.at ?? 'api';
    const no = readRefusal(reach.manifest, at, answer);
    // INVARIANT (a 401 was not acted on): the one refusal after which everything may be sent again, once, with another credential.
    if (no?.means === 'credential' && !renewed) {
      renewed = true;
      // Somebody beside us may have renewed it meanwhile.
      if (held.opened === opened) held.opened = await reach.unlock(opened.token, narrow);
      if (held.opened.token.reveal() !== opened.token.reveal()) continue;
    }
    // 429 says that nothing was done; a fault may come after the deed.
    if (no?.means === 'throttled' || (answer.status === 503 && safe && answer.headers.has('retry-after'))) {
      const asked = no?.afterSeconds === undefined ? retryAfterMs(answer.headers, reach.now()) : no.afterSeconds * 1000;
      const ms = asked ?? FIRST_WAIT_MS * 2 ** waits;
      const left = reach.deadline.getTime() - reach.now().getTime();
      if (waits++ < MAX_WAITS && ms < left) {
        await wait(ms, undefined, { signal: reach.signal }).catch((e: unknown) => {
          throw reach.signal.reason ?? e;
        });
        continue;
      }
      throw refusalOf(
        reach.manifest.name,
        answer.status,
        { ...no, afterSeconds: ms / 1000, means: 'throttled' },
        opened.token,
      );
    }
    if (no && !r.takes?.includes(answer.status)) throw refusalOf(reach.manifest.name, answer.status, no, opened.token);
    return answer;
  }
}

/** One request, sent once, and at most one download that it leads to. */
async function once(
  reach: VendorReach,
  opened: Unlocked,
  url: URL,
  r: VendorRequest,
  safe: boolean,
): Promise<VendorAnswer> {
  const rules: EgressRules = {
    ...reach.rules,
    maxBytes: r.maxBytes ?? DEFAULT_MAX_BYTES,
    timeoutMs: Math.max(1, reach.deadline.getTime() - reach.now().getTime()),
  };
  try {
    const { to, init } = requestOf(reach, opened, url, r);
    const first = await reach.egress.fetch(to, init, rules);
    if (first.status < 300 || first.status > 399) return await answerOf(reach.manifest, first, opened);
    await first.body?.cancel();
    const location = first.headers.get('location');
    if (r.followDownload !== true || location === null) return emptyAnswer(reach.manifest.name, first);
    const target = URL.parse(location, url);
    // What cannot be read is not repeated: it may well be a permission.
    if (!target)
      throw new VendorRefusal(
        first.status,
        'foreign_address',
        `${reach.manifest.name} leads to something that is no address; it is not followed`,
      );
    // INVARIANT (no credential at a download): the address was made for this request and is its own permission. Where it may be is egress's to say.
    const download = await reach.egress.fetch(
      target,
      { method: 'GET', headers: { accept: r.headers?.['accept'] ?? '*/*' }, signal: reach.signal },
      rules,
    );
    return await answerOf(reach.manifest, download, opened);
  } catch (e) {
    if (reach.signal.aborted) throw reach.signal.reason;
    if (!(e instanceof Problem)) throw e;
    throw asRefusal(reach.manifest.name, e, r, safe);
  }
}

/** Headers that are the client's own: a tool that sets one has a mistake. */
const ours = /^(authorization|cookie|host|connection|content-length|transfer-encoding|proxy-.*)$/i;

function requestOf(reach: VendorReach, opened: Unlocked, url: URL, r: VendorRequest): { to: URL; init: RequestInit } {
  const headers = new Headers({ accept: 'application/json', 'user-agent': 'gatehouse/0.1.0' });
  for (const [name, value] of Object.entries(r.headers ?? {})) {
    if (ours.test(name)) throw new Error(`a tool cannot set the header ${name}`);
    headers.set(name, value);
  }
  const to = present(reach.manifest.present, opened.token, headers, url);
  const given = [r.json, r.form, r.body].filter((b) => b !== undefined);
  if (given.length > 1) throw new Error('a request has one body');
  let body: string | Uint8Array<ArrayBuffer> | undefined;
  if (r.json !== undefined) {
    body = JSON.stringify(r.json);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json; charset=utf-8');
  } else if (r.form !== undefined) {
    body = new URLSearchParams({ ...r.form }).toString();
    headers.set('content-type', 'application/x-www-form-urlencoded');
  } else if (r.body !== undefined) body = new Uint8Array(r.body);
  return { to, init: { method: r.method, headers, signal: reach.signal, ...(body === undefined ? {} : { body }) } };
}

/** What a vendor sends along that is a credential, or could become one. */
const kept = (name: string): boolean => !/^(set-cookie2?|authorization|www-authenticate|proxy-.*)$|token/i.test(name);

async function answerOf(m: VendorReach['manifest'], response: Response, opened: Unlocked): Promise<VendorAnswer> {
  const bytes = Buffer.from(await response.arrayBuffer());
  if (!m.echoes) return made(m.name, response.status, response.headers, bytes);
  const echoes = echoesOf(m.present, opened.token);
  const headers = new Headers(
    [...response.headers].map(([name, value]) => [
      name,
      withoutEchoes(Buffer.from(value, 'latin1'), echoes).toString('latin1'),
    ]),
  );
  return made(m.name, response.status, headers, withoutEchoes(bytes, echoes));
}
const emptyAnswer = (vendor: string, { status, headers }: Response): VendorAnswer =>
  made(vendor, status, headers, Buffer.alloc(0));

function made(vendor: string, status: number, headers: Headers, bytes: Buffer): VendorAnswer {
  let parsed: { value: unknown } | undefined;
  return {
    status,
    headers: new Headers([...headers].filter(([name]) => kept(name))),
    bytes,
    json() {
      try {
        return (parsed ??= { value: parseJson(bytes) }).value;
      } catch (e) {
        const what = e instanceof Problem ? e.says : 'unreadable';
        throw new VendorRefusal(
          status,
          'not_json',
          `${vendor} does not answer with JSON that means one thing: ${what}`,
        );
      }
    },
  };
}

/** What went wrong on the way, as the caller must understand it: of what writes, nobody knows whether it was done. */
function asRefusal(vendor: string, e: Problem, r: VendorRequest, safe: boolean): Error {
  if (e.code === 'egress/too-large')
    return new VendorRefusal(
      0,
      'too_large',
      `${vendor} answers with more than is taken: ${e.says}${safe ? '' : '; it has been done all the same'}`,
    );
  const sent = e.code === 'egress/timeout' || e.code === 'egress/broken-answer' || e.code === 'egress/unreachable';
  const refused = e.cause instanceof Error && 'code' in e.cause && e.cause.code === 'ECONNREFUSED';
  if (safe || !sent || refused) return e;
  return new VendorRefusal(
    0,
    'outcome_unknown',
    `${e.says}; the ${r.method} may have been done all the same, so look before it is tried again`,
  );
}
