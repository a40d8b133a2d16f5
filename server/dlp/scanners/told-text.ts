import { escapeSegment } from '#kernel/json-pointer.ts';
import type { Redaction } from '../verdict.ts';

/** A stretch of told text that came from one string or key of the content. What lies between stretches is ours. */
type Stretch = { from: number; to: number; at: string; key: boolean };
/** Content as text, and where each piece of it came from. */
export type ToldText = { text: string; stretches: readonly Stretch[] };

const isRecord = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);

/**
 * Any JSON value as text for a reader who knows text only: every string, number, boolean and key is in it, so nothing passes unseen; parts that
 * are bytes are replaced by a marker with their type and size (the protocol sends none). Results of MCP tools read as their text parts.
 */
export function toldText(content: unknown): ToldText {
  let text = '';
  const stretches: Stretch[] = [];
  const put = (s: string, at: string, key = false): void => {
    if (s !== '') stretches.push({ from: text.length, to: text.length + s.length, at, key });
    text += s;
  };
  const line = (): void => {
    if (text !== '' && !text.endsWith('\n')) text += '\n';
  };
  // Its own stack, so that depth cannot exhaust ours.
  type Step = { at: string; value: unknown; key: string | undefined };
  const open: Step[] = [{ at: '', value: content, key: undefined }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { at, value, key } = next;
    if (Array.isArray(value) || isRecord(value)) {
      const binary = isRecord(value) ? binaryIn(value) : undefined;
      const plain = isRecord(value) && value['type'] === 'text' && typeof value['text'] === 'string';
      if (key !== undefined) {
        line();
        put(key, at, true);
        text += ':\n';
      }
      for (const [k, inner] of Object.entries(value).toReversed()) {
        const place = `${at}/${escapeSegment(k)}`;
        if (binary === k) open.push({ at: place, value: marker(value, inner), key: undefined });
        else if (plain && k === 'type') continue;
        else
          open.push({ at: place, value: inner, key: Array.isArray(value) || (plain && k === 'text') ? undefined : k });
      }
      continue;
    }
    line();
    if (key !== undefined) {
      put(key, at, true);
      text += ': ';
    }
    if (value instanceof Marker) text += value.text;
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      put(String(value), at);
  }
  return { text, stretches };
}

class Marker {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
const marker = (part: object, bytes: unknown): Marker => {
  const type = 'mimeType' in part && typeof part.mimeType === 'string' ? part.mimeType : 'binary';
  return new Marker(
    `[${type.slice(0, 100)}, ${typeof bytes === 'string' ? Math.floor((bytes.length * 3) / 4) : 0} bytes]`,
  );
};

/** Bytes shorter than this are told as they are: no picture is so small, and a secret could be. */
const MIN_BINARY_CHARS = 256;

/** Which field of a part of an MCP result holds bytes. Only what is base64 all through: anything else is read as the text that it is. */
function binaryIn(part: Record<string, unknown>): string | undefined {
  const field = part['type'] === 'image' || part['type'] === 'audio' ? 'data' : 'blob';
  const bytes = part[field];
  if (typeof bytes !== 'string' || bytes.length < MIN_BINARY_CHARS || typeof part['mimeType'] !== 'string')
    return undefined;
  return /^[A-Za-z0-9+/]+={0,2}$/.test(bytes) ? field : undefined;
}

/**
 * The redactions of the content that a span of the told text means. Undefined: the span is not in the text, or it means nothing of the content.
 */
export function redactionsOf(
  told: ToldText,
  span: { start: number; end: number },
  says: string,
): Redaction[] | undefined {
  if (span.end > told.text.length) return undefined;
  const hit = told.stretches.filter((s) => s.from < span.end && s.to > span.start);
  if (hit.length === 0) return undefined;
  return hit.map((s) => ({
    at: s.at,
    ...(s.key ? { key: true } : {}),
    start: Math.max(0, span.start - s.from),
    end: Math.min(s.to, span.end) - s.from,
    says,
  }));
}
