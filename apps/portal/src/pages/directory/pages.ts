import type { PageEntry } from '../page.ts';

export const directoryPages: readonly PageEntry[] = [];
