import type { PageEntry } from '../page.ts';

export const dlpPages: readonly PageEntry[] = [];
