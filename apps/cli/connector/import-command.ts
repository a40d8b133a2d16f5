import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { connectorNamed } from '../policy/api.ts';
import { EXIT, usage } from '../policy/exit.ts';
import type { PolicyCommand } from '../policy/run-policy.ts';
import { text, texts, type Values } from '../scim/scim-options.ts';
import { pairOf } from './choice-options.ts';
import { tableOf } from './table.ts';

const Preview = z.looseObject({
  title: z.string(),
  version: z.string(),
  openapi: z.string(),
  servers: z.array(z.looseObject({ url: z.string() })),
  security: z.array(z.looseObject({ scheme: z.string(), type: z.string(), why: z.string().nullable() })),
  operations: z.array(
    z.looseObject({
      key: z.string(),
      name: z.string(),
      class: z.string(),
      notes: z.array(z.string()),
      refused: z.looseObject({ at: z.string(), why: z.string() }).nullable(),
      differs: z.string().nullable(),
    }),
  ),
  gone: z.array(z.looseObject({ key: z.string(), name: z.string() })),
});
const Tools = z.array(z.looseObject({ key: z.string(), name: z.string(), class: z.string() }));
const Imported = z.looseObject({
  id: z.string(),
  slug: z.string(),
  mcp: z.string(),
  actAs: z.string(),
  redirectUri: z.string().nullable(),
  tools: Tools,
});
const names = z.array(z.string());
const Again = z.looseObject({ tools: Tools, added: names, changed: names, restored: names, removed: names });

/** `gatehouse connector import FILE|URL`: a REST service by its OpenAPI document. */
export const importCommand: PolicyCommand = {
  help: `gatehouse connector import FILE|URL --preview [--into CONNECTOR]
gatehouse connector import FILE|URL --slug SLUG [--name NAME] (--all | --operation 'GET /pets' …) [--server URL] …
gatehouse connector import FILE|URL --into CONNECTOR [--all | --operation …]
Makes a REST service available by its OpenAPI document (3.0 or 3.1, JSON or YAML), or takes a newer one for a connector that was imported
before. A file is read here; an address is fetched by the server. The tools wait for a review. The key needs the permission connector.manage.
  --preview             show what would come of it, and make nothing
  --all                 every operation that can be imported
  --operation KEY       method and path, or KEY=CLASS with read, write or destructive; may be repeated
  --server URL          where the service is, where the document names several or none
  --variable NAME=VALUE what {NAME} in that address stands for; may be repeated
  --scheme NAME         which of the document's security schemes is used
  --no-credential       the service asks for nobody
  --whoami PATH         a path that says whose account a credential is: /users/me
  --access LEVEL        read_write (default) or read_only
  --tunnel ID           the tunnel that leads to an address given here, and to the service
  --private             the addresses of document and service may be inside the network, and plain http`,
  options: {
    source: { type: 'string' },
    preview: { type: 'boolean' },
    slug: { type: 'string' },
    name: { type: 'string' },
    into: { type: 'string' },
    all: { type: 'boolean' },
    operation: { type: 'string', multiple: true },
    server: { type: 'string' },
    variable: { type: 'string', multiple: true },
    scheme: { type: 'string' },
    'no-credential': { type: 'boolean' },
    whoami: { type: 'string' },
    access: { type: 'string' },
    private: { type: 'boolean' },
    tunnel: { type: 'string' },
  },
  prepare(v) {
    const source = sourceOf(v);
    const into = text(v, 'into');
    if (v['preview'] === true)
      return async ({ api, answer }) => {
        const connector = into === undefined ? {} : { connector: await connectorNamed(api, into) };
        const p = await api.ask('POST', '/openapi/preview', Preview, { ...source, ...connector });
        answer(linesOf(p), p);
        return EXIT.ok;
      };
    const operations = chosen(v);
    if (into !== undefined)
      return async ({ api, answer }) => {
        const path = `/connectors/${await connectorNamed(api, into)}/openapi`;
        const r = await api.ask('PUT', path, Again, { ...source, ...(operations ? { operations } : {}) });
        const line = (what: string, which: readonly string[]): string[] =>
          which.length === 0 ? [] : [`  ${what.padEnd(9)} ${which.join(', ')}`];
        answer(
          [
            `${into} has ${r.tools.length} operations now.`,
            ...line('new', r.added),
            ...line('changed', r.changed),
            ...line('back', r.restored),
            ...line('gone', r.removed),
            ...(r.added.length + r.changed.length > 0 ? ['New and changed tools wait for a review.'] : []),
          ],
          r,
        );
        return EXIT.ok;
      };
    const slug = text(v, 'slug');
    if (slug === undefined) throw usage('--slug is missing', 'or say --preview, or --into CONNECTOR');
    if (operations === undefined)
      throw usage(
        'say which operations become tools',
        "--all, or --operation 'GET /pets' for each; --preview shows them",
      );
    const server = text(v, 'server');
    const one = (flag: string): object => (text(v, flag) === undefined ? {} : { [flag]: text(v, flag) });
    const body = {
      ...source,
      slug,
      ...one('name'),
      ...one('scheme'),
      ...one('whoami'),
      ...one('access'),
      ...(v['no-credential'] === true ? { auth: { kind: 'none' } } : {}),
      ...(server === undefined
        ? {}
        : {
            server: {
              url: server,
              variables: Object.fromEntries(texts(v, 'variable').map((p) => pairOf('variable', p))),
            },
          }),
      operations,
    };
    return async ({ api, answer }) => {
      const c = await api.ask('POST', '/openapi', Imported, body);
      const next: Record<string, string> = {
        none: 'It asks for nobody.',
        organization: "Give it the organization's account.",
        person: `Register an app at the service with the redirect address ${c.redirectUri ?? ''} and enter it for this connector; then people connect at /connections.`,
      };
      answer(
        [
          `${c.slug} is there (${c.id}) with ${c.tools.length} tools, which wait for a review.`,
          `  address  ${c.mcp}`,
          `  next     ${next[c.actAs] ?? ''}`,
          '',
          ...tableOf(
            ['TOOL', 'CLASS', 'OPERATION'],
            c.tools.map((t) => [t.name, t.class, t.key]),
          ),
        ],
        c,
      );
      return EXIT.ok;
    };
  },
};

function sourceOf(v: Values): object {
  const source = text(v, 'source');
  if (source === undefined) throw usage('say which document: a file or an address');
  const tunnel = text(v, 'tunnel');
  const allowed = {
    ...(v['private'] === true ? { allowPrivate: true } : {}),
    ...(tunnel === undefined ? {} : { tunnel }),
  };
  if (/^https?:\/\//i.test(source)) return { url: source, ...allowed };
  try {
    return { document: readFileSync(source, 'utf8'), ...allowed };
  } catch (e) {
    throw usage(
      `the document cannot be read from ${source}: ${e instanceof Error && 'code' in e ? String(e.code) : 'unreadable'}`,
    );
  }
}

function chosen(v: Values): 'all' | { key: string; class?: string }[] | undefined {
  const keys = texts(v, 'operation');
  if (v['all'] === true) {
    if (keys.length > 0) throw usage('--all is every operation', 'leave --operation out');
    return 'all';
  }
  if (keys.length === 0) return undefined;
  return keys.map((given) => {
    const [, key = given, cls] = /^(.*)=(read|write|destructive)$/.exec(given) ?? [];
    return { key, ...(cls === undefined ? {} : { class: cls }) };
  });
}

const linesOf = (p: z.infer<typeof Preview>): string[] => [
  `${p.title} ${p.version} (OpenAPI ${p.openapi})`,
  ...p.servers.map((s) => `  server   ${s.url}`),
  ...p.security.map((s) => `  scheme   ${s.scheme} (${s.type})${s.why === null ? '' : `: ${s.why}`}`),
  '',
  ...tableOf(
    ['TOOL', 'CLASS', 'OPERATION', 'SAYS'],
    p.operations.map((o) => [
      o.refused ? '-' : o.name,
      o.refused ? '-' : o.class,
      o.key,
      o.refused
        ? `not possible: ${o.refused.why} (${o.refused.at})`
        : [...(o.differs === null ? [] : [o.differs]), ...o.notes].join('; '),
    ]),
  ),
  ...p.gone.map((g) => `gone: ${g.name} (${g.key})`),
];
