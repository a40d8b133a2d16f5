import { domainToASCII } from 'node:url';
import { folded, fromRoot } from './argument-value.ts';
import type { Expr } from './cedar-json.ts';

/** What globs of rules can be about. `url` is about the host of an address. */
export const globbed = [
  'path',
  'folder',
  'repository',
  'channel',
  'recipient',
  'recipient_domain',
  'url',
  'text',
] as const;
export type Globbed = (typeof globbed)[number];

/** Longer than any path that a rule should name. */
export const MAX_GLOB = 300;

/** The pieces between the stars, of which there is always one more than there are stars. `\*` is a star and `\\` a backslash. */
export function piecesOf(glob: string): string[] | undefined {
  const pieces = [''];
  for (const [part] of glob.matchAll(/\\.?|\*|[^\\*]+/gsu)) {
    if (part === '*') pieces.push('');
    else if (part.startsWith('\\') && part !== '\\*' && part !== '\\\\') return undefined;
    else pieces.push((pieces.pop() ?? '') + (part.startsWith('\\') ? part.slice(1) : part));
  }
  return pieces;
}

/**
 * Why a glob could never match anything of its kind; undefined if it can. A rule that quietly does nothing is worse than none. `*` stands for
 * any text, also for slashes.
 */
export function wrongGlob(about: Globbed, glob: string): string | undefined {
  if (!isGlob(glob))
    return `expected up to ${MAX_GLOB} printable characters, in which * stands for any text and \\* for a star`;
  const pieces = piecesOf(glob) ?? [];
  if (about === 'path' || about === 'folder') {
    const whole = pieces.join('*');
    if (/(?:^|\/)\.\.?(?:\/|$)/.test(whole))
      return 'no path has "." or ".." in it when it is compared; write where it leads';
    if (whole.includes('\\')) return 'no path has a backslash in it; write it with slashes';
    if (pieces.length > 1 && whole.endsWith('/')) return 'no path ends with a slash when it is compared';
  }
  if (about === 'recipient' || about === 'recipient_domain' || about === 'url') {
    if (about === 'recipient' && !glob.includes('@') && !plainText.test(glob))
      return 'a recipient beyond ASCII is compared with its domain in ASCII; write what stands before and behind the @';
    const host = about === 'recipient' ? glob.slice(glob.indexOf('@') + 1) : glob;
    if (host.split('.').some((label) => label.includes('*') && !plainText.test(label)))
      return 'a part of a domain that has a star and letters beyond ASCII cannot be compared; write it in its xn-- form';
  }
  return undefined;
}

const plainText = /^[\x20-\x7e]*$/;

/** A glob as an admin writes it. */
const isGlob = (glob: string): boolean =>
  glob !== '' &&
  glob.length <= MAX_GLOB &&
  !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(glob) &&
  piecesOf(glob) !== undefined;

/** Brings the pieces of a glob into the form of the facts of its kind, so that a rule is about a thing and not about a spelling. */
function asFact(about: Globbed, pieces: readonly string[]): string[] {
  const first = pieces[0] ?? '';
  switch (about) {
    case 'path':
    case 'folder': {
      // A star at the front may stand for the root, so only text there is led back to it.
      const rooted = pieces.map((p) => p.normalize('NFC').replace(/\/{2,}/g, '/'));
      if (pieces.length === 1) return [fromRoot(first)];
      if (first !== '' && !first.startsWith('/')) rooted[0] = `/${rooted[0]}`;
      return rooted;
    }
    case 'channel':
      return [first.replace(/^#/, ''), ...pieces.slice(1)].map(folded);
    case 'repository':
      return pieces.map((p) => p.toLowerCase());
    case 'recipient':
    case 'recipient_domain':
    case 'url': {
      const cut = about === 'recipient' ? pieces.findIndex((p) => p.includes('@')) : 0;
      return pieces.map((p, i) => {
        if (cut < 0 || i < cut) return folded(p);
        const at = about === 'recipient' && i === cut ? p.indexOf('@') + 1 : 0;
        return folded(p.slice(0, at)) + inAscii(p.slice(at));
      });
    }
    case 'text':
      return [...pieces];
  }
}

/** Labels of a host's name in their ASCII form. */
const inAscii = (text: string): string =>
  text
    .toLowerCase()
    .split('.')
    .map((label) => (plainText.test(label) ? label : domainToASCII(label) || label))
    .join('.');

const pattern = (left: Expr, pieces: readonly string[]): Expr => ({
  like: {
    left,
    pattern: pieces.flatMap((p, i) => [
      ...(i > 0 ? (['Wildcard'] as const) : []),
      ...(p === '' ? [] : [{ Literal: p }]),
    ]),
  },
});

/**
 * Cedar for "the fact at `args` is one of these". `wide` is for what must not slip through: a folder's glob then means the folder itself too, and
 * case does not count where a file system may not tell it apart. Where it is `false`, exactly what is written is meant.
 */
export function matches(
  about: Globbed,
  args: Expr,
  globs: readonly string[],
  wide: boolean,
): { fact: string; any: Expr[] } {
  const inFolder = about === 'path' || about === 'folder';
  const fact = inFolder && wide ? `${about}_folded` : about === 'url' ? 'url_host' : about;
  const left: Expr = { '.': { left: args, attr: fact } };
  const any = globs.flatMap((glob) => {
    const written = asFact(about, piecesOf(glob) ?? []);
    const pieces = inFolder && wide ? written.map(folded) : written;
    const last = pieces.at(-2) ?? '';
    const whole =
      inFolder && wide && pieces.length > 1 && pieces.at(-1) === '' && last.length > 1 && last.endsWith('/');
    return [pattern(left, pieces), ...(whole ? [pattern(left, [...pieces.slice(0, -2), last.slice(0, -1)])] : [])];
  });
  return { fact, any };
}
