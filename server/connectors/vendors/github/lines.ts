import { codePoint, visible } from '#kernel/visible.ts';

/** A title or a name that outsiders gave, as a part of one line: nothing of it can look like the next line, or like nothing. */
export const oneLine = (text: string | null | undefined): string =>
  visible((text ?? '').replaceAll(/\s+/g, ' ').trim());

/** A path, each blank as it is; what would end the line or cannot be seen is written by its code point. */
export const pathLine = (path: string): string => visible(path).replaceAll(/[\t\n]/g, (c) => `[${codePoint(c)}]`);

/** Text of outsiders, marked line by line, so that none of it can be taken for what this connector says. */
export const quoted = (text: string | null | undefined): string[] =>
  text === null || text === undefined || text === '' ? [] : text.split(/\r\n|[\n\r\u2028\u2029]/).map((l) => `> ${l}`);
