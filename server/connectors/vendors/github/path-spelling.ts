/** Longer than any path that git hosts take. */
export const MAX_PATH = 4096;
/** Nobody encodes a path more often than that, except to hide it. */
const MAX_DECODINGS = 6;

const unseen = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/** One form for spellings that a file system or a reader takes for one: width, ligatures, case (both ways: ı and ſ are I and S to some), what is not seen. */
export const foldedText = (text: string): string =>
  text.normalize('NFKC').replace(unseen, '').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');

/** Percent-encoded bytes as text, once. What is no UTF-8 becomes U+FFFD and so nothing that a rule names. */
function decodedOnce(text: string): string {
  return text
    .replace(/%u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

/** The names of a path from the root: no empty ones, `.` and `..` gone where they lead. */
function walked(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name === '..') names.pop();
    else names.push(name);
  }
  return names;
}

/** Windows drops dots and blanks at the end of a name and takes what follows a colon for a stream of the file. */
const asOnWindows = (name: string): string =>
  name
    .replace(/:.*$/s, '')
    .replace(/[. ]+$/, '')
    .trim();

/** ASCII without what some system decodes (%), takes for a slash or cuts off at (:). */
const plainText = /^[\x20-\x24\x26-\x39\x3b-\x5b\x5d-\x7e]+$/;
/** An empty name, `.`, `..`, or a blank or dot at the end of a name that some system drops. */
const oddName = /(?:^|\/)(?:\.{0,2}(?:\/|$)| )|[. ](?:\/|$)/;

/**
 * Every path that some reader on the way (a proxy that decodes, a file system that folds, git on Windows or macOS) could take this text for,
 * as folded names; undefined where it is wrapped so often that nobody can want to be understood.
 */
export function spellingsOf(text: string): string[][] | undefined {
  // Almost every path of almost every repository has one spelling, and there may be a hundred thousand of them.
  if (plainText.test(text) && !oddName.test(text)) return [text.toLowerCase().split('/')];
  const all = new Map<string, string[]>();
  const add = (names: string[]): void => void all.set(names.join('/'), names);
  let stage = text;
  for (let i = 0; i <= MAX_DECODINGS; i++) {
    const folded = foldedText(stage);
    const slashed = folded.replaceAll('\\', '/');
    add(walked(folded));
    add(walked(foldedText(stage.replace(/\0.*$/s, ''))));
    add(walked(slashed));
    add(
      walked(slashed)
        .map(asOnWindows)
        .filter((n) => n !== ''),
    );
    const next = decodedOnce(folded);
    if (next === folded) return [...all.values()];
    stage = next;
  }
  return undefined;
}

/** A path as a tool's argument, in git's spelling: `/a//./b/` is `a/b`; the root is ''. Or why it has none. */
export function readRepositoryPath(text: string): { path: string } | { says: string } {
  if (text.length > MAX_PATH) return { says: `is longer than ${MAX_PATH} characters` };
  if (!text.isWellFormed() || text.replace(unseen, '') !== text)
    return { says: 'has control or invisible characters in it' };
  if (text.includes('\\')) return { says: 'has a backslash in it; write it with slashes' };
  const names = text.split('/').filter((n) => n !== '' && n !== '.');
  if (names.includes('..')) return { says: 'has ".." in it; write where it leads' };
  return { path: names.join('/') };
}
