import { ContentRefused, type Content, type ContentKind } from './content.ts';
import { mainPart } from './office-package.ts';
import { Zip } from './zip.ts';

/** What a file is: by its first bytes, and by name and type only where bytes of text do not say. */
export type Found =
  | { kind: 'docx' | 'xlsx' | 'pptx'; zip: Zip; main: string }
  | { kind: Exclude<ContentKind, 'docx' | 'xlsx' | 'pptx'> };

const pictures: readonly [RegExp, string][] = [
  [/^\x89PNG/, 'a PNG picture'],
  [/^\xff\xd8\xff/, 'a JPEG picture'],
  [/^GIF8/, 'a GIF picture'],
  [/^RIFF....WEBP/s, 'a WebP picture'],
  [/^(?:II\*\0|MM\0\*)/, 'a TIFF picture'],
  [/^....ftyp/s, 'a video or a HEIC picture'],
  [/^\x1f\x8b/, 'a gzip archive'],
  [/^(?:Rar!|7z\xbc\xaf)/, 'an archive'],
  [/^MZ|^\x7fELF/, 'a program'],
  [/^ID3|^OggS|^fLaC/, 'a sound'],
];

export function kindOf(c: Content): Found {
  const head = Buffer.from(c.bytes.subarray(0, 1024)).toString('latin1');
  if (head.includes('%PDF-')) return { kind: 'pdf' };
  if (head.startsWith('PK')) return office(c.bytes);
  if (head.startsWith('\xd0\xcf\x11\xe0')) throw compound(c.bytes);
  if (head.startsWith('{\\rtf')) throw unsupported('an RTF document', 'save it as docx or PDF');
  const picture = pictures.find(([looks]) => looks.test(head));
  if (picture) throw unsupported(picture[1], 'there is no text in it that could be read');
  const type = (c.mimeType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const ending = /\.([a-z0-9]{1,8})$/i.exec(c.name ?? '')?.[1]?.toLowerCase() ?? '';
  if (type === 'text/html' || type === 'application/xhtml+xml' || /^html?$|^xhtml$/.test(ending))
    return { kind: 'html' };
  if (type === 'text/csv' || type === 'text/tab-separated-values' || /^[ct]sv$/.test(ending)) return { kind: 'csv' };
  if (/[/+]json$/.test(type) || ending === 'json') return { kind: 'json' };
  if (type === 'text/markdown' || /^(?:md|markdown)$/.test(ending)) return { kind: 'markdown' };
  if (/^\W*<(?:!doctype html|html)[\s>]/i.test(head)) return { kind: 'html' };
  return { kind: 'plain' };
}

const unsupported = (what: string, fix: string): ContentRefused =>
  new ContentRefused('connectors/content-unsupported', `this is ${what}, which is not read as text`, fix);

const officeKinds = [
  { folder: 'word', kind: 'docx' },
  { folder: 'xl', kind: 'xlsx' },
  { folder: 'ppt', kind: 'pptx' },
] as const;

function office(bytes: Uint8Array): Found {
  const zip = new Zip(bytes);
  const main = mainPart(zip);
  const folder = main?.split('/')[0];
  if (main?.endsWith('.xml') && zip.has(main))
    for (const { folder: of, kind } of officeKinds) if (folder === of) return { kind, zip, main };
  throw unsupported(
    main === undefined ? 'a zip archive' : 'an office document of a kind other than docx, xlsx and pptx',
    main === undefined ? 'unpack it and read the files in it' : 'save it as docx, xlsx, pptx or PDF',
  );
}

/** Files of Office 97, and today's with a password, which are wrapped into the same form ([MS-OFFCRYPTO] §2.3.4). */
function compound(bytes: Uint8Array): ContentRefused {
  const name = Buffer.from('EncryptedPackage', 'utf16le');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(name)
    ? new ContentRefused('connectors/content-encrypted', 'the document has a password', 'save it without the password')
    : unsupported(
        'a document of Office 97 to 2003 (doc, xls, ppt) or an Outlook message',
        'save it as docx, xlsx, pptx or PDF',
      );
}
