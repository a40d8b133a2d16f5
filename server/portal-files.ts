import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';

const built = new URL('../apps/portal/dist/', import.meta.url);
const Manifest = z.record(
  z.string(),
  z.object({
    file: z.string(),
    isEntry: z.boolean().optional(),
    css: z.array(z.string()).optional(),
    imports: z.array(z.string()).optional(),
  }),
);

const types: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
};

type PortalFile = { type: string; body: Buffer; gzip: Buffer | undefined };
/** What the page itself names, as addresses below /portal. */
export type PortalEntry = { script: string; preload: readonly string[]; styles: readonly string[] };

let files: Map<string, string> | undefined;
let entry: PortalEntry | undefined;
const ready = new Map<string, PortalFile>();

/** Undefined while the portal is not built. A build is looked for until there is one, and kept then: its files are named by their content. */
export function portalEntry(): PortalEntry | undefined {
  if (entry) return entry;
  const manifest = new URL('.vite/manifest.json', built);
  if (!existsSync(new URL('stamp', built)) || !existsSync(manifest)) return undefined;
  const chunks = Manifest.parse(JSON.parse(readFileSync(manifest, 'utf8')));
  const main = Object.values(chunks).find((c) => c.isEntry);
  if (!main) return undefined;
  const at = (file: string): string => `/portal/${file}`;
  const imported = (main.imports ?? []).flatMap((name) => chunks[name] ?? []);
  entry = {
    script: at(main.file),
    preload: imported.map((c) => at(c.file)),
    styles: [...new Set([main, ...imported].flatMap((c) => c.css ?? []))].map(at),
  };
  return entry;
}

/** The built files by address. Only names that the build made are ever read, so no address can lead elsewhere. */
function fileAt(path: string): PortalFile | undefined {
  if (!portalEntry()) return undefined;
  files ??= new Map(readdirSync(new URL('assets/', built)).map((name) => [`/portal/assets/${name}`, name]));
  const name = files.get(path);
  if (name === undefined) return undefined;
  const known = ready.get(path);
  if (known) return known;
  const body = readFileSync(new URL(`assets/${name}`, built));
  const type = types[extname(name)] ?? 'application/octet-stream';
  const file = { type, body, gzip: type.startsWith('text/') ? gzipSync(body, { level: 9 }) : undefined };
  ready.set(path, file);
  return file;
}

/** Answers with a built file of the portal. They are the same for everybody and never change under their name. */
export function answerPortalFile(req: IncomingMessage, res: ServerResponse, path: string): boolean {
  if (!path.startsWith('/portal/assets/')) return false;
  const file = req.method === 'GET' || req.method === 'HEAD' ? fileAt(path) : undefined;
  if (!file) {
    res
      .writeHead(404, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
      .end('this build of the portal has no such file; load the page again\n');
    return true;
  }
  const zipped = file.gzip && /\bgzip\b/.test(req.headers['accept-encoding'] ?? '');
  res.writeHead(200, {
    'content-type': file.type,
    'cache-control': 'public, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
    ...(file.gzip ? { vary: 'accept-encoding' } : {}),
    ...(zipped ? { 'content-encoding': 'gzip' } : {}),
  });
  res.end(req.method === 'HEAD' ? undefined : zipped ? file.gzip : file.body);
  return true;
}
