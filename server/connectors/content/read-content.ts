import { decodeText } from './charset.ts';
import { ContentRefused, DEFAULT_MAX_CHARS, type Content, type ContentPart, type ContentText } from './content.ts';
import { htmlToText } from './html-text.ts';
import { kindOf, type Found } from './kind-of.ts';
import { readDocx } from './read-docx.ts';
import { readPdf } from './read-pdf.ts';
import { readPptx } from './read-pptx.ts';
import { readXlsx } from './read-xlsx.ts';
import { TextOut } from './text-out.ts';

/** The text of a file. Only for the thread that may be killed for it; everybody else asks `toText`. */
export async function readContent(c: Content, part: ContentPart): Promise<ContentText> {
  const found = kindOf(c);
  const out = new TextOut(Math.max(0, part.offset ?? 0), part.maxChars ?? DEFAULT_MAX_CHARS);
  const facts = await read(found, c, out, Math.max(1, part.page ?? 1));
  return { kind: found.kind, notes: [], ...facts, ...out.done() };
}

function read(
  found: Found,
  c: Content,
  out: TextOut,
  page: number,
): Promise<Partial<ContentText>> | Partial<ContentText> {
  switch (found.kind) {
    case 'docx':
      return readDocx(found.zip, found.main, out);
    case 'xlsx':
      return readXlsx(found.zip, found.main, out, page);
    case 'pptx':
      return readPptx(found.zip, found.main, out, page);
    case 'pdf':
      return readPdf(c.bytes, out, page);
    case 'html':
    case 'csv':
    case 'json':
    case 'markdown':
    case 'plain':
      return readText(found.kind, c, out);
  }
}

function readText(
  kind: 'html' | 'csv' | 'json' | 'markdown' | 'plain',
  c: Content,
  out: TextOut,
): Partial<ContentText> {
  const decoded = decodeText(c.bytes, declaredCharset(kind, c));
  if (!decoded)
    throw new ContentRefused(
      'connectors/content-unsupported',
      'the file is neither text nor a document of a kind that is read (docx, xlsx, pptx, PDF, HTML, CSV, JSON, Markdown, plain text)',
      'open it in the program that made it and save it as one of these',
    );
  const notes = decoded.guessed
    ? [`the text is not UTF-8 and nothing says what it is; it was read as ${decoded.charset}`]
    : [];
  if (kind === 'html') notes.push(...htmlToText(decoded.text, out).notes);
  else out.add(decoded.text);
  return { notes };
}

function declaredCharset(kind: string, c: Content): string | undefined {
  const typed = /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(c.mimeType ?? '')?.[1];
  if (typed || kind !== 'html') return typed;
  return /<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(
    Buffer.from(c.bytes.subarray(0, 2048)).toString('latin1'),
  )?.[1];
}
