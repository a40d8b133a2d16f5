import { strToU8, zipSync, type Zippable } from 'fflate';
import { broken, type ContentText } from './content.ts';
import { htmlToText } from './html-text.ts';
import { relationsOf } from './office-package.ts';
import type { TextOut } from './text-out.ts';
import { readXml } from './xml.ts';
import type { Zip } from './zip.ts';

type Mammoth = { convertToHtml(input: { buffer: Buffer }, options: object): Promise<{ value: string }> };

/** Parts of which the text consists; pictures, fonts, macros and embedded files stay outside. */
const wanted = /^(?:word\/(?:document|styles|numbering|footnotes|endnotes)\d*\.xml)$/;

/**
 * A Word document as text. INVARIANT (one reader): mammoth is given a new zip with only those parts that we have inflated and checked, so what its
 * own, laxer zip and XML readers would do with the file's other bytes does not matter.
 */
export async function readDocx(zip: Zip, main: string, out: TextOut): Promise<Partial<ContentText>> {
  const parts: Zippable = {};
  const relations = relationsOf(zip, main);
  const kept: string[] = [];
  for (const [id, { type, target }] of relations) {
    const name = `word/${type}.xml`;
    if (!wanted.test(name) || !zip.has(target)) continue;
    parts[name] = checked(zip, target);
    kept.push(`<Relationship Id="${id.replace(/[^\w.-]/g, '_')}" Type="${relation}/${type}" Target="${type}.xml"/>`);
  }
  parts['word/document.xml'] = checked(zip, main);
  parts['word/_rels/document.xml.rels'] = strToU8(rels(kept.join('')));
  parts['_rels/.rels'] = strToU8(
    rels(`<Relationship Id="r1" Type="${relation}/officeDocument" Target="word/document.xml"/>`),
  );
  parts['[Content_Types].xml'] = strToU8(
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
  );
  const mammoth = await loadMammoth();
  let html: string;
  try {
    const buffer = Buffer.from(zipSync(parts, { level: 0 }));
    html = (await mammoth.convertToHtml({ buffer }, { externalFileAccess: false, includeEmbeddedStyleMap: false }))
      .value;
  } catch {
    throw broken('the document is not built as Word documents are');
  }
  htmlToText(html, out, true);
  return { notes: notes(zip) };
}

const relation = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const rels = (inner: string): string =>
  `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${inner}</Relationships>`;

function checked(zip: Zip, name: string): Uint8Array {
  const bytes = zip.read(name);
  if (!bytes) throw broken('the document refers to a part that is not in it');
  // Read once to the end, for what it refuses.
  for (const e of readXml(bytes)) if (e.kind === 'close') continue;
  // Mammoth takes every part for UTF-8.
  const mark = bytes[0] === 0xff ? 'utf-16le' : bytes[0] === 0xfe ? 'utf-16be' : undefined;
  return mark ? strToU8(new TextDecoder(mark).decode(bytes).replace(/^<\?xml[^>]*\?>/, '')) : bytes;
}

function notes(zip: Zip): string[] {
  const said: string[] = [];
  if (zip.names.some((n) => n.startsWith('word/media/'))) said.push('pictures are not read');
  if (zip.names.some((n) => /^word\/(?:header|footer)\d*\.xml$/.test(n))) said.push('headers and footers are not read');
  if (zip.names.some((n) => /^word\/comments/.test(n))) said.push('comments are not read');
  return said;
}

let loaded: Promise<Mammoth> | undefined;
/** On first use: a thread that reads only spreadsheets does not need it. */
function loadMammoth(): Promise<Mammoth> {
  loaded ??= import('mammoth').then((m) => m.default);
  return loaded;
}
