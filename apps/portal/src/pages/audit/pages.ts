import type { PageEntry } from '../page.ts';

export const auditPages: readonly PageEntry[] = [];
