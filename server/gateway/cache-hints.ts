import { member, spliced, whole, type Span } from '#kernel/json-span.ts';
import type { Exchange } from './exchange.ts';

/** Methods whose answers say how long they are good, and for whom (MCP 2026-07-28, caching). */
const cacheable: ReadonlySet<string> = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);

/**
 * What is seen here follows from rules, reviews and groups, which may change at any moment: a client that listens is told, one that does not asks
 * again after this. Calls are judged anew whatever a client believes.
 */
export const MAX_TTL_MS = 60_000;

/**
 * An answer as it may be kept by a client. INVARIANT (one person's): whatever the upstream says, nothing that went through the gate is anybody else's,
 * because who may see it was decided about one person; and it is good no longer than we know. Every other byte stays.
 * @param modern whether the client speaks the revision in which an answer without hints is everybody's
 * @param left how long it is good at most, in milliseconds
 */
export function privately(text: string, modern: boolean, left: number = MAX_TTL_MS): string {
  const result = member(text, whole(text), 'result');
  if (!result || text[result.from] !== '{') return text;
  // A question in the middle of a call is nothing to keep, and says nothing about it.
  const type = member(text, result, 'resultType');
  if (type && text.slice(type.from, type.to) !== '"complete"') return text;
  const cuts: { at: Span; with: string }[] = [];
  const missing: string[] = [];
  const scope = member(text, result, 'cacheScope');
  if (scope) cuts.push({ at: scope, with: '"private"' });
  else if (modern) missing.push('"cacheScope":"private"');
  const ttl = member(text, result, 'ttlMs');
  if (ttl) cuts.push({ at: ttl, with: lowered(text.slice(ttl.from, ttl.to), left) });
  else if (modern) missing.push('"ttlMs":0');
  if (missing.length > 0) {
    const begin = result.from + 1;
    const empty = /^\s*\}/.test(text.slice(begin, result.to));
    cuts.push({ at: { from: begin, to: begin }, with: missing.join(',') + (empty ? '' : ',') });
  }
  return spliced(text, cuts);
}

/** How long an answer is good by its own words; 0 where it does not say, or not in a way that can be believed. */
export function ttlOf(text: string): number {
  const result = member(text, whole(text), 'result');
  const ttl = result && text[result.from] === '{' ? member(text, result, 'ttlMs') : undefined;
  return ttl ? believed(text.slice(ttl.from, ttl.to)) : 0;
}

const believed = (raw: string): number => {
  const ms: unknown = JSON.parse(raw);
  return typeof ms === 'number' && Number.isSafeInteger(ms) && ms > 0 ? ms : 0;
};

/** As it is written where that is right: bytes change only where they must. */
function lowered(raw: string, left: number): string {
  const ms = believed(raw);
  if (ms === 0) return '0';
  return ms <= left ? raw : String(Math.max(0, Math.floor(left)));
}

/** What a client may keep of the answer to its request, and for how long, is ours to say. */
export const hinted = ({ message: m }: Pick<Exchange, 'message'>, text: string): string =>
  m?.kind === 'request' && cacheable.has(m.method) ? privately(text, m.modern) : text;

/** Whether a connector says that one of its lists is another now. */
export const isListChange = (method: unknown): boolean =>
  typeof method === 'string' && /^notifications\/(tools|prompts|resources)\/list_changed$/.test(method);
