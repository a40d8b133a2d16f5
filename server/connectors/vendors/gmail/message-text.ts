import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { toText } from '../../content/to-text.ts';
import type { VendorClient } from '../../kit/vendor-client.ts';
import { segment } from '../../kit/vendor-path.ts';
import { decoderOf } from '../../content/charset.ts';
import { oneLine } from '../../kit/one-line.ts';
import { bytesOf, headerOf, ME, parsed, type Message, type Part } from './gmail-api.ts';

/** Parts of one message that are looked at. */
const MAX_PARTS = 200;
const MAX_DEPTH = 20;
/** Of one message; the rest of it is read as an attachment or in Gmail. */
const MAX_MESSAGE_CHARS = 100_000;

export type Attachment = { part: string; name: string; mimeType: string; size: number; id: string };

/** Every part of a message but those of messages that it carries, outermost first. */
export function partsOf(message: Message): Part[] {
  const found: Part[] = [];
  const walk = (part: Part | undefined, depth: number): void => {
    if (!part || found.length >= MAX_PARTS || depth > MAX_DEPTH) return;
    found.push(part);
    if (part.mimeType !== 'message/rfc822') for (const p of part.parts ?? []) walk(p, depth + 1);
  };
  walk(message.payload, 0);
  return found;
}

/** What hangs on a message. Text of the message itself is none, unless the sender gave it a name. */
export const attachmentsOf = (message: Message): Attachment[] =>
  partsOf(message).flatMap((p) =>
    p.body?.attachmentId !== undefined && p.partId !== undefined && (p.filename ?? '') !== ''
      ? [
          {
            part: p.partId,
            name: oneLine(p.filename ?? ''),
            mimeType: p.mimeType ?? 'application/octet-stream',
            size: p.body.size ?? 0,
            id: p.body.attachmentId,
          },
        ]
      : [],
  );

/** The text of a message: the plain one where the sender wrote one, else the HTML one as text. */
export async function messageText(
  vendor: VendorClient,
  message: Message,
  signal: AbortSignal,
): Promise<{ text: string; notes: readonly string[] }> {
  const texts = partsOf(message).filter((p) => (p.filename ?? '') === '');
  let notes: readonly string[] = [];
  for (const type of ['text/plain', 'text/html'] as const) {
    const parts = texts.filter((p) => p.mimeType === type);
    const read = await Promise.all(parts.map((p) => textOf(vendor, message, p, type, signal)));
    notes = read.flatMap((r) => r.notes);
    const text = read
      .map((r) => r.text)
      .join('\n\n')
      .trim();
    if (text.length > MAX_MESSAGE_CHARS)
      return {
        text: text.slice(0, MAX_MESSAGE_CHARS).toWellFormed(),
        notes: [
          ...notes,
          `of this message only the first ${MAX_MESSAGE_CHARS.toLocaleString('en')} characters are here; the rest is in Gmail`,
        ],
      };
    if (text !== '') return { text, notes };
  }
  return { text: '', notes };
}

async function textOf(
  vendor: VendorClient,
  message: Message,
  part: Part,
  type: 'text/plain' | 'text/html',
  signal: AbortSignal,
): Promise<{ text: string; notes: readonly string[] }> {
  const bytes =
    part.body?.data === undefined && part.body?.attachmentId !== undefined
      ? await attachment(vendor, message.id, part.body.attachmentId)
      : bytesOf(part.body?.data ?? '');
  const text = decoded(bytes, /charset\s*=\s*"?([\w.:-]+)/i.exec(headerOf(part, 'content-type') ?? '')?.[1]);
  if (type === 'text/plain') return { text, notes: [] };
  // HTML of strangers is taken apart in a thread of its own.
  try {
    const { text: read, notes } = await toText(
      { bytes: Buffer.from(text), mimeType: 'text/html; charset=utf-8' },
      { maxChars: MAX_MESSAGE_CHARS + 1 },
      { signal },
    );
    return { text: read, notes };
  } catch (e) {
    // One message that somebody made unreadable must not take the thread with it.
    if (e instanceof Problem && e.code.startsWith('connectors/content-')) return { text: '', notes: [e.says] };
    throw e;
  }
}

/**
 * Whether Gmail has made UTF-8 of a text or left it as it was sent, its reference does not say: what can be UTF-8 is taken for it, but for charsets
 * whose every text looks like it.
 */
function decoded(bytes: Buffer, charset: string | undefined): string {
  const declared = charset === undefined ? undefined : decoderOf(charset);
  if (
    declared &&
    /^(?:iso-2022|utf-16)/.test(declared.encoding) &&
    bytes.includes(declared.encoding.startsWith('utf') ? 0 : 0x1b)
  )
    return declared.decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return (declared ?? new TextDecoder('windows-1252')).decode(bytes);
  }
}

const Body = z.looseObject({ data: z.string() });

/** Base64 is a third longer; 25 MB is what Gmail takes in a message. */
const MAX_ATTACHMENT_ANSWER = 36 * 1024 * 1024;

export async function attachment(vendor: VendorClient, message: string, id: string): Promise<Buffer> {
  const answer = await vendor.send({
    method: 'GET',
    path: `${ME}/messages/${segment(message)}/attachments/${segment(id)}`,
    maxBytes: MAX_ATTACHMENT_ANSWER,
  });
  return bytesOf(parsed(Body, answer.json()).data);
}
