import { Problem } from '#kernel/problem.ts';
import { segment } from '../kit/vendor-path.ts';
import type { VendorRequest } from '../kit/vendor-client.ts';
import { isRecord } from '../tool.ts';
import type { Body, Parameter, Plan } from './operation.ts';

/** Longer than any address that a server takes. */
const MAX_SEARCH = 16_000;
const MAX_HEADER = 4000;

/**
 * The request of a call. INVARIANT (an argument stays a value): whatever is given stands in its place of the path, of the query, of a header that the
 * document names, or of the body, encoded; host, path, method and the other headers are the plan's alone.
 */
export function encodeRequest(plan: Plan, args: Readonly<Record<string, unknown>>): VendorRequest {
  const path = new Map<string, string>();
  const query: string[] = [];
  const headers: Record<string, string> = { accept: 'application/json, text/*;q=0.9, */*;q=0.5' };
  for (const p of plan.parameters) {
    const value = Object.hasOwn(args, p.arg) ? args[p.arg] : undefined;
    if (p.in === 'path') path.set(p.name, segmentOf(p, value));
    else if (value === undefined || value === null) continue;
    else if (p.in === 'query') query.push(...pairsOf(p, value));
    else headers[p.name.toLowerCase()] = headerOf(p, value);
  }
  const search = query.join('&');
  if (search.length > MAX_SEARCH)
    throw unfit('the arguments', `come to more than ${MAX_SEARCH} characters of an address`);
  const body = plan.body && Object.hasOwn(args, plan.body.arg) ? bodyOf(plan.body, args[plan.body.arg]) : undefined;
  return {
    method: plan.method,
    path: plan.path.replace(/\{([^{}]*)\}/g, (_, name: string) => path.get(name) ?? segment('')),
    ...(search === '' ? {} : { search }),
    ...(plan.body && body ? { body } : {}),
    headers: plan.body && body ? { ...headers, 'content-type': plan.body.media } : headers,
    // Only these may be asked again after a fault (RFC 9110 §9.2.1), whatever class a person gave the tool.
    safe: plan.method === 'GET' || plan.method === 'HEAD',
  };
}

function segmentOf(p: Parameter, value: unknown): string {
  if (Array.isArray(value)) return value.map((v) => segment(scalar(p.arg, v))).join(',');
  if (isRecord(value))
    return Object.entries(value)
      .map(([k, v]) => `${segment(k)}${p.explode ? '=' : ','}${segment(scalar(p.arg, v))}`)
      .join(',');
  return segment(scalar(p.arg, value));
}

const enc = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
/** Reserved ones stay, but for those that end a value or begin another, and for the two that servers read as something else. */
const encReserved = (text: string): string =>
  encodeURIComponent(text).replace(/%(3A|2F|3F|40|24|2C|3B)/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );

function pairsOf(p: Pick<Parameter, 'arg' | 'name' | 'style' | 'explode' | 'reserved'>, value: unknown): string[] {
  const e = p.reserved ? encReserved : enc;
  const name = enc(p.name);
  if (p.style === 'json') return [`${name}=${enc(JSON.stringify(value))}`];
  if (Array.isArray(value)) {
    const items = value.map((v) => e(scalar(p.arg, v)));
    if (p.style === 'deepObject') throw unfit(p.arg, 'is to be an object');
    if (p.explode) return items.map((v) => `${name}=${v}`);
    const between = p.style === 'space' ? '%20' : p.style === 'pipe' ? '%7C' : ',';
    return items.length === 0 ? [] : [`${name}=${items.join(between)}`];
  }
  if (isRecord(value)) {
    const members = Object.entries(value).filter(([, v]) => v !== undefined && v !== null);
    if (p.style === 'deepObject') return members.flatMap(([k, v]) => deep(p.arg, `${name}%5B${enc(k)}%5D`, v, e));
    if (p.explode) return members.map(([k, v]) => `${enc(k)}=${e(scalar(p.arg, v))}`);
    const between = p.style === 'space' ? '%20' : p.style === 'pipe' ? '%7C' : ',';
    return members.length === 0
      ? []
      : [`${name}=${members.flatMap(([k, v]) => [enc(k), e(scalar(p.arg, v))]).join(between)}`];
  }
  return [`${name}=${e(scalar(p.arg, value))}`];
}

/** One level as the specification says; lists in it are repeated, as servers that read the style take them. */
const deep = (arg: string, name: string, value: unknown, e: (text: string) => string): string[] =>
  Array.isArray(value) ? value.map((v) => `${name}=${e(scalar(arg, v))}`) : [`${name}=${e(scalar(arg, value))}`];

function headerOf(p: Parameter, value: unknown): string {
  const text =
    p.style === 'json'
      ? JSON.stringify(value)
      : Array.isArray(value)
        ? value.map((v) => scalar(p.arg, v)).join(',')
        : isRecord(value)
          ? Object.entries(value)
              .map(([k, v]) => `${k}${p.explode ? '=' : ','}${scalar(p.arg, v)}`)
              .join(',')
          : scalar(p.arg, value);
  // INVARIANT (a header stays one): nothing that ends a line, and nothing that servers read in several ways.
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && text !== '')
    throw unfit(p.arg, 'goes into a header, which has printable ASCII without blanks at its ends');
  if (text.length > MAX_HEADER) throw unfit(p.arg, `goes into a header, which has at most ${MAX_HEADER} characters`);
  return text;
}

function bodyOf(b: Body, value: unknown): Uint8Array | undefined {
  if (value === undefined) return undefined;
  if (b.type === 'json') return Buffer.from(JSON.stringify(value));
  if (b.type === 'text') return Buffer.from(scalar(b.arg, value));
  if (!isRecord(value)) throw unfit(b.arg, 'is to be an object, which is sent as a form');
  const pairs = Object.entries(value).flatMap(([name, v]) => {
    if (v === undefined || v === null) return [];
    const said = b.fields && Object.hasOwn(b.fields, name) ? b.fields[name] : undefined;
    const nested = isRecord(v) || (Array.isArray(v) && v.some((i) => typeof i === 'object'));
    // A part that is an object is JSON unless the document says otherwise (OpenAPI, encoding object).
    const how =
      said ?? (nested ? { style: 'json' as const, explode: false } : { style: 'form' as const, explode: true });
    return pairsOf({ arg: b.arg, name, ...how }, v);
  });
  // In a form a blank is written as a plus; %20 is read as one everywhere.
  return Buffer.from(pairs.join('&'));
}

function scalar(arg: string, value: unknown): string {
  if (typeof value === 'string') {
    if (value.isWellFormed()) return value;
    throw unfit(arg, 'has half of a surrogate pair');
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw unfit(
    arg,
    value === null ? 'cannot be null there' : 'has a list or an object where the service takes one value',
  );
}

const unfit = (arg: string, why: string): Problem =>
  new Problem('invalid', 'connectors/openapi-argument', {
    says: `${arg} ${why}`,
    fix: 'look at the schema of the tool',
  });
