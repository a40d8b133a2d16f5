// The bridge as a program of its own: `gatehouse bridge` runs it, and so does an MCPB bundle. It needs node and nothing else.
// stdout is the protocol; everything for people goes to stderr, and no token to either.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Relay } from './relay.ts';
import { Tokens } from './sign-in.ts';
import { configFolder, TokenStore } from './token-store.ts';
import { BridgeError, reasonOf } from './wire.ts';

const options = {
  url: { type: 'string' },
  connector: { type: 'string' },
  'read-only': { type: 'boolean', default: false },
  folder: { type: 'string' },
  open: { type: 'boolean', default: false },
  'sign-out': { type: 'boolean', default: false },
} as const;

/** As the newer `URL.parse`, which the node inside some clients does not have. */
const urlOf = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);

const say = (line: string): void => void process.stderr.write(`gatehouse bridge: ${line}\n`);

/** The address of a server: an origin, with https unless it is this machine. */
export function serverOf(text: string | undefined): URL {
  const url = urlOf(text ?? '');
  if (
    !url ||
    (url.protocol !== 'https:' && url.protocol !== 'http:') ||
    url.username ||
    url.pathname !== '/' ||
    url.search
  )
    throw new BridgeError('--url must be the address of your Gatehouse, for example https://gatehouse.example');
  if (url.protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname))
    throw new BridgeError('--url must begin with https: tokens go there');
  return url;
}

/** The name of a connector as it stands in an address; undefined: all of them. */
export function connectorOf(text: string | undefined): string | undefined {
  // A client that has no value for a setting of a bundle may leave its placeholder there.
  if (text === undefined || text === '' || text.startsWith('${')) return undefined;
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(text))
    throw new BridgeError('--connector must be the short name of a connector');
  return text;
}

/** Shows a page in the person's browser. The address comes from the server that was named, so only a page of it is opened. */
function show(server: URL, page: string): void {
  const url = urlOf(page);
  if (!url || url.origin !== server.origin) return;
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url.href]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url.href]
        : ['xdg-open', url.href];
  spawn(command ?? '', args, { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}

/** Runs the bridge until its client is gone. */
export async function bridge(args: string[]): Promise<number> {
  try {
    const { values } = parseArgs({ args, options });
    const server = serverOf(values.url);
    const connector = connectorOf(values.connector);
    const scope = values['read-only'] ? 'mcp:read' : 'mcp:read mcp:write';
    const store = new TokenStore(values.folder ?? configFolder(), server.origin, scope);
    if (values['sign-out']) {
      await store.forget();
      say('the sign-in is forgotten here; end the consent at the server to end what it gave');
      return 0;
    }
    const tokens = new Tokens({
      server,
      scope,
      store,
      say,
      show: (page) => (values.open ? show(server, page) : undefined),
    });
    const endpoint = new URL(connector === undefined ? '/mcp' : `/mcp/${connector}`, server);
    const relay = new Relay({ endpoint, tokens, say, write: (m) => void process.stdout.write(`${m}\n`) });
    // A client that is gone takes no more; what it no longer reads is no fault of ours.
    process.stdout.on('error', () => process.exit(0));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.stdin.destroy());
    const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
    lines.on('line', (line) => line.trim() !== '' && relay.take(line));
    await new Promise<void>((resolve) => void lines.once('close', resolve));
    await relay.close().catch(() => undefined);
    return 0;
  } catch (e) {
    say(e instanceof BridgeError ? e.message : e instanceof TypeError ? e.message : `failed (${reasonOf(e)})`);
    return 2;
  }
}
