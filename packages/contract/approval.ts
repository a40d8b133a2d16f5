import type { Json } from './jcs.ts';

/**
 * The exact call that a person is asked about. INVARIANT (what was approved is what runs): everything that decides what happens is in here, so
 * other arguments, another tool, another definition of it, another person, another agent or another organization are another action.
 */
export type Action = {
  v: 1;
  org: string;
  connector: string;
  tool: string;
  /** SHA-256 of the tool's reviewed definition, hex; null for what has none (reading a resource or a prompt). */
  pin: string | null;
  args: Json;
  /** What travels beside the arguments and counts like them: answers to what the system behind asked in between. null: nothing. */
  also: Json;
  /** Who will run it: the agent (`client`, by its OAuth id) of a member, who is this user. */
  executor: { member: string; user: string; client: string };
};

export const verdicts = ['approved', 'denied'] as const;
export type Verdict = (typeof verdicts)[number];

/** Every way in which a request can stand; all but the first are for ever, and none is ever told as another. */
export const requestStates = ['pending', ...verdicts, 'expired', 'cancelled', 'superseded'] as const;
export type RequestState = (typeof requestStates)[number];

/** `unused`: may still be used; `used`: used as often as it was good for. */
export const grantStates = ['unused', 'used', 'expired', 'revoked'] as const;
export type GrantState = (typeof grantStates)[number];

/** A request for a person's yes, as it travels. */
export type ApprovalRequest = {
  approval: string;
  action: Action;
  /** Hash of the action, hex. */
  hash: string;
  state: RequestState;
  asked: string;
  expires: string;
};

/** What somebody decided, and how: about one request or about a list of them at once. */
export type Decision = {
  v: 1;
  decision: string;
  org: string;
  /** In the order of their ids, each once. */
  items: readonly { approval: string; action: string }[];
  verdict: Verdict;
  by: string;
  /** From where: the portal, the desk, the phone. */
  surface: string;
  at: string;
  /** SHA-256 of the reason's UTF-8, hex; the reason itself may have to be forgotten. */
  reason: string | null;
  /** Where one yes covers further calls of the same run: what they must be like, how many there may be, and until when. */
  run: {
    conditions: readonly { fact: string; is: 'equal' | 'under'; value: string }[];
    most: number;
    expires: string;
  } | null;
};

/** What a yes is worth. `hash`: the one action that it pays for; null: any action that fits the run's conditions (its server knows them). */
export type Grant = {
  grant: string;
  approval: string;
  decision: string;
  hash: string | null;
  executor: Action['executor'];
  pin: string | null;
  policyVersion: string;
  state: GrantState;
  used: number;
  most: number;
  expires: string;
};

/** Reads what came from outside; throws a TypeError that names the first thing that is not as it must be. Unknown fields are refused. */
export function parseAction(value: unknown): Action {
  const o = fields(value, 'action', ['v', 'org', 'connector', 'tool', 'pin', 'args', 'also', 'executor']);
  const { args, also } = o;
  if (!isJson(args, 0)) throw wrong('action.args', 'JSON');
  if (!isJson(also, 0)) throw wrong('action.also', 'JSON');
  return {
    v: one(o['v'], 'action.v'),
    org: text(o['org'], 'action.org'),
    connector: text(o['connector'], 'action.connector'),
    tool: text(o['tool'], 'action.tool'),
    pin: o['pin'] === null ? null : hex(o['pin'], 'action.pin'),
    args,
    also,
    executor: executorOf(o['executor'], 'action.executor'),
  };
}

export function parseApprovalRequest(value: unknown): ApprovalRequest {
  const o = fields(value, 'request', ['approval', 'action', 'hash', 'state', 'asked', 'expires']);
  return {
    approval: text(o['approval'], 'request.approval'),
    action: parseAction(o['action']),
    hash: hex(o['hash'], 'request.hash'),
    state: among(requestStates, o['state'], 'request.state'),
    asked: time(o['asked'], 'request.asked'),
    expires: time(o['expires'], 'request.expires'),
  };
}

export function parseDecision(value: unknown): Decision {
  const o = fields(value, 'decision', [
    'v',
    'decision',
    'org',
    'items',
    'verdict',
    'by',
    'surface',
    'at',
    'reason',
    'run',
  ]);
  const given = o['items'];
  if (!Array.isArray(given) || given.length === 0) throw wrong('decision.items', 'a list with at least one item');
  const items = given.map((item: unknown, i) => {
    const at = `decision.items.${i}`;
    const f = fields(item, at, ['approval', 'action']);
    return { approval: text(f['approval'], `${at}.approval`), action: hex(f['action'], `${at}.action`) };
  });
  items.forEach((item, i) => {
    const before = items[i - 1];
    if (before && before.approval >= item.approval)
      throw wrong(`decision.items.${i}`, 'an id after the one before it, each once');
  });
  return {
    v: one(o['v'], 'decision.v'),
    decision: text(o['decision'], 'decision.decision'),
    org: text(o['org'], 'decision.org'),
    items,
    verdict: among(verdicts, o['verdict'], 'decision.verdict'),
    by: text(o['by'], 'decision.by'),
    surface: text(o['surface'], 'decision.surface'),
    at: time(o['at'], 'decision.at'),
    reason: o['reason'] === null ? null : hex(o['reason'], 'decision.reason'),
    run: o['run'] === null ? null : runOf(o['run']),
  };
}

function runOf(value: unknown): NonNullable<Decision['run']> {
  const o = fields(value, 'decision.run', ['conditions', 'most', 'expires']);
  const given = o['conditions'];
  if (!Array.isArray(given) || given.length === 0)
    throw wrong('decision.run.conditions', 'a list with at least one item');
  return {
    conditions: given.map((item: unknown, i) => {
      const at = `decision.run.conditions.${i}`;
      const f = fields(item, at, ['fact', 'is', 'value']);
      const is = among(['equal', 'under'] as const, f['is'], `${at}.is`);
      return { fact: text(f['fact'], `${at}.fact`), is, value: text(f['value'], `${at}.value`) };
    }),
    most: count(o['most'], 'decision.run.most'),
    expires: time(o['expires'], 'decision.run.expires'),
  };
}

export function parseGrant(value: unknown): Grant {
  const o = fields(value, 'grant', [
    'grant',
    'approval',
    'decision',
    'hash',
    'executor',
    'pin',
    'policyVersion',
    'state',
    'used',
    'most',
    'expires',
  ]);
  const [used, most] = [count(o['used'], 'grant.used'), count(o['most'], 'grant.most')];
  if (most < 1 || used > most) throw wrong('grant.used', 'at most `most`, which is at least 1');
  return {
    grant: text(o['grant'], 'grant.grant'),
    approval: text(o['approval'], 'grant.approval'),
    decision: text(o['decision'], 'grant.decision'),
    hash: o['hash'] === null ? null : hex(o['hash'], 'grant.hash'),
    executor: executorOf(o['executor'], 'grant.executor'),
    pin: o['pin'] === null ? null : hex(o['pin'], 'grant.pin'),
    policyVersion: text(o['policyVersion'], 'grant.policyVersion'),
    state: among(grantStates, o['state'], 'grant.state'),
    used,
    most,
    expires: time(o['expires'], 'grant.expires'),
  };
}

const wrong = (at: string, expected: string): TypeError => new TypeError(`${at} is not ${expected}`);

function fields(value: unknown, at: string, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(at, 'an object');
  const o: Record<string, unknown> = Object.fromEntries(Object.entries(value));
  for (const name of Object.keys(o)) if (!names.includes(name)) throw wrong(`${at}.${name}`, 'a field that is known');
  for (const name of names) if (!Object.hasOwn(o, name)) throw wrong(`${at}.${name}`, 'there');
  return o;
}

function executorOf(value: unknown, at: string): Action['executor'] {
  const o = fields(value, at, ['member', 'user', 'client']);
  return {
    member: text(o['member'], `${at}.member`),
    user: text(o['user'], `${at}.user`),
    client: text(o['client'], `${at}.client`),
  };
}

function one(value: unknown, at: string): 1 {
  if (value !== 1) throw wrong(at, '1');
  return 1;
}
function text(value: unknown, at: string): string {
  if (typeof value !== 'string' || value === '' || !value.isWellFormed()) throw wrong(at, 'a text');
  return value;
}
function hex(value: unknown, at: string): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw wrong(at, 'a SHA-256 in lower-case hex');
  return value;
}
function time(value: unknown, at: string): string {
  // One spelling only, because it is hashed: what Date.toISOString writes.
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value)) || new Date(value).toISOString() !== value)
    throw wrong(at, 'a time like 2026-01-31T08:00:00.000Z');
  return value;
}
function count(value: unknown, at: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong(at, 'a whole number');
  return value;
}
function among<T extends string>(all: readonly T[], value: unknown, at: string): T {
  const found = all.find((x) => x === value);
  if (found === undefined) throw wrong(at, `one of ${all.join(', ')}`);
  return found;
}

/** Deeper than any arguments that a door lets in. */
const MAX_DEPTH = 200;
function isJson(v: unknown, depth: number): v is Json {
  if (depth > MAX_DEPTH) return false;
  if (v === null || typeof v === 'boolean') return true;
  if (typeof v === 'string') return v.isWellFormed();
  if (typeof v === 'number') return Number.isFinite(v);
  if (Array.isArray(v)) return v.every((x) => isJson(x, depth + 1));
  if (typeof v !== 'object' || Object.getPrototypeOf(v) !== Object.prototype) return false;
  return Object.entries(v).every(([k, x]) => k.isWellFormed() && isJson(x, depth + 1));
}
