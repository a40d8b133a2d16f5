import type { PageEntry } from '../page.ts';

export const identityPages: readonly PageEntry[] = [];
