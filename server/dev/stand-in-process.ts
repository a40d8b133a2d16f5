import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/** The command line of a stand-in: the options it has, and `--port`. An unknown option ends it with a message. */
export function standInArgs<const O extends string>(
  names: readonly O[],
): { port: number } & { [K in O]: string | undefined } {
  const options = Object.fromEntries([...names, 'port'].map((n) => [n, { type: 'string' as const }]));
  const { values } = parseArgs({ options });
  const given = Object.fromEntries(names.map((n) => [n, values[n]])) as { [K in O]: string | undefined };
  const port = Number(values['port'] ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new RangeError(`--port ${String(values['port'])} is not a port`);
  return { ...given, port };
}

/**
 * Listens on the loopback address, builds the handler for the URL that it got, and prints one line of JSON with that URL.
 * Ends on SIGTERM and SIGINT, and when whoever started it closes its stdin or dies.
 */
export async function serveStandIn(
  port: number,
  build: (url: string) => Handler | Promise<Handler>,
  more: (url: string) => Record<string, string> = () => ({}),
): Promise<void> {
  const server = createServer();
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('request', await build(url));
  const end = (): void => process.exit(0);
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  process.stdin.once('end', end).once('close', end).once('error', end).resume();
  console.log(JSON.stringify({ url, ...more(url) }));
}
