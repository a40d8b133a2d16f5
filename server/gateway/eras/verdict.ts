import type { Id } from '#kernel/id.ts';
import { isParams, type RpcId } from '../message.ts';
import { Broken, type UpstreamRequest } from '../upstream.ts';
import { askHttp } from './ask-http.ts';
import { MODERN, SERVER_INFO } from './rewrite.ts';
import { openLine } from './sse-line.ts';

/** What a server that speaks the stateless revision says of itself. */
export type Discovered = { capabilities: unknown; serverInfo: unknown; instructions: unknown };

/** The stateless revision; an older one over streamable HTTP; or one over the transport of 2024-11-05, with a stream and a place to post. */
export type Speech = 'modern' | 'older' | 'sse';

/**
 * Which revisions a connector's server speaks, as far as it was asked, and since when we believe it. A verdict is asked again after a day, and at
 * once when an answer contradicts it, so that a server that was renewed is not taken for the old one for ever.
 */
export type Verdicts = {
  /** Asks by `server/discover`, and then by opening a stream: neither has an effect. */
  speaks(connector: Id<'con'>, r: UpstreamRequest): Promise<Speech>;
  /** Something did not fit what we believe: it is asked again at the next request. */
  contradicted(connector: Id<'con'>): void;
};

const BELIEVED_MS = 24 * 60 * 60_000;
const PROBE_MS = 10_000;
const MAX_VERDICTS = 10_000;

export function eraVerdicts(now: () => number = () => performance.now()): Verdicts {
  const known = new Map<Id<'con'>, { at: number; address: string; says: Promise<Speech> }>();
  return {
    speaks(connector, r) {
      const address = r.origin + r.path;
      const verdict = known.get(connector);
      if (verdict && verdict.address === address && now() - verdict.at < BELIEVED_MS) return verdict.says;
      // Many wait for it, so it is nobody's own.
      const says = listenTo({ ...r, signal: AbortSignal.timeout(PROBE_MS) });
      if (known.size >= MAX_VERDICTS) known.clear();
      known.set(connector, { at: now(), address, says });
      // What is no verdict is not remembered.
      says.catch(() => known.delete(connector));
      return says;
    },
    contradicted: (connector) => void known.delete(connector),
  };
}

async function listenTo(r: UpstreamRequest): Promise<Speech> {
  let refused = false;
  if (await discover(r, (status) => (refused = takesNoPost.has(status)))) return 'modern';
  return refused && (await opensLine(r)) ? 'sse' : 'older';
}

/** How a server of the older transport answers a post where its stream is (2025-11-25, basic/transports, on backwards compatibility). */
const takesNoPost = new Set([400, 404, 405]);

async function opensLine(r: UpstreamRequest): Promise<boolean> {
  try {
    const line = await openLine(r, () => true);
    line.done.catch(() => undefined);
    line.close();
    return true;
  } catch {
    return false;
  }
}

/** Undefined: it answered, and not as the stateless revision does. What an older server says to a method it does not know is not fixed. */
export async function discover(
  r: UpstreamRequest,
  refused: (status: number) => void = () => undefined,
): Promise<Discovered | undefined> {
  const id: RpcId = 'gh-discover';
  const { 'user-agent': agent = 'gatehouse' } = r.headers;
  const asked = await askHttp({
    ...r,
    method: 'POST',
    headers: {
      'user-agent': agent,
      'accept-encoding': 'identity',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': MODERN,
      'mcp-method': 'server/discover',
    },
    body: Buffer.from(
      JSON.stringify({
        jsonrpc: '2.0',
        id,
        method: 'server/discover',
        params: {
          _meta: {
            'io.modelcontextprotocol/protocolVersion': MODERN,
            'io.modelcontextprotocol/clientCapabilities': {},
            'io.modelcontextprotocol/clientInfo': { name: 'gatehouse', version: '0.1.0' },
          },
        },
      }),
    ),
  });
  if (asked.status === 401 || asked.status === 403)
    throw new Broken(
      'credential_refused',
      "the connector refused the organization's credential; an administrator must renew it",
    );
  if (asked.status >= 500 || asked.status === 429)
    throw new Broken('upstream_error', `the connector answered with status ${asked.status}`);
  const result = asked.message?.['result'];
  if (asked.status !== 200) refused(asked.status);
  if (asked.status !== 200 || !isParams(result)) return undefined;
  const versions = result['supportedVersions'];
  if (!Array.isArray(versions) || !versions.includes(MODERN)) return undefined;
  const meta = result['_meta'];
  return {
    capabilities: result['capabilities'],
    serverInfo: (isParams(meta) ? meta[SERVER_INFO] : undefined) ?? result['serverInfo'],
    instructions: result['instructions'],
  };
}
