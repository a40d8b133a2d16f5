/**
 * One CSV field (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV injection"): the log
 * holds names that attackers chose, and it is opened by administrators.
 */
export function csvField(value: string | number | undefined): string {
  const text = value === undefined ? '' : String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvLine = (fields: readonly (string | number | undefined)[]): string =>
  `${fields.map(csvField).join(',')}\r\n`;
