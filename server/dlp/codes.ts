import { MiB } from '#kernel/limits.ts';

/** Longer texts have rooms of their own. Pages that no text has reached take no memory. */
export const KEPT = 4 * MiB;
// One for all texts, because fresh pages cost as much as a pass over them: nothing here waits for anything.
const room = new Uint16Array(KEPT);
const bytes = Buffer.from(room.buffer);

/** The UTF-16 code units of the text, and whatever was there before behind them. Good until the next text. */
export function codesOf(text: string): Uint16Array<ArrayBuffer> {
  if (text.length <= KEPT) {
    bytes.write(text, 'utf16le');
    return room;
  }
  const codes = new Uint16Array(text.length);
  Buffer.from(codes.buffer).write(text, 'utf16le');
  return codes;
}
