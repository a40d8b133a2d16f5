import { visible } from '#kernel/visible.ts';

/** A name that somebody else gave, as a part of one line: nothing of it can look like the next line, or like nothing. */
export const oneLine = (name: string): string => visible(name.replace(/\s+/g, ' ').trim());
