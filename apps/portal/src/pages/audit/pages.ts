import type { PageEntry } from '../page.ts';

const can = 'audit.read';

export const auditPages: readonly PageEntry[] = [
  { at: 'audit', title: 'Audit log', can, words: 'events history record live', load: () => import('./log.tsx') },
];
