import { Problem } from '#kernel/problem.ts';

export type Token =
  | { kind: 'word'; text: string }
  | { kind: 'string'; text: string }
  | { kind: 'number'; text: string }
  /** A date, a time or a literal with a number, such as LAST_N_DAYS:30. */
  | { kind: 'literal'; text: string }
  | { kind: 'sign'; text: string }
  | { kind: 'end'; text: '' };

export const badSoql = (says: string): Problem =>
  new Problem('invalid', 'connectors/soql', {
    says,
    fix: "write one SELECT over the objects of this connector, such as: SELECT Id, Name FROM Account WHERE Name LIKE 'Acme%' LIMIT 20",
  });

/** A query longer than this does not fit into an address. */
export const MAX_SOQL = 4000;

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', '"': '"', "'": "'" };

/**
 * The tokens of a query. INVARIANT (nothing skipped): every character but blanks becomes part of a token that we know, so there is no comment and
 * no letter that another reader could take for something else.
 */
export function soqlTokens(text: string): Token[] {
  if (text.length > MAX_SOQL) throw badSoql(`the query is longer than ${MAX_SOQL} characters`);
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const blank = /^[ \t\r\n]+/.exec(rest)?.[0];
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    if (rest.startsWith("'")) {
      const read = stringAt(text, at);
      tokens.push({ kind: 'string', text: read.text });
      at = read.end;
      continue;
    }
    const token = oneOf(rest);
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function oneOf(rest: string): Token {
  const date = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2}))?(?![\w.:-])/.exec(
    rest,
  )?.[0];
  if (date !== undefined) return { kind: 'literal', text: date };
  const number = /^[+-]?\d{1,18}(?:\.\d{1,18})?(?![\w.:])/.exec(rest)?.[0];
  if (number !== undefined) return { kind: 'number', text: number };
  const counted = /^[A-Za-z_]{1,40}:\d{1,5}(?!\w)/.exec(rest)?.[0];
  if (counted !== undefined) return { kind: 'literal', text: counted };
  const word = /^[A-Za-z][A-Za-z0-9_]*/.exec(rest)?.[0];
  if (word !== undefined) {
    if (word.length > 80) throw badSoql('a name is longer than any name in Salesforce');
    return { kind: 'word', text: word };
  }
  const sign = /^(?:<=|>=|!=|<>|[=<>(),.])/.exec(rest)?.[0];
  if (sign !== undefined) return { kind: 'sign', text: sign };
  if (/^(?:--|\/\/|\/\*)/.test(rest)) throw badSoql('comments are not taken');
  const c = String.fromCodePoint(rest.codePointAt(0) ?? 0);
  throw badSoql(
    /[\u0021-\u007e]/.test(c)
      ? `"${c}" is not taken here`
      : `there is a character outside of quotes that is not plain ASCII (U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')})`,
  );
}

/**
 * A string, decoded but for the escapes that LIKE reads: in what is returned, a backslash is always the first of a pair with a backslash, a percent
 * sign or an underscore.
 */
function stringAt(text: string, from: number): { text: string; end: number } {
  let out = '';
  for (let i = from + 1; i < text.length;) {
    const c = String.fromCodePoint(text.codePointAt(i) ?? 0);
    if (c === "'") return { text: out, end: i + 1 };
    if (c !== '\\') {
      out += checked(c);
      i += c.length;
      continue;
    }
    const next = text[i + 1] ?? '';
    const hex = /^u([0-9a-fA-F]{4})/.exec(text.slice(i + 1, i + 6))?.[1];
    if (hex !== undefined) {
      const code = String.fromCharCode(Number.parseInt(hex, 16));
      out += code === '\\' ? '\\\\' : checked(code);
      i += 6;
    } else if (next === '\\' || next === '%' || next === '_') {
      out += `\\${next}`;
      i += 2;
    } else {
      const plain = escapes[next];
      if (plain === undefined) throw badSoql(`"\\${next}" is no escape in a string`);
      out += plain;
      i += 2;
    }
  }
  throw badSoql('a string is not ended');
}

function checked(c: string): string {
  if (/[\u0000-\u001f\u007f-\u009f\ud800-\udfff\u2028\u2029]/.test(c))
    throw badSoql('a string has a control character or half of a character in it');
  return c;
}

/** A string as it is written into a query: what `stringAt` read, or plain text by `quotedText`. */
export const quoted = (text: string): string =>
  `'${text.replace(/\\[\\%_]|[\n\r\t\b\f'"]/g, (c) => {
    if (c.startsWith('\\')) return c;
    const name = Object.entries(escapes).find(([, plain]) => plain === c)?.[0];
    return `\\${name ?? ''}`;
  })}'`;

/** Plain text, in which nothing has a meaning, as a string of a query. */
export const quotedText = (text: string): string => {
  for (const c of text) checked(c);
  return quoted(text.replaceAll('\\', '\\\\'));
};
