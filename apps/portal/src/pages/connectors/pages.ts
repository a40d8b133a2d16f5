import type { PageEntry } from '../page.ts';

export const connectorsPages: readonly PageEntry[] = [];
