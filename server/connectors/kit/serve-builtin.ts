import { parseJson } from '#kernel/json.ts';
import type { Log } from '#kernel/log.ts';
import { Problem } from '#kernel/problem.ts';
import type { Access, ActAs, Person, Settings } from '#vault/vendor-auth.ts';
import type { BuiltinTool, ToolAnswer } from './builtin-tool.ts';
import type { Builtin, Manifest } from './manifest.ts';
import { definitionOf, toolsOf } from './tool-definition.ts';
import { VendorRefusal, type VendorClient } from './vendor-client.ts';

/** What one message to a connector's own server is answered with. */
export type BuiltinScene = {
  manifest: Pick<Manifest, 'type' | 'name'>;
  builtin: Builtin;
  access: Access;
  actAs: ActAs;
  settings: Settings;
  person: Person;
  /** Opens the credential. Not called for what needs none. */
  open(until: { signal: AbortSignal; deadline: Date }): Promise<VendorClient>;
  signal: AbortSignal;
  /** Longest time of one tool, in milliseconds. */
  toolMs: number;
  now(): Date;
  log: Pick<Log, 'error'>;
};

/** `text` undefined: nothing is to be said, as after a notification. */
export type BuiltinReply = { status: number; text: string | undefined };

const MODERN = '2026-07-28';
const older = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;
const VERSION = 'io.modelcontextprotocol/protocolVersion';
const SERVER = 'io.modelcontextprotocol/serverInfo';
/** A tool's answer says here which system its content is from and what that means for what comes after (BuiltinTool.brings). */
export const ORIGIN = 'gatehouse/origin';
/** The list depends on the connector and the person; a client that asks again after five minutes is soon enough, because calls are judged anew. */
const TTL_MS = 300_000;

/**
 * Our MCP server for a manifest's tools: the very bytes of a client in, one JSON-RPC message out. It keeps nothing between two messages, so it
 * speaks the stateless revision and the older ones without sessions. Throws a Problem of the vault where the credential is missing or over: such
 * a call has failed, and is not an answer.
 */
export async function serveBuiltin(
  body: Buffer,
  versionHeader: string | undefined,
  s: BuiltinScene,
): Promise<BuiltinReply> {
  const message = record(parseJson(body));
  const { id, method } = message;
  const params = record(message['params']);
  // A notification, or an answer to what we never ask.
  if (typeof method !== 'string' || id === undefined) return { status: 202, text: undefined };
  const claimed = record(params['_meta'])[VERSION];
  const version = typeof claimed === 'string' ? claimed : method === 'initialize' ? undefined : versionHeader;
  const modern = method === 'server/discover' || (version !== undefined && version >= MODERN);
  const reply = (status: number, rest: object): BuiltinReply => ({
    status,
    text: JSON.stringify({ jsonrpc: '2.0', id, ...rest }),
  });
  if (modern && version !== undefined && version !== MODERN)
    return reply(400, {
      error: {
        code: -32022,
        message: `MCP ${version.slice(0, 40)} is not spoken here`,
        data: { supported: [MODERN, ...older], requested: version.slice(0, 40) },
      },
    });
  const self = { name: `gatehouse-${s.manifest.type}`, title: s.manifest.name, version: s.builtin.version };
  const told = s.builtin.instructions === undefined ? {} : { instructions: s.builtin.instructions };
  const result = (of: object): BuiltinReply =>
    reply(200, { result: modern ? { ...of, resultType: 'complete', _meta: { ...metaOf(of), [SERVER]: self } } : of });
  const cached = modern ? { ttlMs: TTL_MS, cacheScope: 'private' } : {};
  switch (method) {
    case 'server/discover':
      return result({ supportedVersions: [MODERN, ...older], capabilities: { tools: {} }, ...told, ...cached });
    case 'initialize': {
      const wanted = params['protocolVersion'];
      const protocolVersion = older.find((v) => v === wanted) ?? older[0];
      return result({ protocolVersion, capabilities: { tools: {} }, serverInfo: self, ...told });
    }
    case 'ping':
      if (modern) break;
      return result({});
    case 'tools/list':
      return result({ tools: toolsOf(s.builtin, s.access).map(definitionOf), ...cached });
    case 'tools/call':
      return result(await called(params, s));
    default:
  }
  return reply(modern ? 404 : 200, {
    error: {
      code: -32601,
      message: `${s.manifest.name} has tools only: there is no method ${JSON.stringify(method.slice(0, 60))}`,
    },
  });
}

async function called(params: Readonly<Record<string, unknown>>, s: BuiltinScene): Promise<object> {
  const name = String(params['name']);
  const tool = s.builtin.tools.find((t) => t.name === name);
  if (!tool) return failed(`there is no tool ${JSON.stringify(name.slice(0, 100))}; ask for the list of tools`);
  if (s.access === 'read_only' && tool.class !== 'read')
    return failed(
      `${name} changes something, and this connector may only read; an administrator can change its access`,
    );
  const args = tool.input.safeParse(params['arguments'] ?? {});
  if (!args.success) return failed(misfit(name, args.error.issues));

  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error('the tool took too long')), s.toolMs);
  const signal = AbortSignal.any([s.signal, late.signal]);
  try {
    const vendor = await s.open({ signal, deadline: new Date(s.now().getTime() + s.toolMs) });
    missingScope(tool, vendor, s);
    const call = { vendor, settings: s.settings, actAs: s.actAs, person: s.person, now: s.now(), signal };
    // `args` is what this very schema made of them, which is the type that `run` was declared with.
    const answer = await inTime(tool.run(call, args.data as never), signal);
    return { ...answer, _meta: { [ORIGIN]: { system: s.manifest.type, brings: tool.brings } } };
  } catch (e) {
    if (s.signal.aborted) throw e;
    if (late.signal.aborted)
      return failed(
        `${s.manifest.name} took longer than ${Math.round(s.toolMs / 1000)} seconds${tool.class === 'read' ? '' : '; it may have been done all the same, so look before it is tried again'}`,
      );
    if (e instanceof VendorRefusal) return failed(e.says);
    if (!(e instanceof Problem)) {
      s.log.error({ err: e, tool: `${s.manifest.type}/${name}` }, 'a built-in tool broke');
      return failed('something broke on our side; whoever runs this deployment finds it in the log');
    }
    if (e.code.startsWith('vault/') || e.code === 'connectors/missing-scope') throw e;
    return failed(e.fix === undefined ? e.says : `${e.says}; ${e.fix}`);
  } finally {
    clearTimeout(timer);
  }
}

/** A tool that does not look at its signal is not waited for either. */
function inTime<T>(running: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('ended'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    running.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** A connection that was made for less than the tool needs is found before the vendor says so in its own way. */
function missingScope(tool: BuiltinTool, vendor: VendorClient, s: BuiltinScene): void {
  if (tool.scopes.length === 0 || vendor.scopes.length === 0) return;
  if (tool.scopes.some((scope) => vendor.scopes.includes(scope))) return;
  throw new Problem('forbidden', 'connectors/missing-scope', {
    says: `${tool.name} needs ${tool.scopes.join(' or ')} at ${s.manifest.name}, and the connection was made without`,
    fix: 'connect again and allow it',
  });
}

/** What does not fit, by place. The values are the caller's own and are not repeated. */
const misfit = (name: string, issues: readonly { path: readonly PropertyKey[]; message: string }[]): string =>
  `the arguments of ${name} do not fit: ${issues
    .slice(0, 10)
    .map((i) => (i.path.length === 0 ? i.message : `${i.path.map(String).join('.')}: ${i.message}`))
    .join('; ')}`;

const failed = (says: string): ToolAnswer => ({ content: [{ type: 'text', text: says }], isError: true });

const record = (v: unknown): Readonly<Record<string, unknown>> =>
  typeof v === 'object' && v !== null && !Array.isArray(v) ? Object.fromEntries(Object.entries(v)) : {};
const metaOf = (of: object): object => ('_meta' in of && typeof of._meta === 'object' ? (of._meta ?? {}) : {});
