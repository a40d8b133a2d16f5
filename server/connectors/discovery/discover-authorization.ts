import type { Egress, EgressRules } from '#kernel/egress.ts';
import { parseJson } from '#kernel/json.ts';
import { KiB } from '#kernel/limits.ts';
import { asProblem, Problem } from '#kernel/problem.ts';
import { turnedAway } from '../fetch-catalogue.ts';
import { readChallenge } from './challenge.ts';
import type { FoundAuthorization } from './found-authorization.ts';
import {
  checkedEndpoint,
  checkedIssuer,
  readResourceMetadata,
  readServerMetadata,
  resourceMetadataUrls,
  serverMetadataUrls,
  shown,
  type ResourceMetadata,
  type ServerMetadata,
} from './metadata.ts';

/** Metadata has some kilobytes. */
const MAX_DOCUMENT_BYTES = 64 * KiB;
const DOCUMENT_MS = 5_000;
/** Somebody waits for all of them together. */
const DOCUMENTS_MS = 20_000;
/** A server that names more is not asked for the rest. */
const MAX_SERVERS = 3;

export type Asked = {
  url: string;
  rules: EgressRules;
  /** What is preferred where a server names several: the one that credentials are of already, then what an administrator named. */
  prefer: readonly string[];
};

/**
 * Finds out how an MCP server wants to be authorized at, by its own challenge and metadata (MCP 2026-07-28, Authorization Server Discovery). Nothing
 * is believed that is not about this server and of that issuer; nothing is followed to where egress does not go.
 */
export async function discoverAuthorization(egress: Egress, asked: Asked): Promise<FoundAuthorization> {
  const header = await turnedAway(egress, {
    url: asked.url,
    privateHost: undefined,
    tunnel: undefined,
    bearer: undefined,
    rules: asked.rules,
  });
  const challenge = readChallenge(header);
  const documents = documentsOf(egress, asked.rules);
  const said = challenge?.resourceMetadata;
  const resource =
    said === undefined
      ? await firstResource(documents, resourceMetadataUrls(asked.url), asked)
      : await namedResource(documents, said, asked);
  const servers = ordered(resource?.servers ?? older(asked), asked.prefer);
  if (servers.length === 0)
    throw new Problem('upstream', 'connectors/resource-metadata', {
      says: `${shown(resource?.at ?? asked.url)} names no authorization server`,
      fix: 'whoever runs the server must publish `authorization_servers`, or you give the server a bearer token',
    });
  const server = await firstServer(documents, servers, resource?.at ?? asked.url, asked.rules);
  return {
    ...server,
    resource: resource?.resource ?? canonical(asked.url),
    metadata: resource?.at ?? null,
    scopes: challenge?.scopes ? [...challenge.scopes] : (resource?.scopes ?? null),
  };
}

/** A server that publishes nothing: its origin, as MCP 2025-03-26 had it, or the one that an administrator named. */
const older = (asked: Asked): string[] => [...asked.prefer, new URL(asked.url).origin];

/** RFC 8707 §2: without a fragment; MCP: without a slash that means nothing. */
const canonical = (url: string): string => {
  const u = new URL(url);
  return u.pathname === '/' && u.search === '' ? u.origin : `${u.origin}${u.pathname}${u.search}`;
};

const ordered = (servers: readonly string[], prefer: readonly string[]): string[] => {
  const at = (s: string): number => {
    const i = prefer.findIndex((p) => p === s || URL.parse(p)?.origin === URL.parse(s)?.origin);
    return i === -1 ? prefer.length : i;
  };
  return [...new Set(servers)].sort((a, b) => at(a) - at(b)).slice(0, MAX_SERVERS);
};

type Located = ResourceMetadata & { at: string };

async function namedResource(documents: Documents, said: string, asked: Asked): Promise<Located> {
  const at = checkedEndpoint('resource_metadata', said, asked.url, asked.rules);
  const got = await documents(at);
  if (got.kind !== 'document') throw nothingAt(at, got.why, 'the server says that its metadata is there');
  return { ...readResourceMetadata(got.value, asked.url, at), at };
}

async function firstResource(
  documents: Documents,
  urls: readonly string[],
  asked: Asked,
): Promise<Located | undefined> {
  for (const at of urls) {
    const got = await documents(at);
    if (got.kind === 'document') return { ...readResourceMetadata(got.value, asked.url, at), at };
  }
  return undefined;
}

/** The first that can be used; why not, of the first, where none can. */
async function firstServer(
  documents: Documents,
  servers: readonly string[],
  at: string,
  rules: EgressRules,
): Promise<ServerMetadata> {
  let first: Problem | undefined;
  for (const issuer of servers)
    try {
      return await serverOf(documents, checkedIssuer(issuer, at, rules), rules);
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      first ??= e;
    }
  throw first ?? nothingAt(at, 'no issuer', 'it was asked');
}

async function serverOf(documents: Documents, issuer: string, rules: EgressRules): Promise<ServerMetadata> {
  let first: Problem | undefined;
  let last = '';
  for (const at of serverMetadataUrls(issuer)) {
    const got = await documents(at);
    if (got.kind === 'nothing') {
      last ||= got.why;
      continue;
    }
    try {
      return readServerMetadata(got.value, issuer, at, rules);
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      first ??= e;
    }
  }
  throw first ?? nothingAt(serverMetadataUrls(issuer).join(', '), last, `it is the metadata of ${shown(issuer)}`);
}

const nothingAt = (at: string, why: string, because: string): Problem =>
  new Problem('upstream', 'connectors/no-metadata', {
    says: `there is no metadata at ${shown(at)} (${why}); ${because}`,
    fix: 'ask whoever runs the server, or give it a bearer token',
  });

type Got = { kind: 'document'; value: unknown } | { kind: 'nothing'; why: string };
type Documents = (at: string) => Promise<Got>;

/** Reads metadata. A redirect is an answer that is none: what is not where it is said to be was put there by nobody who was asked. */
function documentsOf(egress: Egress, rules: EgressRules): Documents {
  const until = performance.now() + DOCUMENTS_MS;
  return async (at) => {
    const left = Math.floor(until - performance.now());
    if (left < 1) return { kind: 'nothing', why: 'all of it together takes too long' };
    try {
      const response = await egress.fetch(
        at,
        { headers: { accept: 'application/json' }, redirect: 'manual' },
        { ...rules, maxBytes: MAX_DOCUMENT_BYTES, timeoutMs: Math.min(DOCUMENT_MS, left) },
      );
      const type = (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
      if (response.status !== 200 || !/^application\/(?:[a-z0-9.+-]+\+)?json$/.test(type)) {
        await response.body?.cancel();
        return {
          kind: 'nothing',
          why:
            response.status >= 300 && response.status < 400
              ? 'it redirects, which is not followed'
              : response.status === 200
                ? 'it is not JSON'
                : `status ${response.status}`,
        };
      }
      return { kind: 'document', value: parseJson(await response.bytes()) };
    } catch (e) {
      return { kind: 'nothing', why: asProblem(e).says };
    }
  };
}
