import { z } from 'zod';
import { scope } from '../google/google-auth.ts';
import { VendorRefusal } from '../../kit/vendor-refusal.ts';

/** INVARIANT (one mailbox): every path is of `me`, the account of the credential. No argument names a mailbox. */
export const ME = '/gmail/v1/users/me';

export const reading = [scope('gmail.readonly'), scope('gmail.modify')];
export const composing = [scope('gmail.compose'), scope('gmail.modify')];
export const labelling = [scope('gmail.modify')];

export type Part = {
  partId?: string | undefined;
  mimeType?: string | undefined;
  filename?: string | undefined;
  headers?: { name: string; value: string }[] | undefined;
  body?: { attachmentId?: string | undefined; size?: number | undefined; data?: string | undefined } | undefined;
  parts?: Part[] | undefined;
};
const Part: z.ZodType<Part> = z.looseObject({
  partId: z.string().optional(),
  mimeType: z.string().optional(),
  filename: z.string().optional(),
  headers: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
  body: z
    .looseObject({ attachmentId: z.string().optional(), size: z.number().optional(), data: z.string().optional() })
    .optional(),
  get parts() {
    return z.array(Part).optional();
  },
});

export const Message = z.looseObject({
  id: z.string(),
  threadId: z.string(),
  labelIds: z.array(z.string()).optional(),
  snippet: z.string().optional(),
  internalDate: z.string().optional(),
  payload: Part.optional(),
  raw: z.string().optional(),
});
export type Message = z.output<typeof Message>;
export const Thread = z.looseObject({ id: z.string(), messages: z.array(Message).default([]) });

/** What Gmail answered, in the form that its reference promises. */
export function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw new VendorRefusal(200, 'unexpected_answer', 'Gmail answers in a form that its reference does not have');
}

export const bytesOf = (base64url: string): Buffer => Buffer.from(base64url, 'base64url');

/** A header in words; the first of its name. */
export function headerOf(part: Part | undefined, name: string): string | undefined {
  const value = part?.headers?.find((h) => h.name.toLowerCase() === name.toLowerCase())?.value;
  return value === undefined ? undefined : encodedWords(value).replace(/\s+/g, ' ').trim();
}

/** RFC 2047. Words side by side are one text, which may be cut within a character. */
export function encodedWords(value: string): string {
  return value.replace(
    /=\?([\w-]{1,40})(?:\*[\w-]*)?\?([bq])\?([^?\s]*)\?=(?:\s+(?==\?))?/gi,
    (whole, charset: string, how: string, text: string) => {
      const bytes =
        how.toLowerCase() === 'b'
          ? Buffer.from(text, 'base64')
          : Buffer.from(
              text
                .replaceAll('_', ' ')
                .replace(/=([\dA-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
              'latin1',
            );
      try {
        return new TextDecoder(charset).decode(bytes);
      } catch {
        return whole;
      }
    },
  );
}
