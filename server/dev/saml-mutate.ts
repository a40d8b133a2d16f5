// Random edits of good signed responses, and what becomes of them. Runs as a worker, because 100,000 of them take a while.
import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { expectationsFor, judged } from './saml-judge.ts';
import { base64, samlKey, samlResponse, type ResponseFacts } from './saml-signer.ts';
import { judgeResponse, type Claims } from '#identity/saml/judge-response.ts';

export type MutationRun = { runs: number; seed: number };
export type MutationResult = { runs: number; accepted: number; codes: Record<string, number>; wrong: string[] };

/** Pieces that attacks are made of. */
const pieces = [
  '<!---->',
  '<!-- x -->',
  '<![CDATA[x]]>',
  '<?x?>',
  '&#0;',
  '&amp;',
  '&#x200b;',
  '\u0000',
  '\u00a0',
  ' ',
  '\n',
  '<',
  '>',
  '"',
  "'",
  'victim@northwind-lamps.example',
  'luca@northwind-lamps.example',
  '#',
  'xmlns:saml="urn:evil"',
  'xmlns="urn:evil"',
  ' ID="_x"',
  ' Id="_x"',
  ' xml:id="_x"',
  '<saml:NameID>victim@northwind-lamps.example</saml:NameID>',
  '<saml:AttributeValue>victim@northwind-lamps.example</saml:AttributeValue>',
  '<saml:Attribute Name="email"><saml:AttributeValue>victim@northwind-lamps.example</saml:AttributeValue></saml:Attribute>',
  '<saml:Audience>https://gate.example/saml/org_1</saml:Audience>',
  '<ds:Object/>',
  '<samlp:Extensions/>',
  '2999-01-01T00:00:00Z',
  '2000-01-01T00:00:00Z',
  'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
  'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
  'http://www.w3.org/2001/10/xml-exc-c14n#WithComments',
  '<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="saml xs"/>',
  '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>',
] as const;

type Edit =
  | { kind: 'char'; at: number; to: string }
  | { kind: 'cut'; at: number; length: number }
  | { kind: 'insert'; at: number; piece: number }
  | { kind: 'attribute'; which: number; piece: number }
  | { kind: 'text'; which: number; piece: number }
  | { kind: 'copy' | 'move' | 'swap'; which: number; to: number; inside: boolean }
  | { kind: 'drop' | 'wrap'; which: number };

const n = fc.nat({ max: 1_000_000 });
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    kind: fc.constant('char' as const),
    at: n,
    to: fc.string({ minLength: 1, maxLength: 1, unit: 'binary-ascii' }),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: n, length: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant('insert' as const), at: n, piece: n }),
  fc.record({ kind: fc.constant('attribute' as const), which: n, piece: n }),
  fc.record({ kind: fc.constant('text' as const), which: n, piece: n }),
  fc.record({
    kind: fc.constantFrom('copy' as const, 'move' as const, 'swap' as const),
    which: n,
    to: n,
    inside: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('drop' as const, 'wrap' as const), which: n }),
);

type Range = { from: number; to: number };
/** Elements of a text as ranges, outermost first. What is not well-formed yields what can be found. */
function elements(xml: string): Range[] {
  const found: Range[] = [];
  const open: Range[] = [];
  for (const m of xml.matchAll(/<(\/?)[\w:]+[^<>]*?(\/?)>/g)) {
    if (m[1] === '/') {
      const o = open.pop();
      if (o) o.to = m.index + m[0].length;
    } else {
      const r = { from: m.index, to: m.index + m[0].length };
      found.push(r);
      if (m[2] !== '/') open.push(r);
    }
  }
  return found;
}
const pick = <T>(list: readonly T[], i: number): T | undefined => list[i % Math.max(list.length, 1)];

function applied(xml: string, e: Edit): string {
  const put = (at: number, text: string): string => xml.slice(0, at) + text + xml.slice(at);
  switch (e.kind) {
    case 'char':
      return xml.slice(0, e.at % xml.length) + e.to + xml.slice((e.at % xml.length) + 1);
    case 'cut':
      return xml.slice(0, e.at % xml.length) + xml.slice((e.at % xml.length) + e.length);
    case 'insert':
      return put(e.at % xml.length, pick(pieces, e.piece) ?? '');
    case 'attribute': {
      const m = pick([...xml.matchAll(/="([^"]*)"/g)], e.which);
      return m
        ? `${xml.slice(0, m.index + 2)}${pick(pieces, e.piece) ?? ''}${xml.slice(m.index + m[0].length - 1)}`
        : xml;
    }
    case 'text': {
      const m = pick([...xml.matchAll(/>([^<>]+)</g)], e.which);
      return m
        ? `${xml.slice(0, m.index + 1)}${pick(pieces, e.piece) ?? ''}${xml.slice(m.index + m[0].length - 1)}`
        : xml;
    }
    case 'copy':
    case 'move':
    case 'swap':
    case 'drop':
    case 'wrap': {
      const all = elements(xml);
      const a = pick(all, e.which);
      if (!a) return xml;
      const text = xml.slice(a.from, a.to);
      if (e.kind === 'drop') return xml.slice(0, a.from) + xml.slice(a.to);
      if (!('to' in e)) return `${xml.slice(0, a.from)}<samlp:Extensions>${text}</samlp:Extensions>${xml.slice(a.to)}`;
      const b = pick(all, e.to);
      if (!b) return xml;
      const at = e.inside ? xml.indexOf('>', b.from) + 1 : b.to;
      if (e.kind === 'copy') return put(at, text);
      if (e.kind === 'move')
        return at <= a.from
          ? put(at, text).slice(0, a.from + text.length) + xml.slice(a.to)
          : at >= a.to
            ? xml.slice(0, a.from) + xml.slice(a.to, at) + text + xml.slice(at)
            : xml;
      const [first, last] = a.from < b.from ? [a, b] : [b, a];
      if (last.from < first.to) return xml;
      return (
        xml.slice(0, first.from) +
        xml.slice(last.from, last.to) +
        xml.slice(first.to, last.from) +
        xml.slice(first.from, first.to) +
        xml.slice(last.to)
      );
    }
  }
}

const said = (c: Claims): string => JSON.stringify(c);

/** Judges so many edited responses, and returns those that were accepted with other claims than the honest ones. */
export async function mutate({ runs, seed }: MutationRun): Promise<MutationResult> {
  const key = samlKey();
  const facts: ResponseFacts = {
    key,
    idp: 'https://idp.northwind-lamps.example/metadata',
    acs: 'https://gate.example/saml/acs/org_1',
    audience: 'https://gate.example/saml/org_1',
    request: '_0123456789abcdef0123456789abcdef01234567',
    attributes: { email: 'luca@northwind-lamps.example', department: 'Sales', groups: ['Sales', 'All staff'] },
  };
  const x = expectationsFor(facts, [key], key);
  const goods: { xml: string; claims: string }[] = [];
  for (const sign of ['assertion', 'response', 'both'] as const) {
    const xml = await samlResponse({ ...facts, sign, signing: { bare: true } });
    const v = judgeResponse(base64(xml), x);
    if (!v.ok) throw new Error(`the honest response is refused: ${v.refusal.code}`);
    goods.push({ xml, claims: said(v.claims) });
  }
  const result: MutationResult = { runs: 0, accepted: 0, codes: {}, wrong: [] };
  fc.assert(
    fc.property(fc.nat({ max: goods.length - 1 }), fc.array(edit, { minLength: 1, maxLength: 3 }), (which, edits) => {
      const good = goods[which];
      if (!good) return;
      const xml = edits.reduce((text, e) => (text.length === 0 ? text : applied(text, e)), good.xml);
      result.runs++;
      const message = base64(xml);
      const v = judgeResponse(message, x);
      if (!v.ok) {
        result.codes[v.refusal.code] = (result.codes[v.refusal.code] ?? 0) + 1;
        return;
      }
      result.accepted++;
      judged(message, x);
      if (said(v.claims) !== good.claims) result.wrong.push(xml);
    }),
    { numRuns: runs, seed, endOnFailure: true },
  );
  return result;
}

// Each refusal is an Error, and nobody reads where it came from.
if (parentPort) Error.stackTraceLimit = 0;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
if (parentPort) parentPort.postMessage(await mutate(workerData as MutationRun));
