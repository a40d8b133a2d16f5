/** A glob over paths, prepared. `*` and `?` stay within a name, `**` is any number of folders. */
export type PathGlob = {
  /** Names to be matched one after the other; `undefined` is `**`. */
  names: readonly (string | undefined)[];
  /** It ends with `/**`: it is about what is below a folder. */
  below: boolean;
  /** A name without stars that it asks for, if there is one: a path without that name needs no closer look. */
  literal: string | undefined;
};

/** Longer than any path that a rule should name. */
export const MAX_GLOB = 300;

/**
 * Why a glob is not one; undefined if it is. Signs that mean something to other glob languages and nothing here are refused: a rule that
 * quietly matches nothing is worse than none.
 */
export function wrongPathGlob(glob: string): string | undefined {
  if (glob === '' || glob.length > MAX_GLOB) return `has to have 1 to ${MAX_GLOB} characters`;
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u.test(glob))
    return 'has control or invisible characters in it';
  if (/[[\]{}\\]|^!/.test(glob))
    return 'only *, ? and ** stand for something; write out what [ ], { }, ! or \\ would mean';
  const names = glob.split('/').filter((n) => n !== '');
  if (names.length === 0) return 'names nothing';
  if (names.some((n) => n === '.' || n === '..')) return 'has "." or ".." in it; write where it leads';
  if (names.some((n) => n !== '**' && n.includes('**'))) return '** stands alone between slashes';
  if (/%[0-9a-f]{2}/i.test(glob)) return 'is percent-encoded; write it as it is';
  return undefined;
}

/**
 * As in .gitignore: without a slash (but at the end) it is about a name anywhere, else about a path from the root. `fold` brings the text
 * between the stars into the form in which paths are compared.
 */
export function pathGlob(glob: string, fold: (text: string) => string): PathGlob {
  const anchored = /\/./s.test(glob);
  const names = glob.split('/').filter((n) => n !== '');
  const prepared = names.map((n) =>
    n === '**'
      ? undefined
      : n
          .split(/([*?])/)
          .map((p) => (p === '*' || p === '?' ? p : fold(p)))
          .join(''),
  );
  return {
    names: anchored ? prepared : [undefined, ...prepared],
    below: names.at(-1) === '**',
    literal: prepared.find((n) => n !== undefined && !/[*?]/.test(n)),
  };
}

/**
 * For each beginning of the path (its first 1, 2, … names) whether the glob matches just that; index 0 is the root, which nothing matches. The
 * set of places in the glob is carried along the path, so that the work is at most names times names, whatever is written.
 */
export function prefixesMatched(glob: PathGlob, path: readonly string[]): boolean[] {
  const { names } = glob;
  const open = (at: Set<number>): Set<number> => {
    // `**` may also stand for nothing, except at the end, where there has to be something below.
    for (const i of at) if (i < names.length - 1 && names[i] === undefined) at.add(i + 1);
    return at;
  };
  let at = open(new Set([0]));
  return [
    false,
    ...path.map((name) => {
      const next = new Set<number>();
      for (const i of at) {
        if (i >= names.length) continue;
        const wanted = names[i];
        if (wanted === undefined) {
          next.add(i);
          if (i === names.length - 1) next.add(names.length);
        } else if (nameMatches(wanted, name)) next.add(i + 1);
      }
      at = open(next);
      return at.has(names.length);
    }),
  ];
}

/** Whether something below a folder could match. */
export function couldMatchBelow(glob: PathGlob, folder: readonly string[]): boolean {
  const { names } = glob;
  let at = new Set([0]);
  for (const name of folder) {
    const next = new Set<number>();
    for (const start of at)
      for (let i = start; i < names.length; i++) {
        const wanted = names[i];
        if (wanted === undefined) {
          next.add(i);
          continue;
        }
        if (nameMatches(wanted, name)) next.add(i + 1);
        break;
      }
    at = next;
  }
  return [...at].some((i) => i < names.length);
}

/** `*` and `?` within one name, by going back to the last star only: never more than the product of the two lengths. */
export function nameMatches(wanted: string, name: string): boolean {
  let w = 0;
  let n = 0;
  let star = -1;
  let from = 0;
  while (n < name.length) {
    const c = wanted[w];
    if (c === '*') {
      star = w++;
      from = n;
    } else if (w < wanted.length && (c === '?' || c === name[n])) {
      w++;
      n++;
    } else if (star >= 0) {
      w = star + 1;
      n = ++from;
    } else return false;
  }
  while (wanted[w] === '*') w++;
  return w === wanted.length;
}
