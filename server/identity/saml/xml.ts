// The only place where bytes from outside become XML. One parser, and before it everything is refused that parsers disagree about.
import { inflateRawSync } from 'node:zlib';
import { DOMParser, type Attr, type Element } from '@xmldom/xmldom';
import { KiB } from '#kernel/limits.ts';
import { refuse } from './refuse.ts';

export type { Element };

/** A response with 1,000 groups has about 100 KiB; above this nobody honest sends. */
export const MAX_XML_BYTES = 256 * KiB;
/** The same in base64, with line breaks. */
const MAX_BASE64_CHARS = 350 * KiB;
/** A response with 1,000 groups has 1,100 elements. */
const MAX_ELEMENTS = 5000;
const MAX_ATTRIBUTES = 5000;
/** Response, Assertion, Signature and what KeyInfo holds need 10. */
const MAX_DEPTH = 32;
/** Each declaration is copied into the scope of all elements below it. */
const MAX_NAMESPACE_DECLARATIONS = 2500;

export const ns = {
  samlp: 'urn:oasis:names:tc:SAML:2.0:protocol',
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion',
  md: 'urn:oasis:names:tc:SAML:2.0:metadata',
  ds: 'http://www.w3.org/2000/09/xmldsig#',
  xenc: 'http://www.w3.org/2001/04/xmlenc#',
  xenc11: 'http://www.w3.org/2009/xmlenc11#',
  ec: 'http://www.w3.org/2001/10/xml-exc-c14n#',
} as const;
const XMLNS = 'http://www.w3.org/2000/xmlns/';
const prefixOf = new Map<string, string>(Object.entries(ns).map(([prefix, uri]) => [uri, prefix]));

/** Name of an element with our prefix for its namespace: `saml:Issuer`, whatever prefix the sender chose; `{uri}name` for a foreign one. */
export function nameOf(e: Element): string {
  const prefix = prefixOf.get(e.namespaceURI ?? '');
  return prefix === undefined ? `{${e.namespaceURI ?? ''}}${e.localName ?? ''}` : `${prefix}:${e.localName ?? ''}`;
}

export function childrenOf(e: Element): Element[] {
  const found: Element[] = [];
  for (let c = e.firstChild; c; c = c.nextSibling) if (isElement(c)) found.push(c);
  return found;
}
const isElement = (n: { nodeType: number }): n is Element => n.nodeType === 1;

export const childrenNamed = (e: Element, name: string): Element[] => childrenOf(e).filter((c) => nameOf(c) === name);
export const childNamed = (e: Element, name: string): Element | undefined => childrenNamed(e, name)[0];
export const textOf = (e: Element): string => e.textContent ?? '';
/** An attribute without a namespace. */
export const attributeOf = (e: Element, name: string): string | undefined => e.getAttributeNS(null, name) ?? undefined;

export function attributesOf(e: Element): Attr[] {
  const found: Attr[] = [];
  for (let i = 0; i < e.attributes.length; i++) {
    const a = e.attributes.item(i);
    if (a) found.push(a);
  }
  return found;
}
export const isDeclaration = (a: Attr): boolean => a.namespaceURI === XMLNS;

/** Every element from `e` down, in the order of the document. */
export function* everyElement(e: Element): Generator<Element> {
  yield e;
  for (const c of childrenOf(e)) yield* everyElement(c);
}

/** Base64 as in RFC 4648 §4, line breaks apart; undefined if there is a character that does not belong. */
export function strictBase64(text: string): Buffer | undefined {
  const packed = text.replace(/[\t\n\r ]+/g, '');
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) return undefined;
  const bytes = Buffer.from(packed, 'base64');
  // Bits behind the last byte must be zero, so that one message has one spelling.
  return bytes.toString('base64') === packed ? bytes : undefined;
}

/** What stands in a form's SAMLResponse or SAMLRequest, as text. */
export function decodeMessage(base64: string): string {
  if (base64.length > MAX_BASE64_CHARS) throw tooLarge(`${base64.length} characters of base64`);
  const bytes = strictBase64(base64);
  if (!bytes || bytes.length === 0)
    throw refuse('identity/saml-base64', 'the identity provider’s message is not base64', {
      found: bytes ? 'nothing' : 'characters that base64 does not have',
    });
  return decodeBytes(bytes);
}

/** What stands in a query's SAMLRequest or SAMLResponse (the redirect binding), as text. Never inflates beyond the limit. */
export function inflateMessage(base64: string): string {
  if (base64.length > MAX_BASE64_CHARS) throw tooLarge(`${base64.length} characters of base64`);
  const bytes = strictBase64(base64);
  if (!bytes) throw refuse('identity/saml-base64', 'the message in the address is not base64');
  let inflated: Buffer;
  try {
    inflated = inflateRawSync(bytes, { maxOutputLength: MAX_XML_BYTES });
  } catch (e) {
    const bomb = e instanceof Error && 'code' in e && e.code === 'ERR_BUFFER_TOO_LARGE';
    if (bomb) throw tooLarge(`more than ${MAX_XML_BYTES} bytes inflated`);
    throw refuse('identity/saml-deflate', 'the message in the address is not deflated as it must be', { because: e });
  }
  return decodeBytes(inflated);
}

const tooLarge = (found: string) =>
  refuse('identity/saml-too-large', 'the identity provider’s message is too large', {
    found,
    expected: `at most ${MAX_XML_BYTES} bytes of XML`,
    fix: 'let the identity provider send fewer attributes or groups',
  });

export function decodeBytes(bytes: Uint8Array): string {
  if (bytes.length > MAX_XML_BYTES) throw tooLarge(`${bytes.length} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (e) {
    throw refuse('identity/saml-encoding', 'the message is not UTF-8', { because: e });
  }
}

/** Only metadata, which people edit, may have comments, which its canonical form drops; and it may be larger. */
type Allow = { comments?: boolean; maxChars?: number };

/** Parses a document of which nothing is believed yet. INVARIANT (one reading): what passes here, every parser of XML 1.0 reads the same way. */
export function parseXml(text: string, allow: Allow = {}): Element {
  if (text.length > (allow.maxChars ?? MAX_XML_BYTES)) throw tooLarge(`${text.length} characters`);
  const whole = withoutDeclaration(text);
  refuseMarkup(whole, allow);
  const body = allow.comments ? whole.replace(/<!--[^]*?-->/g, '') : whole;
  refuseCharacters(body);
  refuseBulk(body);
  let root: Element | null;
  try {
    root = new DOMParser({
      locator: false,
      onError: (level, message) => {
        throw new SyntaxError(`${level}: ${message}`);
      },
    }).parseFromString(body, 'text/xml').documentElement;
  } catch (e) {
    throw refuse('identity/saml-xml-malformed', 'the message is not well-formed XML', {
      found: e instanceof Error ? e.message : 'unreadable',
      because: e,
    });
  }
  if (!root) throw refuse('identity/saml-xml-malformed', 'the message has no root element');
  refuseNames(root);
  return root;
}

function withoutDeclaration(text: string): string {
  if (text.charCodeAt(0) === 0xfeff)
    throw refuse('identity/saml-encoding', 'the message begins with a byte order mark');
  if (!text.startsWith('<?xml')) return text;
  const m =
    /^<\?xml\s+version\s*=\s*(["'])1\.0\1(?:\s+encoding\s*=\s*(["'])([A-Za-z0-9._-]+)\2)?(?:\s+standalone\s*=\s*(["'])(?:yes|no)\4)?\s*\?>/.exec(
      text,
    );
  if (!m) throw refuse('identity/saml-xml-instruction', 'the message begins with an XML declaration that is not one');
  if (m[3] !== undefined && m[3].toLowerCase() !== 'utf-8')
    throw refuse('identity/saml-encoding', 'the message declares an encoding other than UTF-8', {
      found: m[3],
      expected: 'UTF-8',
    });
  return text.slice(m[0].length);
}

/** `<` is always markup in well-formed XML, so looking for these needs no parser. */
function refuseMarkup(text: string, allow: Allow): void {
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at + 1)) {
    const next = text.charCodeAt(at + 1);
    if (next === 0x3f) throw refuse('identity/saml-xml-instruction', 'the message has a processing instruction inside');
    if (next !== 0x21) continue;
    if (text.startsWith('<!--', at)) {
      if (!allow.comments) throw refuse('identity/saml-xml-comment', 'the message has a comment inside');
      const end = text.indexOf('-->', at + 4);
      if (end < 0) throw refuse('identity/saml-xml-malformed', 'a comment does not end');
      at = end;
    } else if (text.startsWith('<![CDATA[', at))
      throw refuse('identity/saml-xml-cdata', 'the message has a CDATA section inside');
    else
      throw refuse('identity/saml-xml-doctype', 'the message has a document type declaration, or what looks like one');
  }
}

/** Characters that XML 1.0 §2.2 does not have, written out or as a reference. Parsers drop, replace or keep them. */
function refuseCharacters(text: string): void {
  const bad = (found: string) =>
    refuse('identity/saml-xml-character', 'the message has a character that XML does not have', { found });
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  const m = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.exec(text);
  if (m) throw bad(`U+${m[0].charCodeAt(0).toString(16)}`);
  if (!text.isWellFormed()) throw bad('half of a surrogate pair');
  for (let at = text.indexOf('&#'); at >= 0; at = text.indexOf('&#', at + 2)) {
    const ref = /^&#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}));/.exec(text.slice(at, at + 12));
    const code = ref ? parseInt(ref[1] ?? ref[2] ?? '', ref[1] === undefined ? 10 : 16) : -1;
    const fine =
      code === 9 ||
      code === 10 ||
      code === 13 ||
      (code >= 0x20 && code < 0xd800) ||
      (code >= 0xe000 && code < 0xfffe) ||
      (code >= 0x10000 && code <= 0x10ffff);
    if (!fine) throw bad(ref?.[0] ?? 'a reference that does not end');
  }
}

/**
 * Counts elements, attributes and depth before a parser spends memory on them. It counts as XML means it; what is not XML is the parser's to
 * refuse, and cannot be more than what is counted.
 */
function refuseBulk(text: string): void {
  let elements = 0;
  let attributes = 0;
  let declarations = 0;
  let depth = 0;
  const end = text.length;
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
    const closing = text.charCodeAt(at + 1) === 0x2f;
    let i = at + 1;
    let quote = 0;
    for (; i < end; i++) {
      const c = text.charCodeAt(i);
      if (quote !== 0) {
        if (c === quote) quote = 0;
      } else if (c === 0x22 || c === 0x27) quote = c;
      else if (c === 0x3e) break;
      else if (c === 0x3d) {
        attributes++;
        if (attributes > MAX_ATTRIBUTES) throw tooComplex('attributes');
      } else if (c === 0x78 && text.startsWith('xmlns', i) && ++declarations > MAX_NAMESPACE_DECLARATIONS)
        throw tooComplex('namespace declarations');
    }
    if (closing) depth--;
    else {
      elements++;
      if (elements > MAX_ELEMENTS) throw tooComplex('elements');
      if (text.charCodeAt(i - 1) !== 0x2f && ++depth > MAX_DEPTH) throw tooComplex('levels');
    }
    at = i;
  }
}

const limitOf = {
  elements: MAX_ELEMENTS,
  attributes: MAX_ATTRIBUTES,
  levels: MAX_DEPTH,
  'namespace declarations': MAX_NAMESPACE_DECLARATIONS,
} as const;
const tooComplex = (what: keyof typeof limitOf) =>
  refuse('identity/saml-xml-too-complex', 'the message has far more parts than a sign-in needs', {
    found: `more than ${limitOf[what]} ${what}`,
    expected: `at most ${limitOf[what]}`,
  });

/** INVARIANT (one name, one thing): no ID is there twice in any spelling, and a prefix that has a meaning everywhere has that meaning here. */
function refuseNames(root: Element): void {
  const ids = new Set<string>();
  for (const e of everyElement(root))
    for (const a of attributesOf(e))
      if (isDeclaration(a)) refuseDeclaration(a);
      else if (a.localName?.toLowerCase() === 'id') refuseId(e, a, ids);
}

/** Other prefixes may be bound anew further in: tools that number them do (ElementTree), and canonical form writes that out. */
const conventional: Readonly<Record<string, string>> = {
  ...ns,
  saml2: ns.saml,
  saml2p: ns.samlp,
  dsig: ns.ds,
  xs: 'http://www.w3.org/2001/XMLSchema',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
};

function refuseDeclaration(a: Attr): void {
  const bad = (found: string) =>
    refuse('identity/saml-xml-namespace', 'a namespace of the message does not mean what its name says', { found });
  // Such characters would come out of canonical form as markup.
  if (/[\s<>"'&]/.test(a.value)) throw bad('characters that an address does not have');
  if (a.prefix === null) return;
  const prefix = a.localName ?? '';
  const meant = Object.hasOwn(conventional, prefix) ? conventional[prefix] : undefined;
  if (a.value === '' || prefix === 'xml' || (meant !== undefined && a.value !== meant))
    throw bad(`${prefix}: ${a.value}`);
}

function refuseId(e: Element, a: Attr, ids: Set<string>): void {
  const saml = e.namespaceURI === ns.saml || e.namespaceURI === ns.samlp || e.namespaceURI === ns.md;
  if (a.namespaceURI !== null || (saml && a.localName !== 'ID'))
    throw refuse('identity/saml-xml-id-attribute', 'an element is named in a way that SAML does not have', {
      found: `${a.name} on ${nameOf(e)}`,
      expected: 'ID',
    });
  if (ids.has(a.value))
    throw refuse('identity/saml-xml-duplicate-id', 'two elements of the message have the same ID', { found: a.value });
  ids.add(a.value);
}
