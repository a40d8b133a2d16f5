/** Shorter ones stand everywhere and save nothing. */
const LEAST = 3;

/**
 * The longest text that every match of the pattern contains, as far as that is plain to see: characters of the outermost sequence that stand for
 * themselves. Undefined where there is none, or where the pattern is an alternative or changes its own flags. Never wrong, often absent.
 */
export function requiredLiteral(source: string): string | undefined {
  let best = '';
  let run = '';
  const end = (): void => {
    if (run.length > best.length) best = run;
    run = '';
  };
  for (let i = 0; i < source.length;) {
    const c = source.charAt(i);
    let literal: string | undefined;
    let next = i + 1;
    if (c === '|') return undefined;
    if (c === '(') {
      if (
        source.startsWith('(?', i) &&
        !source.startsWith('(?:', i) &&
        !source.startsWith('(?<', i) &&
        !source.startsWith('(?P<', i)
      )
        return undefined;
      next = closing(source, i);
    } else if (c === '[') next = classEnd(source, i);
    else if (c === '\\') {
      const e = source.charAt(i + 1);
      if (e === 'Q') return undefined;
      // \d, \pL and \x41 stand for something else; a sign stands for itself.
      if (/[A-Za-z0-9]/.test(e)) next = escapeEnd(source, i);
      else {
        literal = e;
        next = i + 2;
      }
    } else if (!/[.^$*+?{}]/.test(c)) literal = c;
    const q = /^(?:[*?]|\{0|\{,)/.test(source.slice(next)) ? 'none' : /^[+{]/.test(source.slice(next)) ? 'some' : 'one';
    if (literal !== undefined && q !== 'none') run += literal;
    if (literal === undefined || q !== 'one') end();
    i = q === 'one' ? next : quantifierEnd(source, next);
  }
  end();
  return best.length >= LEAST ? best : undefined;
}

function closing(source: string, open: number): number {
  let depth = 0;
  for (let i = open; i < source.length;) {
    const c = source.charAt(i);
    if (c === '\\') i += 2;
    else if (c === '[') i = classEnd(source, i);
    else {
      if (c === '(') depth++;
      if (c === ')' && --depth === 0) return i + 1;
      i++;
    }
  }
  return source.length;
}

function classEnd(source: string, open: number): number {
  let i = open + 1;
  if (source[i] === '^') i++;
  if (source[i] === ']') i++;
  while (i < source.length && source[i] !== ']') {
    if (source.startsWith('[:', i)) i = Math.max(i, source.indexOf(':]', i) + 1);
    i += source[i] === '\\' ? 2 : 1;
  }
  return i + 1;
}

function escapeEnd(source: string, at: number): number {
  const rest = source.slice(at);
  return (
    at +
    (/^\\(?:[pP](?:\{[^}]*\}|.)|x(?:\{[^}]*\}|[0-9A-Fa-f]{2})|u(?:\{[^}]*\}|[0-9A-Fa-f]{4})|[0-7]{1,3}|.)/.exec(
      rest,
    )?.[0].length ?? 2)
  );
}

const quantifierEnd = (source: string, at: number): number =>
  at + (/^(?:[*+?]|\{[^}]*\})[?+]?/.exec(source.slice(at))?.[0].length ?? 1);
