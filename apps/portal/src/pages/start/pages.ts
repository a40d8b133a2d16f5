import type { PageEntry } from '../page.ts';

export const startPages: readonly PageEntry[] = [];
