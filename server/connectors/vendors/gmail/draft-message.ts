import { KiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';

export type Draft = {
  to: readonly string[];
  cc: readonly string[];
  bcc: readonly string[];
  subject: string;
  body: string;
  /** Message-ID of the message that is answered, as its sender wrote it. */
  answers?: string | undefined;
};

/**
 * A message of plain text (RFC 5322, RFC 2045 to 2047). INVARIANT (a value stays in its header): addresses and subjects with line ends or other
 * controls are refused, everything else beyond plain ASCII is encoded, and the text is base64. From and Date are Gmail's to write.
 */
export function draftMessage(d: Draft): Buffer {
  const lines = [
    ...addressHeader('To', d.to),
    ...addressHeader('Cc', d.cc),
    ...addressHeader('Bcc', d.bcc),
    `Subject: ${encodedText(d.subject)}`,
    // What others wrote goes in only if it is of the one form that an id has.
    ...(d.answers !== undefined && /^<[!-;=?-~]{1,900}>$/.test(d.answers)
      ? [`In-Reply-To: ${d.answers}`, `References: ${d.answers}`]
      : []),
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    'Content-Transfer-Encoding: base64',
    '',
    ...(Buffer.from(d.body.replace(/\r\n?|\n/g, '\r\n'))
      .toString('base64')
      .match(/.{1,76}/g) ?? []),
    '',
  ];
  return Buffer.from(lines.join('\r\n'));
}

const addressHeader = (name: string, addresses: readonly string[]): string[] =>
  addresses.length === 0 ? [] : [`${name}: ${addresses.map(plainAddress).join(',\r\n ')}`];

function plainAddress(address: string): string {
  if (/^[!#-'*+\-/-9=?A-Z^-~.]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(address)) return address;
  throw new Problem('invalid', 'connectors/gmail-address', {
    says: 'a recipient is not a plain address like ada@example.com',
    fix: 'give addresses without names, one by one',
  });
}

/** RFC 2047: pieces of at most 75 characters, none of which ends within a character. */
function encodedText(text: string): string {
  if (/[\u0000-\u001f\u007f\u0085\u2028\u2029]/.test(text))
    throw new Problem('invalid', 'connectors/gmail-subject', {
      says: 'the subject has line ends or control characters in it',
      fix: 'give the subject as one line',
    });
  if (/^[ -~]{0,200}$/.test(text) && !text.includes('=?')) return text;
  const pieces: string[] = [];
  let piece = '';
  for (const char of text) {
    if (Buffer.byteLength(piece + char) > 45) {
      pieces.push(piece);
      piece = '';
    }
    piece += char;
  }
  return [...pieces, piece].map((p) => `=?UTF-8?B?${Buffer.from(p).toString('base64')}?=`).join('\r\n ');
}

/** To whom a message goes, and what about. */
export type Envelope = { to: string[]; cc: string[]; bcc: string[]; subject: string };

/** Headers of a message that people and programs write have a few kilobytes. */
const MAX_HEADERS = 100 * KiB;

/** The envelope of a message as it is sent; undefined where two readers could take it for two different ones. */
export function envelopeOf(raw: Buffer): Envelope | undefined {
  const text = raw.toString('utf8', 0, MAX_HEADERS);
  const end = /\r?\n\r?\n/.exec(text)?.index ?? (raw.length > MAX_HEADERS ? undefined : text.length);
  if (end === undefined) return undefined;
  const headers = new Map<string, string>();
  for (const line of text
    .slice(0, end)
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)) {
    const m = /^([!-9;-~]+):(.*)$/.exec(line);
    if (!m?.[1] || line.includes('\r')) return undefined;
    const name = m[1].toLowerCase();
    // A second list of recipients, and one for a message that is sent again, go to people whom nobody asked about.
    if (name.startsWith('resent-') || (headers.has(name) && /^(?:to|cc|bcc|subject)$/.test(name))) return undefined;
    headers.set(name, (m[2] ?? '').trim());
  }
  const [to, cc, bcc] = ['to', 'cc', 'bcc'].map((name) => addressesOf(headers.get(name) ?? ''));
  if (!to || !cc || !bcc) return undefined;
  return { to, cc, bcc, subject: headers.get('subject') ?? '' };
}

/** Addresses of a header, without the names. Groups, comments, routes and quoted local parts are read by nobody here. */
function addressesOf(value: string): string[] | undefined {
  const found: string[] = [];
  // One blank at most between two things, so that no pattern has two ways to read a run of them.
  let rest = value.replace(/\s+/g, ' ').trim();
  while (rest !== '') {
    const m =
      /^(?:(?:"(?:[^"\\]|\\.)*"|[^"<>()@,;:\\[\]]*)\s*<([^<>\s"(),;:\\]+@[^<>\s"(),;:\\@]+)>|([^<>\s"(),;:\\@]+@[^<>\s"(),;:\\@]+))\s*(?:,\s*|$)/.exec(
        rest,
      );
    const address = m?.[1] ?? m?.[2];
    if (!m || address === undefined) return undefined;
    found.push(address.toLowerCase());
    rest = rest.slice(m[0].length);
  }
  return found;
}
