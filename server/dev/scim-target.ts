// A SCIM server as other products have them: correct by default, and rude in each of the ways that their documents, their users and the
// research of clients tell of. It runs inside the test, so that the test can move it while somebody reads it.
// One file of 330 lines, because every way of being rude is a few words in the answer to the same request.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type TargetUser = {
  id: string;
  userName: string;
  externalId?: string;
  displayName?: string;
  name?: unknown;
  active: boolean;
};
export type TargetGroup = { id: string; displayName: string; version: number; members: string[]; nested?: string[] };

/** What happens to one request. `after`: it is done, and the answer is lost. */
export type Disturbance =
  | { status: number; headers?: Record<string, string>; body?: string }
  | { drop: 'before' | 'after' }
  | { delayMs: number }
  | undefined;

export type SeenRequest = { method: string; path: string; body: Record<string, unknown> | undefined; at: number };

/** How it differs from a good server. */
export type Manners = {
  /** `short`: pages of `pageMax`, whatever was asked; `lying`: says that all that was asked is there; `stuck`: the first page for ever. */
  paging?: 'good' | 'short' | 'lying' | 'stuck' | 'cursor';
  pageMax?: number;
  /** Takes Add, Remove, Replace and nothing else. */
  capitalOps?: boolean;
  /** Forms of removal that it knows. */
  removes?: readonly ('rfc' | 'entraLegacy')[];
  /** What it does with a form that it does not know. */
  otherwise?: 'refuse' | 'ignore';
  /** Most member changes in a request, and how it says so. */
  perRequest?: number;
  tooMany?: 400 | 413;
  /** Only application/json. */
  plainJson?: boolean;
  filter?: 'quoted' | 'unquoted' | 'ignored' | 'refused';
  /** A group never shows its members; a user shows the groups. */
  hidesMembers?: boolean;
  noPatch?: boolean;
  etags?: boolean;
  noConfig?: boolean;
  /** Everything that goes wrong once in a while. */
  disturb?(r: SeenRequest, nth: number): Disturbance;
};

export type ScimTarget = {
  url: string;
  token: string;
  users: Map<string, TargetUser>;
  groups: Map<string, TargetGroup>;
  requests: SeenRequest[];
  /** What really changed, in order; a request that changed nothing leaves no line. */
  effects: string[];
  manners: Manners;
  addUser(userName: string, more?: Partial<TargetUser>): TargetUser;
  addGroup(displayName: string, members?: readonly TargetUser[]): TargetGroup;
  close(): Promise<void>;
};

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';

class Refusal extends Error {
  readonly status: number;
  readonly scimType: string | undefined;
  constructor(status: number, detail: string, scimType?: string) {
    super(detail);
    this.status = status;
    this.scimType = scimType;
  }
}

/** Starts one on the loopback address. */
export async function startScimTarget(manners: Manners = {}): Promise<ScimTarget> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const t: ScimTarget = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/scim/v2`,
    token: `tok_${randomUUID()}`,
    users: new Map(),
    groups: new Map(),
    requests: [],
    effects: [],
    manners,
    addUser(userName, more = {}) {
      const u = { id: randomUUID(), userName, active: true, ...more };
      t.users.set(u.id, u);
      return u;
    },
    addGroup(displayName, members = []) {
      const g = { id: randomUUID(), displayName, version: 1, members: members.map((m) => m.id) };
      t.groups.set(g.id, g);
      return g;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  server.on('request', (req, res) => void answer(t, req, res));
  return t;
}

async function answer(t: ScimTarget, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const c of req) chunks.push(c as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const seen: SeenRequest = {
    method: req.method ?? '',
    path: (req.url ?? '').replace('/scim/v2', ''),
    body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
    at: Date.now(),
  };
  t.requests.push(seen);
  const disturbance = t.manners.disturb?.(seen, t.requests.length);
  if (disturbance && 'drop' in disturbance && disturbance.drop === 'before') return void req.socket.destroy();
  if (disturbance && 'delayMs' in disturbance) await new Promise((r) => setTimeout(r, disturbance.delayMs));
  const type = t.manners.plainJson ? 'application/json' : 'application/scim+json';
  const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
    if (disturbance && 'drop' in disturbance) return void req.socket.destroy();
    res.writeHead(status, { 'content-type': type, ...headers });
    res.end(body === undefined ? undefined : JSON.stringify(body));
  };
  if (disturbance && 'status' in disturbance) {
    res.writeHead(disturbance.status, { 'content-type': type, ...disturbance.headers });
    return void res.end(disturbance.body ?? JSON.stringify({ status: String(disturbance.status), detail: 'not now' }));
  }
  try {
    if (req.headers.authorization !== `Bearer ${t.token}`) throw new Refusal(401, 'who are you');
    if (t.manners.plainJson && req.headers.accept !== 'application/json')
      throw new Refusal(406, 'only application/json');
    const { status, body, etag } = handle(t, seen, req);
    send(status, body, etag === undefined ? {} : { etag });
  } catch (e) {
    const r = e instanceof Refusal ? e : new Refusal(500, e instanceof Error ? e.message : 'broken');
    send(r.status, { status: String(r.status), detail: r.message, ...(r.scimType ? { scimType: r.scimType } : {}) });
  }
}

type Handled = { status: number; body?: unknown; etag?: string };

function handle(t: ScimTarget, r: SeenRequest, req: IncomingMessage): Handled {
  const url = new URL(r.path, 'http://x');
  const [, kind, id] = url.pathname.split('/').map(decodeURIComponent);
  const { method } = r;
  if (kind === 'ServiceProviderConfig' && !t.manners.noConfig)
    return {
      status: 200,
      body: {
        patch: { supported: !t.manners.noPatch },
        filter: { supported: t.manners.filter !== 'refused', maxResults: 200 },
        etag: { supported: t.manners.etags ?? false },
        ...(t.manners.paging === 'cursor' ? { pagination: { cursor: true, index: false } } : {}),
      },
    };
  if (kind !== 'Users' && kind !== 'Groups') throw new Refusal(404, 'nothing here');
  if (method === 'GET' && id === undefined) return { status: 200, body: list(t, kind, url.searchParams) };
  if (method === 'POST') return create(t, kind, r.body ?? {});
  if (kind === 'Users') {
    const u = t.users.get(id ?? '');
    if (!u) throw new Refusal(404, `no user ${id}`);
    if (method === 'GET') return { status: 200, body: shownUser(t, u) };
    if (method === 'DELETE') {
      t.users.delete(u.id);
      for (const g of t.groups.values()) g.members = g.members.filter((m) => m !== u.id);
      t.effects.push(`delete ${u.userName}`);
      return { status: 204 };
    }
    const active = method === 'PUT' ? r.body?.['active'] : operations(t, r)[0]?.value;
    if (typeof active !== 'boolean') throw new Refusal(400, 'active only', 'invalidValue');
    if (u.active !== active) t.effects.push(`switch ${u.userName} ${active ? 'on' : 'off'}`);
    u.active = active;
    return { status: 200, body: shownUser(t, u) };
  }
  const g = t.groups.get(id ?? '');
  if (!g) throw new Refusal(404, `no group ${id}`);
  const tag = t.manners.etags ? { etag: `W/"${g.version}"` } : {};
  if (method === 'GET') return { status: 200, body: shownGroup(t, g, url.searchParams), ...tag };
  if (method === 'DELETE') {
    t.groups.delete(g.id);
    t.effects.push(`delete group ${g.displayName}`);
    return { status: 204 };
  }
  const ifMatch = req.headers['if-match'];
  if (ifMatch !== undefined && ifMatch !== `W/"${g.version}"`) throw new Refusal(412, 'another version');
  if (method === 'PUT') setMembers(t, g, valuesOf(r.body?.['members']));
  else patchGroup(t, g, operations(t, r));
  return { status: 204 };
}

type Op = { op: string; path: string | undefined; value: unknown };

function operations(t: ScimTarget, r: SeenRequest): Op[] {
  if (t.manners.noPatch) throw new Refusal(501, 'no PATCH here');
  const list = r.body?.['Operations'];
  if (!Array.isArray(list)) throw new Refusal(400, 'no Operations', 'invalidSyntax');
  return (list as Op[]).map((o) => {
    const known = t.manners.capitalOps ? ['Add', 'Remove', 'Replace'] : ['add', 'remove', 'replace'];
    if (!known.includes(o.op)) throw new Refusal(400, `unknown op ${o.op}`, 'invalidSyntax');
    return { ...o, op: o.op.toLowerCase() };
  });
}

const valuesOf = (v: unknown): string[] =>
  (Array.isArray(v) ? (v as unknown[]) : []).map((m) =>
    typeof m === 'string' ? m : String((m as { value?: unknown }).value),
  );

function patchGroup(t: ScimTarget, g: TargetGroup, ops: readonly Op[]): void {
  const { removes = ['rfc', 'entraLegacy'], otherwise = 'refuse', perRequest = Infinity, tooMany = 413 } = t.manners;
  let [next, changes] = [[...g.members, ...(g.nested ?? [])], 0];
  for (const o of ops) {
    const one = /^members\[value eq "((?:[^"\\]|\\.)*)"\]$/.exec(o.path ?? '')?.[1];
    const form = one === undefined ? 'entraLegacy' : 'rfc';
    changes += one === undefined && o.op !== 'replace' ? valuesOf(o.value).length : 1;
    if (o.op === 'add') next.push(...valuesOf(o.value));
    else if (o.op === 'replace') next = valuesOf(o.value);
    else if (!removes.includes(form)) {
      if (otherwise === 'refuse') throw new Refusal(400, 'cannot remove like that', 'invalidPath');
    } else if (one !== undefined) next = next.filter((m) => m !== one);
    else next = next.filter((m) => !valuesOf(o.value).includes(m));
  }
  if (changes > perRequest) throw new Refusal(tooMany, `at most ${perRequest} members`, 'tooMany');
  setMembers(t, g, next);
}

function setMembers(t: ScimTarget, g: TargetGroup, wanted: readonly string[]): void {
  const next = [...new Set(wanted)].filter((id) => !g.nested?.includes(id));
  for (const id of next) if (!t.users.has(id)) throw new Refusal(400, `no user ${id}`, 'invalidValue');
  const name = (id: string): string => t.users.get(id)?.userName ?? id;
  const added = next.filter((id) => !g.members.includes(id));
  const removed = g.members.filter((id) => !next.includes(id));
  for (const id of added) t.effects.push(`add ${name(id)} to ${g.displayName}`);
  for (const id of removed) t.effects.push(`remove ${name(id)} from ${g.displayName}`);
  if (added.length + removed.length > 0) g.version++;
  g.members = next;
}

function create(t: ScimTarget, kind: 'Users' | 'Groups', body: Record<string, unknown>): Handled {
  if (kind === 'Groups') {
    const g = t.addGroup(String(body['displayName']));
    t.effects.push(`create group ${g.displayName}`);
    return { status: 201, body: shownGroup(t, g, new URLSearchParams()) };
  }
  const userName = String(body['userName']);
  if ([...t.users.values()].some((u) => u.userName.toLowerCase() === userName.toLowerCase()))
    throw new Refusal(409, `${userName} is taken`, 'uniqueness');
  const { externalId, displayName, name } = body;
  const u = t.addUser(userName, {
    ...(typeof externalId === 'string' ? { externalId } : {}),
    ...(typeof displayName === 'string' ? { displayName } : {}),
    name,
  });
  t.effects.push(`create ${userName}`);
  return { status: 201, body: shownUser(t, u) };
}

const shownUser = (t: ScimTarget, u: TargetUser): Record<string, unknown> => ({
  schemas: [USER],
  ...u,
  ...(t.manners.hidesMembers
    ? { groups: [...t.groups.values()].filter((g) => g.members.includes(u.id)).map((g) => ({ value: g.id })) }
    : {}),
});

const shownGroup = (t: ScimTarget, g: TargetGroup, q: URLSearchParams): Record<string, unknown> => ({
  schemas: [GROUP],
  id: g.id,
  displayName: g.displayName,
  ...(t.manners.hidesMembers || q.get('excludedAttributes') === 'members'
    ? {}
    : {
        members: [
          ...g.members.map((value) => ({ value, type: 'User' })),
          ...(g.nested ?? []).map((value) => ({ value, type: 'Group' })),
        ],
      }),
  ...(t.manners.etags ? { meta: { version: `W/"${g.version}"` } } : {}),
});

function list(t: ScimTarget, kind: 'Users' | 'Groups', q: URLSearchParams): Record<string, unknown> {
  const all: Record<string, unknown>[] =
    kind === 'Users'
      ? [...t.users.values()].map((u) => shownUser(t, u))
      : [...t.groups.values()].map((g) => shownGroup(t, g, q));
  const found = all.filter((x) => fits(t, x, q.get('filter')));
  const { paging = 'good', pageMax = 200 } = t.manners;
  const asked = Math.max(0, Number(q.get('count') ?? pageMax));
  const size = Math.min(asked, pageMax);
  if (paging === 'cursor' && q.has('cursor')) {
    const from = q.get('cursor') === '' ? 0 : Number(String(q.get('cursor')).slice(1));
    const more = from + size < found.length ? { nextCursor: `c${from + size}` } : {};
    return { itemsPerPage: size, Resources: found.slice(from, from + size), ...more };
  }
  if (paging === 'cursor' && q.get('startIndex') !== '1' && q.has('startIndex'))
    throw new Refusal(400, 'only by cursor', 'invalidValue');
  const start = paging === 'stuck' ? 1 : Math.max(1, Number(q.get('startIndex') ?? 1));
  const page = found.slice(start - 1, start - 1 + size);
  return {
    totalResults: found.length,
    startIndex: start,
    itemsPerPage: paging === 'lying' ? asked : page.length,
    Resources: page,
  };
}

function fits(t: ScimTarget, x: Record<string, unknown>, filter: string | null): boolean {
  const { filter: manner = 'quoted' } = t.manners;
  if (filter === null || manner === 'ignored') return true;
  const [, name = '', value = ''] = /^(\S+) eq (.+)$/.exec(filter) ?? [];
  if (manner === 'refused') throw new Refusal(400, 'no filters', 'invalidFilter');
  if ((manner === 'quoted') !== value.startsWith('"')) throw new Refusal(400, `cannot read ${value}`, 'invalidFilter');
  const wanted = manner === 'quoted' ? String(JSON.parse(value)) : value;
  if (name === 'groups.value') {
    if (!t.manners.hidesMembers) throw new Refusal(400, 'groups cannot be filtered', 'invalidFilter');
    return t.groups.get(wanted)?.members.includes(String(x['id'])) ?? false;
  }
  return String(x[name]).toLowerCase() === wanted.toLowerCase();
}
