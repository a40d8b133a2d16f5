/** Formats of numbers that are moments (ECMA-376 part 1, §18.8.30): built in ones by number, others by their code. */
export type NumberForm = 'number' | 'date' | 'time' | 'date_time';

export function builtInForm(id: number): NumberForm {
  if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || (id >= 34 && id <= 36) || (id >= 50 && id <= 58))
    return 'date';
  if (id === 22) return 'date_time';
  if ((id >= 18 && id <= 21) || id === 32 || id === 33 || (id >= 45 && id <= 47)) return 'time';
  return 'number';
}

export function formOf(code: string): NumberForm {
  // Without quoted text, escaped characters, colours and conditions; the first of the up to four variants.
  const bare = (code.split(';')[0] ?? '')
    .replace(/"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, '')
    .toLowerCase();
  if (/general/.test(bare)) return 'number';
  const date = /[yd]/.test(bare) || (/m/.test(bare) && !/[hs]/.test(bare));
  const time = /[hs]/.test(bare);
  return date ? (time ? 'date_time' : 'date') : time ? 'time' : 'number';
}

const DAY_MS = 86_400_000;

/** A number of a cell as its format means it, in ISO 8601. */
export function shownNumber(raw: string, form: NumberForm, from1904: boolean): string {
  const n = Number(raw);
  // 2,958,465 is the last day of the year 9999.
  if (form === 'number' || raw.trim() === '' || !Number.isFinite(n) || n < 0 || n > 2_958_466) return raw;
  if (form === 'time' && n < 1) return iso(n).slice(11, 19);
  // Excel counts a 29 February 1900 that never was; days before it are one off.
  const days = from1904 ? n + 1462 : n < 60 ? n + 1 : n;
  const at = iso(days - 25_569);
  if (form === 'date' && Number.isInteger(n)) return at.slice(0, 10);
  return `${at.slice(0, 10)}T${at.slice(11, 19)}`;
}

const iso = (days: number): string => new Date(Math.round((days * DAY_MS) / 1000) * 1000).toISOString();
