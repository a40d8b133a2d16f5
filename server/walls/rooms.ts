/**
 * The rooms of the server, lowest first, and what each may import beside kernel and audit. A room that is not here does not exist.
 * Top files of `server/` (main, doors, config, …) put rooms together and may import them all; nobody imports them.
 */
export const rooms: Record<string, readonly string[]> = {
  kernel: [],
  audit: [],
  org: [],
  keys: ['org'],
  directory: ['org'],
  domains: ['org'],
  provisioning: ['org', 'directory'],
  identity: ['org', 'domains', 'directory', 'provisioning'],
  authorization: ['org', 'identity'],
  notify: ['org', 'directory'],
  tunnels: ['org', 'notify'],
  vault: [],
  policy: ['org', 'directory'],
  connectors: ['org', 'directory', 'vault', 'notify', 'policy', 'tunnels'],
  plugins: ['org', 'directory', 'connectors'],
  dlp: ['org', 'directory'],
  approvals: ['org', 'directory', 'identity', 'notify', 'policy'],
  gateway: [
    'org',
    'directory',
    'identity',
    'authorization',
    'connectors',
    'plugins',
    'vault',
    'policy',
    'dlp',
    'approvals',
  ],
  start: ['org', 'identity'],
};

/** Folders of `server/` that are not rooms: tests about the building, stand-ins and the demo, benchmarks. They may import everything. */
export const outside = ['walls', 'dev', 'bench'] as const;

/** Doors inside the house: a name that only some files may use, and why. Exceptions only shrink; each list has at most five lines. */
export const doorsInside: { name: string; uses: RegExp; only: RegExp; why: string }[] = [
  {
    name: 'write',
    uses: /import \{[^}]*\bwrite\b[^}]*\} from '#kernel\/db\.ts'|import \{[^}]*\bwrite\b[^}]*\} from '\.\/db\.ts'/,
    only: /\.sql\.ts$|^kernel\/job\.ts$/,
    why: 'statements that write live in *.sql.ts, beside their rows',
  },
  {
    name: 'transact',
    uses: /\.transact\(/,
    only: /^audit\/change\.ts$|^audit\/(sequence|publish)[a-z-]*\.ts$|^gateway\/(call-writer|eras\/carried)\.ts$|^authorization\/adapter[a-z-]*\.ts$|^kernel\/(db|seal|open-seal)\.ts$|^keys\/key-place\.ts$/,
    why: 'everybody else writes through change(), so that nothing changes without its event',
  },
  {
    name: 'atOnce',
    uses: /\.atOnce\(/,
    only: /^gateway\/call-writer\.ts$|^kernel\/db\.ts$/,
    why: 'a statement that is its own transaction writes its events itself',
  },
  { name: 'process.env', uses: /process\.env/, only: /^config\.ts$/, why: 'only config.ts reads the environment' },
  {
    name: 'hono',
    uses: /from 'hono['/]/,
    only: /^kernel\/(operation|html|dialect)\.ts$|^doors\.ts$|^[a-z]+\/(gate|[a-z-]+\.http)\.ts$/,
    why: 'rooms speak operations; the framework stays in the doors',
  },
  {
    name: 'console',
    uses: /\bconsole\./,
    only: /^main\.ts$/,
    why: 'operators read the log, people read the start message',
  },
];
