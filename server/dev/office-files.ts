// Documents as office programs write them, small enough to read: what stand-ins of vendors keep and tests give to whoever reads them.
import { strToU8, zipSync } from 'fflate';

const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
const sheet = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const slide = `xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="${office}"`;

type Relation = { id: string; type: string; target: string; external?: true };
const rels = (all: readonly Relation[]): string =>
  `${head}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${all
    .map(
      (r) =>
        `<Relationship Id="${r.id}" Type="${office}/${r.type}" Target="${r.target}"${r.external ? ' TargetMode="External"' : ''}/>`,
    )
    .join('')}</Relationships>`;

/** Text in XML. */
export const xmlText = (s: string): string => s.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A zip file of parts. */
export const zipped = (parts: Readonly<Record<string, string | Uint8Array>>): Uint8Array =>
  zipSync(Object.fromEntries(Object.entries(parts).map(([k, v]) => [k, typeof v === 'string' ? strToU8(v) : v])));

const types = `${head}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>`;

/** One block of a Word document. */
export type Block = { heading: string } | { text: string; link?: string } | { item: string } | { rows: string[][] };

/** The parts of a Word document; a test may change them before it zips them. */
export function docxParts(blocks: readonly Block[]): Record<string, string> {
  const links: Relation[] = [];
  const run = (t: string): string => `<w:r><w:t xml:space="preserve">${xmlText(t)}</w:t></w:r>`;
  const body = blocks.map((b) => {
    if ('heading' in b) return `<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>${run(b.heading)}</w:p>`;
    if ('item' in b)
      return `<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>${run(b.item)}</w:p>`;
    if ('rows' in b)
      return `<w:tbl>${b.rows.map((r) => `<w:tr>${r.map((c) => `<w:tc><w:p>${run(c)}</w:p></w:tc>`).join('')}</w:tr>`).join('')}</w:tbl>`;
    if (!b.link) return `<w:p>${run(b.text)}</w:p>`;
    links.push({ id: `l${links.length}`, type: 'hyperlink', target: xmlText(b.link), external: true });
    return `<w:p><w:hyperlink r:id="l${links.length - 1}">${run(b.text)}</w:hyperlink></w:p>`;
  });
  return {
    '[Content_Types].xml': types,
    '_rels/.rels': rels([{ id: 'r1', type: 'officeDocument', target: 'word/document.xml' }]),
    'word/document.xml': `${head}<w:document ${word} xmlns:r="${office}"><w:body>${body.join('')}</w:body></w:document>`,
    'word/styles.xml': `${head}<w:styles ${word}><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style></w:styles>`,
    'word/numbering.xml': `${head}<w:numbering ${word}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>`,
    'word/_rels/document.xml.rels': rels([
      { id: 's1', type: 'styles', target: 'styles.xml' },
      { id: 'n1', type: 'numbering', target: 'numbering.xml' },
      ...links,
    ]),
  };
}
export const docx = (blocks: readonly Block[]): Uint8Array => zipped(docxParts(blocks));

/** A cell as it stands in the file: a text, a number, a moment as Excel's number, or a formula with what it gave. */
export type CellOf = string | number | boolean | { date: number } | { formula: string; gives: number } | undefined;

export function xlsxParts(sheets: Readonly<Record<string, readonly (readonly CellOf[])[]>>): Record<string, string> {
  const names = Object.keys(sheets);
  const shared: string[] = [];
  const cell = (v: CellOf, row: number, column: number): string => {
    const at = `r="${String.fromCharCode(65 + column)}${row}"`;
    if (v === undefined) return '';
    if (typeof v === 'string') return `<c ${at} t="s"><v>${shared.push(`<si><t>${xmlText(v)}</t></si>`) - 1}</v></c>`;
    if (typeof v === 'number') return `<c ${at}><v>${v}</v></c>`;
    if (typeof v === 'boolean') return `<c ${at} t="b"><v>${v ? 1 : 0}</v></c>`;
    if ('date' in v) return `<c ${at} s="1"><v>${v.date}</v></c>`;
    return `<c ${at}><f>${xmlText(v.formula)}</f><v>${v.gives}</v></c>`;
  };
  const parts = Object.values(sheets).map(
    (rows) =>
      `${head}<worksheet ${sheet}><dimension ref="A1:XFD1048576"/><sheetData>${rows.map((r, i) => `<row r="${i + 1}">${r.map((v, c) => cell(v, i + 1, c)).join('')}</row>`).join('')}</sheetData></worksheet>`,
  );
  return {
    '[Content_Types].xml': types,
    '_rels/.rels': rels([{ id: 'r1', type: 'officeDocument', target: 'xl/workbook.xml' }]),
    'xl/workbook.xml': `${head}<workbook ${sheet} xmlns:r="${office}"><sheets>${names.map((n, i) => `<sheet name="${xmlText(n)}" sheetId="${i + 1}" r:id="s${i + 1}"/>`).join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': rels([
      ...names.map((_, i) => ({ id: `s${i + 1}`, type: 'worksheet', target: `worksheets/sheet${i + 1}.xml` })),
      { id: 't1', type: 'sharedStrings', target: 'sharedStrings.xml' },
      { id: 'y1', type: 'styles', target: 'styles.xml' },
    ]),
    'xl/sharedStrings.xml': `${head}<sst ${sheet}>${shared.join('')}</sst>`,
    'xl/styles.xml': `${head}<styleSheet ${sheet}><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>`,
    ...Object.fromEntries(parts.map((p, i) => [`xl/worksheets/sheet${i + 1}.xml`, p])),
  };
}
export const xlsx = (sheets: Parameters<typeof xlsxParts>[0]): Uint8Array => zipped(xlsxParts(sheets));

export type SlideOf = { title: string; texts: readonly string[]; notes?: string };

export function pptxParts(slides: readonly SlideOf[]): Record<string, string> {
  const shape = (type: string, texts: readonly string[]): string =>
    `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${type}"/></p:nvPr></p:nvSpPr><p:txBody>${texts.map((t) => `<a:p><a:r><a:t>${xmlText(t)}</a:t></a:r></a:p>`).join('')}</p:txBody></p:sp>`;
  const page = (root: string, shapes: string): string =>
    `${head}<p:${root} ${slide}><p:cSld><p:spTree>${shapes}</p:spTree></p:cSld></p:${root}>`;
  const parts: Record<string, string> = {
    '[Content_Types].xml': types,
    '_rels/.rels': rels([{ id: 'r1', type: 'officeDocument', target: 'ppt/presentation.xml' }]),
    'ppt/presentation.xml': `${head}<p:presentation ${slide}><p:sldIdLst>${slides.map((_, i) => `<p:sldId id="${256 + i}" r:id="s${i + 1}"/>`).join('')}</p:sldIdLst></p:presentation>`,
    // Parts are numbered in the order of their making, which is not the order of the slides.
    'ppt/_rels/presentation.xml.rels': rels(
      slides.map((_, i) => ({ id: `s${i + 1}`, type: 'slide', target: `slides/slide${slides.length - i}.xml` })),
    ),
  };
  for (const [i, s] of slides.entries()) {
    const n = slides.length - i;
    parts[`ppt/slides/slide${n}.xml`] = page('sld', shape('title', [s.title]) + shape('body', s.texts));
    if (s.notes === undefined) continue;
    parts[`ppt/slides/_rels/slide${n}.xml.rels`] = rels([
      { id: 'n1', type: 'notesSlide', target: `../notesSlides/notesSlide${n}.xml` },
    ]);
    parts[`ppt/notesSlides/notesSlide${n}.xml`] = page('notes', shape('body', [s.notes]) + shape('sldNum', [`${n}`]));
  }
  return parts;
}
export const pptx = (slides: readonly SlideOf[]): Uint8Array => zipped(pptxParts(slides));

/** A PDF of pages of lines; a page without lines is like a scanned one. `more`: into the trailer, e.g. `/Encrypt 1 0 R`. */
export function pdf(pages: readonly (readonly string[])[], more = ''): Uint8Array {
  const streams = pages.map(
    (lines) =>
      `BT /F1 12 Tf 72 720 Td 14 TL ${lines.map((l) => `(${l.replace(/[\\()]/g, '\\$&')}) Tj T*`).join(' ')} ET`,
  );
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${pages.map((_, i) => `${4 + i * 2} 0 R`).join(' ')}] /Count ${pages.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...streams.flatMap((s, i) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + i * 2} 0 R >>`,
      `<< /Length ${s.length} >>\nstream\n${s}\nendstream`,
    ]),
  ];
  let text = '%PDF-1.4\n';
  const at = objects.map((o, i) => {
    const begins = text.length;
    text += `${i + 1} 0 obj\n${o}\nendobj\n`;
    return begins;
  });
  const xref = text.length;
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${at.map((a) => `${String(a).padStart(10, '0')} 00000 n \n`).join('')}`;
  text += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${more} >>\nstartxref\n${xref}\n%%EOF\n`;
  return Buffer.from(text, 'latin1');
}
