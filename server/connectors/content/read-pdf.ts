import type { getDocumentProxy } from 'unpdf';
import { broken, ContentRefused, tooHard, type ContentText } from './content.ts';
import type { TextOut } from './text-out.ts';

const MAX_PAGES = 5000;

/** A PDF as text, each page under its number. Pages without text are named: they are pictures, and nobody reads those here. */
export async function readPdf(bytes: Uint8Array, out: TextOut, first: number): Promise<Partial<ContentText>> {
  // On first use: a thread that reads no PDF does not need it.
  const unpdf = await import('unpdf');
  // No script of the file's, no font of the machine, nothing fetched.
  const options = {
    isEvalSupported: false,
    disableFontFace: true,
    useSystemFonts: false,
    useWorkerFetch: false,
    disableRange: true,
    disableAutoFetch: true,
    verbosity: 0,
  };
  const pdf = await unpdf.getDocumentProxy(bytes, options).catch((e: unknown) => {
    throw refusal(e);
  });
  try {
    if (pdf.numPages > MAX_PAGES) throw tooHard(`the PDF has ${pdf.numPages} pages; at most ${MAX_PAGES} are read`);
    const empty: number[] = [];
    const damaged: number[] = [];
    for (let n = first; n <= pdf.numPages && !out.full; n++) {
      const text = await pageText(pdf, n);
      if (text === undefined) damaged.push(n);
      else if (text === '') empty.push(n);
      out.add(`[page ${n}]\n${text ? `${text}\n` : ''}\n`);
    }
    return {
      pages: pdf.numPages,
      notes: [
        ...(empty.length > 0 ? [`${numbered(empty)} no text; what is on scanned pages and pictures is not read`] : []),
        ...(damaged.length > 0 ? [`${numbered(damaged)} damage and could not be read`] : []),
      ],
    };
  } finally {
    await pdf.loadingTask.destroy().catch(() => undefined);
  }
}

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;

async function pageText(pdf: Pdf, n: number): Promise<string | undefined> {
  try {
    const page = await pdf.getPage(n);
    const { items } = await page.getTextContent();
    page.cleanup();
    return items
      .map((i) => ('str' in i ? i.str + (i.hasEOL ? '\n' : '') : ''))
      .join('')
      .replace(/[ \t]+\n/g, '\n')
      .trim();
  } catch {
    return undefined;
  }
}

const numbered = (pages: readonly number[]): string => {
  const shown = pages.slice(0, 20).join(', ');
  return pages.length === 1
    ? `page ${shown} has`
    : `pages ${shown}${pages.length > 20 ? ` and ${pages.length - 20} more` : ''} have`;
};

const refusal = (e: unknown): Error =>
  e instanceof Error && e.name === 'PasswordException'
    ? new ContentRefused('connectors/content-encrypted', 'the PDF has a password', 'save it without the password')
    : broken('the PDF is damaged or not complete');
