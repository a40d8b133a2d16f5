import { KiB } from '#kernel/limits.ts';
import { inexactNumber } from '#kernel/json-number.ts';
import { Problem } from '#kernel/problem.ts';
import { visible } from '#kernel/visible.ts';
import { toText } from '../content/to-text.ts';
import type { ToolAnswer } from '../kit/builtin-tool.ts';
import { MAX_ANSWER_TEXT } from '../kit/text-answer.ts';
import type { VendorAnswer } from '../kit/vendor-client.ts';
import { isRecord } from '../tool.ts';

/** What a model is told of a refusal; a page of a proxy is longer and says less. */
const MAX_ERROR_TEXT = 4 * KiB;

/** Headers that say where something is, or where the list goes on: of use to whoever asked, and nowhere else to be had. */
const told = ['location', 'link', 'etag', 'last-modified'] as const;

/** What a service answered, as a tool's answer: JSON as it is, documents as their text, and of other files what they are. */
export async function shownAnswer(service: string, a: VendorAnswer, signal: AbortSignal): Promise<ToolAnswer> {
  const type = (a.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (a.status >= 400) return refused(service, a, type);
  const where = told
    .flatMap((name) => {
      const said = a.headers.get(name);
      return said === null ? [] : [`\n${name}: ${visible(said).slice(0, 1000)}`];
    })
    .join('');
  if (a.bytes.length === 0)
    return text(`${service} answers with status ${a.status} and nothing more: it was done.${where}`);
  if (isJsonType(type) || (type === '' && /^\s*[{[]/.test(a.bytes.toString('latin1', 0, 100)))) return ofJson(a, where);
  if (type.startsWith('text/plain') || type === '') {
    const plain = readable(a.bytes);
    if (plain !== undefined) return text(cut(plain, MAX_ANSWER_TEXT) + where);
  }
  try {
    const read = await toText({ bytes: a.bytes, mimeType: type }, { maxChars: MAX_ANSWER_TEXT / 2 }, { signal });
    const notes = [...read.notes, ...(read.truncated ? ['only the beginning is shown'] : [])];
    return text([...notes.map((n) => `(${n})`), read.text].join('\n') + where);
  } catch (e) {
    if (!(e instanceof Problem)) throw e;
    return text(
      `${service} answers with a file of ${a.bytes.length} bytes${type === '' ? '' : ` (${visible(type).slice(0, 100)})`} that has no text: ${e.says}${where}`,
    );
  }
}

const isJsonType = (type: string): boolean => /^application\/([\w.+-]+\+)?json$|^text\/json$/.test(type);

function ofJson(a: VendorAnswer, where: string): ToolAnswer {
  const value = a.json();
  const raw = a.bytes.toString('utf8');
  // What JavaScript would write otherwise than the service did (long ids, mostly) is given as the service wrote it.
  const exact = inexactNumber(raw) === undefined;
  const compact = exact ? JSON.stringify(value) : raw.trim();
  if (compact.length > MAX_ANSWER_TEXT || !exact) return text(cut(compact, MAX_ANSWER_TEXT) + where);
  return { ...text(compact + where), structuredContent: isRecord(value) ? value : { value } };
}

/** The service's own words, with its status: they say what to do better than ours could. */
function refused(service: string, a: VendorAnswer, type: string): ToolAnswer {
  const body = readable(a.bytes) ?? '';
  const html = type === 'text/html';
  const said = html ? body.replace(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, ' ').replace(/<[^>]*>/g, ' ') : body;
  const words = cut(
    visible(said)
      .replace(/[ \t]+/g, ' ')
      .trim(),
    MAX_ERROR_TEXT,
  );
  const after = a.headers.get('retry-after');
  const wait = after === null ? '' : ` It asks to wait (Retry-After: ${visible(after).slice(0, 60)}).`;
  return {
    ...text(`${service} answers with status ${a.status}.${wait}${words === '' ? '' : `\n${words}`}`),
    isError: true,
  };
}

const text = (said: string): { content: ToolAnswer['content'] } => ({ content: [{ type: 'text', text: said }] });

function cut(said: string, max: number): string {
  if (said.length <= max) return said;
  const kept = said.slice(0, max).replace(/[\ud800-\udbff]$/, '');
  return `${kept}\n(cut at ${Math.round(max / KiB)} KiB of ${Math.ceil(said.length / KiB)}; ask for less at a time)`;
}

function readable(bytes: Buffer): string | undefined {
  try {
    const said = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return said.includes('\u0000') ? undefined : said;
  } catch {
    return undefined;
  }
}
