import { strToU8, zipSync, type Zippable } from 'fflate';
import { broken, type ContentText } from './content.ts';
import { htmlToText } from './html-text.ts';
import { relationships, relationsOf } from './office-package.ts';
import type { TextOut } from './text-out.ts';
import { readXml } from './xml.ts';
import type { Zip } from './zip.ts';

/** Parts of which the text consists; pictures, fonts, macros and embedded files stay outside. */
const wanted = new Set(['styles', 'numbering', 'footnotes', 'endnotes']);

/**
 * A Word document as text. INVARIANT (one reader): mammoth is given a new zip with only those parts that we have inflated and checked, so what its
 * own, laxer zip and XML readers would do with the file's other bytes does not matter.
 */
export async function readDocx(zip: Zip, main: string, out: TextOut): Promise<Partial<ContentText>> {
  const parts: Zippable = {};
  const kept: string[] = [];
  for (const [id, { type, target }] of relationsOf(zip, main)) {
    if (!wanted.has(type) || !zip.has(target)) continue;
    parts[`word/${type}.xml`] = checked(zip, target);
    parts[`word/_rels/${type}.xml.rels`] = strToU8(rels(shownRelations(zip, target)));
    kept.push(relation(id, type, `${type}.xml`));
  }
  parts['word/document.xml'] = checked(zip, main);
  parts['word/_rels/document.xml.rels'] = strToU8(rels(kept.join('') + shownRelations(zip, main)));
  parts['_rels/.rels'] = strToU8(rels(relation('r1', 'officeDocument', 'word/document.xml')));
  parts['[Content_Types].xml'] = strToU8(
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
  );
  // On first use: a thread that reads no Word documents does not need it.
  const { default: mammoth } = await import('mammoth');
  let html: string;
  try {
    const buffer = Buffer.from(zipSync(parts, { level: 0 }));
    const options = {
      externalFileAccess: false,
      includeEmbeddedStyleMap: false,
      // Only their descriptions.
      convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: '' })),
    };
    html = (await mammoth.convertToHtml({ buffer }, options)).value;
  } catch {
    throw broken('the document is not built as Word documents are');
  }
  htmlToText(html, out, true);
  return { notes: notes(zip) };
}

const attributeText = (s: string): string => s.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const relation = (id: string, type: string, target: string, more = ''): string =>
  `<Relationship Id="${attributeText(id)}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${type}" Target="${attributeText(target)}"${more}/>`;
const rels = (inner: string): string =>
  `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${inner}</Relationships>`;

/** A link's address is shown. A picture must lead somewhere; that nothing is there matters to nobody, because none is read. */
const shownRelations = (zip: Zip, part: string): string =>
  relationships(zip, part)
    .map((r) =>
      r.type === 'image'
        ? relation(r.id, r.type, 'media/none')
        : r.type === 'hyperlink'
          ? relation(r.id, r.type, r.target, ' TargetMode="External"')
          : '',
    )
    .join('');

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
  if (zip.names.some((n) => n.startsWith('word/comments'))) said.push('comments are not read');
  return said;
}
