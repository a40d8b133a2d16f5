import { Problem } from './problem.ts';

/** Deeper than any document we exchange; keeps the stack of every later reader safe. */
export const MAX_JSON_DEPTH = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const bad = (code: string, says: string, fix?: string): Problem => new Problem('invalid', code, { says, fix });

/**
 * Parses a JSON document that came from outside. Stricter than JSON.parse, so that no later reader can see another document than we did:
 * UTF-8 without BOM, no key twice in one object (RFC 8259 §4 leaves that open), no lone surrogate, bounded depth.
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (e) {
    throw new Problem('invalid', 'http/not-utf8', {
      says: 'the body is not UTF-8',
      fix: 'send JSON in UTF-8 (RFC 8259 §8.1)',
      because: e,
    });
  }
  return parseJsonText(text);
}

/** `parseJson` for text that is decoded already. */
export function parseJsonText(text: string): unknown {
  if (text.charCodeAt(0) === 0xfeff)
    throw bad('http/json-bom', 'the body begins with a byte order mark', 'send JSON without it (RFC 8259 §8.1)');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (e) {
    throw new Problem('invalid', 'http/not-json', {
      says:
        text.trim() === ''
          ? 'the body is empty; JSON was expected'
          : `the body is not JSON: ${e instanceof Error ? e.message.replace(/, ".*$/s, '') : 'unreadable'}`,
      fix: 'send one JSON document',
    });
  }
  check(text);
  return value;
}

/** Walks text that JSON.parse has accepted, so it need only tell strings, braces and commas apart. */
function check(text: string): void {
  const keys: (Set<string> | undefined)[] = []; // one entry per open bracket; a Set where it is an object
  let expectKey = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22 /* " */: {
        let end = i + 1;
        let plain = true;
        for (let c = text.charCodeAt(end); c !== 0x22; c = text.charCodeAt(end)) {
          if (c === 0x5c) {
            plain = false;
            end += 2;
          } else end++;
        }
        if (expectKey || !plain) {
          const raw = text.slice(i, end + 1);
          const s: string = plain ? raw.slice(1, -1) : String(JSON.parse(raw));
          if (!s.isWellFormed())
            throw bad(
              'http/json-surrogate',
              'the body has half of a surrogate pair in a string',
              'send only well-formed Unicode',
            );
          const seen = keys.at(-1);
          if (expectKey && seen) {
            if (seen.has(s))
              throw bad(
                'http/json-duplicate-key',
                `the key ${JSON.stringify(s.slice(0, 100))} is twice in one object`,
                'send every key once',
              );
            seen.add(s);
          }
        }
        expectKey = false;
        i = end;
        break;
      }
      case 0x7b /* { */:
        keys.push(new Set());
        expectKey = true;
        if (keys.length > MAX_JSON_DEPTH) throw tooDeep();
        break;
      case 0x5b /* [ */:
        keys.push(undefined);
        expectKey = false;
        if (keys.length > MAX_JSON_DEPTH) throw tooDeep();
        break;
      case 0x7d /* } */:
      case 0x5d /* ] */:
        keys.pop();
        expectKey = false;
        break;
      case 0x2c /* , */:
        expectKey = keys.at(-1) !== undefined;
        break;
      default:
    }
  }
}

const tooDeep = (): Problem => bad('http/json-depth', `the body is nested deeper than ${MAX_JSON_DEPTH} levels`);
