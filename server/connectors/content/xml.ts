import { broken, tooHard } from './content.ts';

/** What an XML document consists of. Names are without their prefix: office programs of different makers choose different ones. */
export type XmlEvent =
  | { kind: 'open'; name: string; attributes: ReadonlyMap<string, string> }
  | { kind: 'close'; name: string }
  | { kind: 'text'; text: string };

/** Deeper than any program nests; keeps the stack of every later reader safe. */
const MAX_DEPTH = 256;
const MAX_ATTRIBUTES = 200;

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Reads XML 1.0 strictly and in one pass. INVARIANT (no definitions): a document type is refused, so there is no entity but the five of XML and
 * nothing is ever fetched or expanded.
 */
export function* readXml(bytes: Uint8Array): Generator<XmlEvent> {
  const text = decoded(bytes);
  const open: string[] = [];
  let roots = 0;
  let at = text.startsWith('<?xml') ? after(text, '?>', 0) : 0;
  while (at < text.length) {
    const next = text.indexOf('<', at);
    const end = next < 0 ? text.length : next;
    if (end > at) {
      const run = text.slice(at, end);
      if (open.length > 0) yield { kind: 'text', text: unescaped(run) };
      else if (run.trim() !== '') throw damaged('text stands outside of the document');
    }
    if (next < 0) break;
    if (text.startsWith('<!--', next)) at = after(text, '-->', next + 4);
    else if (text.startsWith('<![CDATA[', next)) {
      at = after(text, ']]>', next);
      if (open.length === 0) throw damaged('text stands outside of the document');
      yield { kind: 'text', text: text.slice(next + 9, at - 3) };
    } else if (text.startsWith('<!', next))
      throw broken('a part of the file defines a document type, as no office program does');
    else if (text.startsWith('<?', next)) at = after(text, '?>', next);
    else if (text.startsWith('</', next)) {
      at = after(text, '>', next);
      const name = text.slice(next + 2, at - 1).trimEnd();
      if (open.pop() !== name) throw damaged('an element ends that did not begin');
      yield { kind: 'close', name: local(name) };
    } else {
      const tag = readTag(text, next);
      at = tag.end;
      if (open.length === 0 && ++roots > 1) throw damaged('it has two roots');
      yield { kind: 'open', name: local(tag.name), attributes: tag.attributes };
      if (tag.empty) yield { kind: 'close', name: local(tag.name) };
      else if (open.push(tag.name) > MAX_DEPTH)
        throw tooHard(`a part of the file is nested deeper than ${MAX_DEPTH} levels`);
    }
  }
  if (open.length > 0 || roots === 0) throw damaged('it ends too early');
}

const damaged = (what: string): Error => broken(`a part of the file is not well-formed XML: ${what}`);
const local = (name: string): string => name.slice(name.indexOf(':') + 1);

function after(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  if (at < 0) throw damaged('it ends too early');
  return at + what.length;
}

const tagName = /<([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)/y;
const attribute = /\s+([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const tagEnd = /\s*(\/?)>/y;
const none: ReadonlyMap<string, string> = new Map();

function readTag(
  text: string,
  at: number,
): { name: string; attributes: ReadonlyMap<string, string>; empty: boolean; end: number } {
  tagName.lastIndex = at;
  const name = tagName.exec(text)?.[1];
  if (name === undefined) throw damaged('a name is none');
  let end = tagName.lastIndex;
  let attributes: Map<string, string> | undefined;
  for (;;) {
    attribute.lastIndex = end;
    const a = attribute.exec(text);
    if (!a?.[1]) break;
    attributes ??= new Map();
    // With its prefix where it has one: `r:id` and `id` of one element are two things. `id` of relationships is asked for by `attributeOf`.
    if (attributes.has(a[1])) throw damaged('an attribute stands twice');
    if (attributes.size >= MAX_ATTRIBUTES)
      throw tooHard(`an element of the file has more than ${MAX_ATTRIBUTES} attributes`);
    attributes.set(a[1], unescaped(a[2] ?? a[3] ?? ''));
    end = attribute.lastIndex;
  }
  tagEnd.lastIndex = end;
  const closing = tagEnd.exec(text);
  if (!closing) throw damaged('a tag does not end');
  return { name, attributes: attributes ?? none, empty: closing[1] === '/', end: tagEnd.lastIndex };
}

const unescaped = (text: string): string =>
  text.includes('&')
    ? text.replace(/&(?:#(\d{1,7})|#x([\da-fA-F]{1,6})|(\w+));|&/g, (_, dec?: string, hex?: string, name?: string) => {
        const code = dec ? Number(dec) : hex ? Number.parseInt(hex, 16) : undefined;
        if (code !== undefined) {
          if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw damaged('a character is none');
          return String.fromCodePoint(code);
        }
        const known = name !== undefined && Object.hasOwn(entities, name) ? entities[name] : undefined;
        if (known === undefined) throw damaged('a character has a name that nobody defined');
        return known;
      })
    : text;

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decoded(bytes: Uint8Array): string {
  try {
    if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le', { fatal: true }).decode(bytes);
    if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be', { fatal: true }).decode(bytes);
    return utf8.decode(bytes);
  } catch {
    throw broken('a part of the file is neither UTF-8 nor UTF-16');
  }
}

/** An attribute whatever its prefix is: `r:id` of relationships has another in files of some makers. */
export function prefixed(attributes: ReadonlyMap<string, string>, name: string): string | undefined {
  for (const [key, value] of attributes) if (key.endsWith(`:${name}`)) return value;
  return undefined;
}
