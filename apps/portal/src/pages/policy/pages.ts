import type { PageEntry } from '../page.ts';

export const policyPages: readonly PageEntry[] = [];
