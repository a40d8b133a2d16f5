import { listen } from '../listening-server.ts';
import type { Fault, SeenRequest, VendorStandIn } from './vendor-stand-in.ts';

/** An answer of a stand-in. `json`, `text` and `bytes` are bodies; at most one. */
export type Said = {
  status?: number;
  headers?: Record<string, string>;
  json?: unknown;
  text?: string;
  bytes?: Uint8Array;
};

export type VendorServer = Pick<VendorStandIn, 'origins' | 'seen' | 'close'> & {
  fault: VendorStandIn['fault'];
};

/** A vendor's HTTP: a listener for each role of its origins, every request kept, faults where a test asks for them. */
export async function serveVendor(
  roles: readonly string[],
  answer: (r: SeenRequest) => Said | Promise<Said>,
): Promise<VendorServer> {
  const seen: SeenRequest[] = [];
  const server: VendorServer = { origins: {}, seen, fault: undefined, close: async () => undefined };
  const listeners = await Promise.all(
    roles.map((at) =>
      listen((req, res) => {
        const chunks: Buffer[] = [];
        req.on('data', (c: Buffer) => chunks.push(c));
        req.on('end', () => {
          const url = new URL(req.url ?? '/', 'http://vendor');
          const r: SeenRequest = {
            method: req.method ?? 'GET',
            at,
            path: url.pathname,
            query: url.searchParams,
            headers: req.headers,
            body: Buffer.concat(chunks),
          };
          seen.push(r);
          const say = ({ status = 200, headers = {}, json, text, bytes }: Said): void => {
            const body = bytes ?? (json === undefined ? (text ?? '') : JSON.stringify(json));
            const type = json === undefined ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8';
            res.writeHead(status, { 'content-type': type, ...headers }).end(body);
          };
          const fault: Fault | undefined = server.fault?.(r);
          if (fault && 'drop' in fault) req.socket.destroy();
          else if (fault && 'hang' in fault) return;
          else if (fault)
            setTimeout(
              () =>
                say({
                  status: fault.status,
                  ...(fault.headers ? { headers: fault.headers } : {}),
                  ...(typeof fault.body === 'string' ? { text: fault.body } : { json: fault.body ?? {} }),
                }),
              fault.delayMs ?? 0,
            );
          else
            void Promise.resolve()
              .then(() => answer(r))
              .then(say, (e: unknown) => say({ status: 500, text: `the stand-in broke: ${String(e)}` }));
        });
      }),
    ),
  );
  server.origins = Object.fromEntries(roles.map((role, i) => [role, listeners[i]?.url ?? '']));
  server.close = async () => {
    await Promise.all(listeners.map((l) => l.close()));
  };
  return server;
}

export const header = (r: SeenRequest, name: string): string | undefined => {
  const value = r.headers[name];
  return Array.isArray(value) ? value[0] : value;
};
export const bearerOf = (r: SeenRequest): string | undefined =>
  /^Bearer (.+)$/.exec(header(r, 'authorization') ?? '')?.[1];
export const formOf = (r: SeenRequest): URLSearchParams | undefined =>
  header(r, 'content-type')?.startsWith('application/x-www-form-urlencoded')
    ? new URLSearchParams(r.body.toString('utf8'))
    : undefined;
export const basicOf = (r: SeenRequest): { id: string; secret: string } | undefined => {
  const given = /^Basic (.+)$/.exec(header(r, 'authorization') ?? '')?.[1];
  if (given === undefined) return undefined;
  const text = Buffer.from(given, 'base64').toString('utf8');
  const at = text.indexOf(':');
  // RFC 6749 §2.3.1: both are form-encoded first.
  return { id: decodeURIComponent(text.slice(0, at)), secret: decodeURIComponent(text.slice(at + 1)) };
};

/** Sends the visitor's browser on. */
export const redirect = (to: string, more: Readonly<Record<string, string | null | undefined>>): Said => {
  const url = new URL(to);
  for (const [k, v] of Object.entries(more)) if (v !== null && v !== undefined) url.searchParams.set(k, v);
  return { status: 302, headers: { location: url.href } };
};
