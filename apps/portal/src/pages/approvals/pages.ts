import type { PageEntry } from '../page.ts';

export const approvalsPages: readonly PageEntry[] = [];
