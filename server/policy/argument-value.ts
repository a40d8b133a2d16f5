import { domainToASCII } from 'node:url';
import type { ArgumentKind } from './argument.ts';

/**
 * One value of an argument as rules see it: in one spelling, so that no other spelling of the same thing slips past a rule. INVARIANT (read or
 * refused): what could mean something else to the system behind than to us is not read, and a call with it is refused.
 */
export type ReadValue = { facts: Partial<ArgumentFacts> } | { says: string };

/**
 * What rules know of one combination of a call's arguments. Nothing here is there unless the reviewer of the tool said where it stands.
 * `path` and `folder` begin with a slash and end without one; the folded forms are for forbids, because a file system may not tell case apart.
 */
export type ArgumentFacts = {
  readonly path?: string;
  readonly path_folded?: string;
  readonly folder?: string;
  readonly folder_folded?: string;
  readonly repository?: string;
  readonly channel?: string;
  readonly recipient?: string;
  readonly recipient_domain?: string;
  readonly amount?: number;
  readonly url_host?: string;
  readonly text?: string;
};

/** Text longer than this is no name of anything. `text` itself may be as long as a call. */
const MAX_NAME = 4096;

const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
const tooLong = { says: `is longer than ${MAX_NAME} characters` };
const hidden = { says: 'has control or invisible characters in it' };

/** The form in which two spellings that a reader or a file system may take for one are one. */
export const folded = (text: string): string => text.normalize('NFKC').toLowerCase().normalize('NFKC');

/** A path from the root: `a//b/./c/` is `/a/b/c`. Globs of rules are brought into the same form. */
export const fromRoot = (path: string): string =>
  `/${path
    .normalize('NFC')
    .split('/')
    .filter((s) => s !== '' && s !== '.')
    .join('/')}`;

/** A path in one spelling, or why it has none. */
export function readPath(text: string): { path: string } | { says: string } {
  if (text.length > MAX_NAME) return tooLong;
  if (invisible.test(text)) return hidden;
  // Looked at in the compatibility form too: an upstream that folds full-width letters would see the dots and slashes that we did not.
  const wide = text.normalize('NFKC');
  if (text.includes('\\') || wide.includes('\\')) return { says: 'has a backslash in it; write it with slashes' };
  if (wide.split('/').length !== text.split('/').length)
    return { says: 'has a character in it that another system may take for a slash' };
  if (/%[0-9a-f]{2}|%u[0-9a-f]{4}/i.test(wide)) return { says: 'is percent-encoded; write it as it is' };
  // Some systems drop spaces and dots at the end of a segment, so those count as dots too.
  if (wide.split('/').some((s) => /^[. ]*\.[. ]*\.[. ]*$/.test(s)))
    return { says: 'has ".." in it; write where it leads' };
  return { path: fromRoot(text) };
}

/** What a reviewer called a path, and so on: from the value to facts. The kind `amount` is a number, every other a string. */
export function readValue(kind: ArgumentKind, value: string | number): readonly ReadValue[] {
  if (kind === 'amount') return [typeof value === 'number' ? readAmount(value) : { says: 'is not a number' }];
  if (typeof value !== 'string') return [{ says: 'is not text' }];
  if (kind === 'text') return [{ facts: { text: value } }];
  if (value.length > MAX_NAME) return [tooLong];
  if (invisible.test(value)) return [hidden];
  switch (kind) {
    case 'path':
    case 'folder': {
      const read = readPath(value);
      if ('says' in read) return [read];
      const { path } = read;
      return [
        {
          facts: kind === 'path' ? { path, path_folded: folded(path) } : { folder: path, folder_folded: folded(path) },
        },
      ];
    }
    case 'repository':
      return [readRepository(value)];
    case 'channel': {
      const channel = folded(value.trim().replace(/^#/, ''));
      return [channel === '' ? { says: 'is empty' } : { facts: { channel } }];
    }
    case 'recipient':
      return readRecipients(value);
    case 'url':
      return [readUrl(value)];
  }
}

function readAmount(value: number): ReadValue {
  // Rounded up, so that 999.01 is not below a limit of 999.
  const amount = Math.ceil(value);
  if (!Number.isSafeInteger(amount)) return { says: 'is no amount that can be compared exactly' };
  return value < 0 ? { says: 'is negative' } : { facts: { amount: amount + 0 } };
}

/** `owner/name` or deeper, without regard to case. Hosts take `name.git` for `name`. */
function readRepository(value: string): ReadValue {
  const repository = value
    .trim()
    .toLowerCase()
    .replace(/\.git$/, '');
  const parts = repository.split('/');
  if (parts.some((p) => !/^[a-z0-9._~-]+$/.test(p) || /^\.+$/.test(p)))
    return { says: 'is not a repository like owner/name' };
  return { facts: { repository } };
}

/** The ASCII form of a host's name; undefined if it is none. */
export function hostOf(name: string): string | undefined {
  if (/[\s%/\\?#:@[\]<>^|*]/.test(name)) return undefined;
  const ascii = domainToASCII(name).replace(/\.$/, '');
  return ascii === '' || ascii.split('.').includes('') ? undefined : ascii;
}

const notRecipient: ReadValue = { says: 'is not a recipient like ada@example.com' };

/** One recipient or a list of them, as people write them in one line. Anything that two readers could take apart differently is not read. */
function readRecipients(value: string): ReadValue[] {
  // A quoted display name may have a comma in it, so a line with quotes or brackets is one recipient or none.
  const one = /["<>()]/.test(value);
  const parts = one ? [value] : value.split(/[,;]/);
  return parts.map(readRecipient);
}

function readRecipient(text: string): ReadValue {
  const shown = /^(?:"[^"@<>\\]*"|[^"@<>()[\],;:\\]*)\s*<([^<>"]*)>$/.exec(text.trim());
  const address = (shown?.[1] ?? text).trim();
  if (!address.includes('@'))
    // A person or a room by the name that a system gives it.
    return !shown && /^[\p{L}\p{N}._+-]+$/u.test(address) ? { facts: { recipient: folded(address) } } : notRecipient;
  const [local = '', domain = '', ...more] = address.split('@');
  const host = hostOf(domain);
  if (more.length > 0 || host === undefined || !/^[^\s"<>()[\],;:\\]+$/.test(local)) return notRecipient;
  return { facts: { recipient: `${folded(local)}@${host}`, recipient_domain: host } };
}

function readUrl(value: string): ReadValue {
  // A parser in the system behind may take these for something else than ours does.
  if (/[\s\\]/.test(value)) return { says: 'has blanks or backslashes in it' };
  const url = URL.parse(value);
  if (!url || !/^https?:$/.test(url.protocol) || !/^https?:\/\/[^/]/i.test(value))
    return { says: 'is not an address that begins with https:// or http://' };
  if (url.username !== '' || url.password !== '' || /^[a-z]+:\/\/[^/?#]*@/i.test(value))
    return { says: 'has a user name in it' };
  return { facts: { url_host: url.hostname.replace(/\.$/, '') } };
}
