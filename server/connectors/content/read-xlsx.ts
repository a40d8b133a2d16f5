import { builtInForm, formOf, shownNumber, type NumberForm } from './cell-value.ts';
import { broken, tooHard, type ContentText } from './content.ts';
import { partOfType, relationsOf } from './office-package.ts';
import type { TextOut } from './text-out.ts';
import { prefixed, readXml, type XmlEvent } from './xml.ts';
import type { Zip } from './zip.ts';

/** Cells that are looked at in one file; a year of daily figures for 500 products has fewer. */
const MAX_CELLS = 1_000_000;
/** Empty cells that are written as such; farther ones are written with their place. */
const MAX_GAP = 30;
const MAX_SHARED_CHARS = 32 * 1024 * 1024;
const MAX_SHEETS = 1000;
/** Characters of one cell; Excel's own limit is 32,767. */
const MAX_CELL_CHARS = 32_767;

type Sheet = { name: string; part: string | undefined; hidden: boolean };
type Book = { shared: readonly string[]; forms: readonly NumberForm[]; from1904: boolean };

/** A workbook as text: each sheet under its name, its rows as CSV, formulas as the values that the program last computed. */
export function readXlsx(zip: Zip, main: string, out: TextOut, first: number): Partial<ContentText> {
  const relations = relationsOf(zip, main);
  const { sheets, from1904 } = workbook(zip, main, relations);
  const shared = partOfType(relations, 'sharedStrings');
  const styles = partOfType(relations, 'styles');
  const book: Book = {
    shared: shared ? sharedStrings(zip, shared) : [],
    forms: styles ? numberForms(zip, styles) : [],
    from1904,
  };
  let cells = 0;
  for (const sheet of sheets.slice(first - 1)) {
    if (out.full) break;
    out.add(`## ${sheet.name}${sheet.hidden ? ' (hidden sheet)' : ''}\n`);
    const bytes = sheet.part === undefined ? undefined : zip.read(sheet.part);
    if (!bytes) out.add('(not a sheet of cells)\n');
    else cells = rows(bytes, book, out, cells);
    out.add('\n');
  }
  return { sheets: sheets.map((s) => s.name), notes: [] };
}

function workbook(
  zip: Zip,
  main: string,
  relations: ReturnType<typeof relationsOf>,
): { sheets: Sheet[]; from1904: boolean } {
  const sheets: Sheet[] = [];
  let from1904 = false;
  for (const e of readXml(zip.read(main) ?? Buffer.alloc(0))) {
    if (e.kind !== 'open') continue;
    if (e.name === 'workbookPr') from1904 = /^(?:1|true)$/.test(e.attributes.get('date1904') ?? '');
    if (e.name !== 'sheet') continue;
    const to = relations.get(prefixed(e.attributes, 'id') ?? '');
    sheets.push({
      name: (e.attributes.get('name') ?? '').slice(0, 100),
      part: to?.type === 'worksheet' ? to.target : undefined,
      hidden: /hidden/i.test(e.attributes.get('state') ?? ''),
    });
    if (sheets.length > MAX_SHEETS) throw tooHard(`the workbook has more than ${MAX_SHEETS} sheets`);
  }
  if (sheets.length === 0) throw broken('the workbook has no sheets');
  return { sheets, from1904 };
}

/** Collects the text of `<t>` between an element's begin and end; readings for pronunciation are left out. */
class Collected {
  text = '';
  #in = false;
  #phonetic = false;
  take(e: XmlEvent): void {
    if (e.kind === 'text') {
      if (this.#in && !this.#phonetic && this.text.length < MAX_CELL_CHARS) this.text += e.text;
    } else if (e.name === 't') this.#in = e.kind === 'open';
    else if (e.name === 'rPh') this.#phonetic = e.kind === 'open';
  }
}

function sharedStrings(zip: Zip, part: string): string[] {
  const found: string[] = [];
  let chars = 0;
  let one: Collected | undefined;
  for (const e of readXml(zip.read(part) ?? Buffer.from('<sst/>'))) {
    if (e.kind === 'open' && e.name === 'si') one = new Collected();
    else if (e.kind === 'close' && e.name === 'si' && one) {
      found.push(one.text);
      chars += one.text.length;
      if (chars > MAX_SHARED_CHARS || found.length > MAX_CELLS) throw tooHard('the workbook has too much text');
      one = undefined;
    } else one?.take(e);
  }
  return found;
}

function numberForms(zip: Zip, part: string): NumberForm[] {
  const own = new Map<number, NumberForm>();
  const forms: NumberForm[] = [];
  let inCells = false;
  for (const e of readXml(zip.read(part) ?? Buffer.from('<styleSheet/>'))) {
    if (e.kind === 'text') continue;
    if (e.name === 'cellXfs') inCells = e.kind === 'open';
    if (e.kind !== 'open') continue;
    const id = Number(e.attributes.get('numFmtId') ?? 0);
    if (e.name === 'numFmt') own.set(id, formOf((e.attributes.get('formatCode') ?? '').slice(0, 200)));
    else if (e.name === 'xf' && inCells && forms.length < 65_536) forms.push(own.get(id) ?? builtInForm(id));
  }
  return forms;
}

type Cell = { column: number; type: string; form: NumberForm };

/** The declared dimension is not looked at: it can claim 17 billion cells. What counts are the cells that are there. */
function rows(bytes: Buffer, book: Book, out: TextOut, before: number): number {
  let cells = before;
  let row = 0;
  let line: string[] = [];
  let column = 0;
  let cell: Cell | undefined;
  let value: string | undefined;
  let inline: Collected | undefined;
  let inValue = false;
  for (const e of readXml(bytes)) {
    if (e.kind === 'text') {
      if (inValue) value = (value ?? '').length > MAX_CELL_CHARS ? value : (value ?? '') + e.text;
      else inline?.take(e);
    } else if (e.kind === 'open') {
      if (e.name === 'row') {
        const at = Number(e.attributes.get('r') ?? row + 1);
        if (Number.isInteger(at) && at > row + 1 && row > 0)
          out.add(at > row + 3 ? `(rows ${row + 1} to ${at - 1} are empty)\n` : '\n'.repeat(at - row - 1));
        row = Number.isInteger(at) && at > row ? at : row + 1;
        line = [];
        column = 0;
      } else if (e.name === 'c') {
        if (++cells > MAX_CELLS) throw tooHard(`the workbook has more than ${MAX_CELLS.toLocaleString('en')} cells`);
        const style = book.forms[Number(e.attributes.get('s') ?? -1)];
        cell = {
          column: columnOf(e.attributes.get('r')) ?? column + 1,
          type: e.attributes.get('t') ?? 'n',
          form: style ?? 'number',
        };
        value = undefined;
        inline = undefined;
      } else if (e.name === 'v' && cell) inValue = true;
      else if (e.name === 'is' && cell) inline = new Collected();
      else inline?.take(e);
    } else if (e.name === 'v') inValue = false;
    else if (e.name === 'c' && cell) {
      const text = shown(cell, value, inline?.text, book);
      if (text !== '') {
        const gap = cell.column - column - 1;
        if (gap > MAX_GAP || gap < 0) line.push(`${letters(cell.column)}${row}: ${csv(text)}`);
        else line.push(...Array.from({ length: gap }, () => ''), csv(text));
        column = Math.max(column, cell.column);
      }
      cell = undefined;
    } else if (e.name === 'row') {
      out.add(`${line.join(',')}\n`);
      if (out.full) return cells;
    } else if (e.name === 'sheetData') return cells;
    else inline?.take(e);
  }
  return cells;
}

function shown(cell: Cell, value: string | undefined, inline: string | undefined, book: Book): string {
  if (cell.type === 'inlineStr') return inline ?? '';
  if (value === undefined) return '';
  switch (cell.type) {
    case 's':
      return book.shared[Number(value)] ?? '';
    case 'b':
      return value.trim() === '1' ? 'TRUE' : 'FALSE';
    case 'n':
      return shownNumber(value, cell.form, book.from1904);
    default:
      return value;
  }
}

/** RFC 4180. */
const csv = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function columnOf(ref: string | undefined): number | undefined {
  const m = /^([A-Z]{1,3})\d{1,7}$/.exec(ref ?? '');
  if (!m?.[1]) return undefined;
  return Array.from(m[1]).reduce((n, c) => n * 26 + c.charCodeAt(0) - 64, 0);
}

function letters(column: number): string {
  let n = column;
  let s = '';
  for (; n > 0; n = Math.floor((n - 1) / 26)) s = String.fromCharCode(65 + ((n - 1) % 26)) + s;
  return s;
}
