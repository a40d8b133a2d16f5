import { Problem } from '@gatehouse/server/kernel/problem.ts';

/** Rows of a CSV text (RFC 4180), each with the line it begins on. Empty lines are no rows. Spreadsheets put a byte order mark first. */
export function csvRows(text: string): { line: number; cells: string[] }[] {
  const rows: { line: number; cells: string[] }[] = [];
  let [cells, cell, line, began, quoted, wasQuoted] = [[] as string[], '', 1, 1, false, false];
  const endCell = (): void => {
    cells.push(wasQuoted ? cell : cell.trim());
    [cell, wasQuoted] = ['', false];
  };
  const endRow = (): void => {
    endCell();
    if (cells.length > 1 || cells[0] !== '') rows.push({ line: began, cells });
    [cells, began] = [[], line];
  };
  const body = text.replace(/^\uFEFF/, '');
  for (let i = 0; i < body.length; i++) {
    const c = body.charAt(i);
    if (c === '\n') line++;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (body.charAt(i + 1) === '"') {
        cell += '"';
        i++;
      } else quoted = false;
    } else if (c === '"' && cell.trim() === '' && !wasQuoted) [quoted, wasQuoted, cell] = [true, true, ''];
    else if (c === ',') endCell();
    else if (c === '\n') endRow();
    else if (c !== '\r' && !(wasQuoted && /\s/.test(c))) cell += c;
  }
  if (quoted)
    throw new Problem('invalid', 'scim/desired', {
      says: `the quotation mark of the row at line ${began} is never closed`,
      fix: 'close it, and write a quotation mark inside a field twice',
    });
  if (cell !== '' || cells.length > 0) endRow();
  return rows;
}
