import type { PageEntry } from '../page.ts';

const can = 'audit.read';

export const auditPages: readonly PageEntry[] = [
  { at: 'audit', title: 'Audit log', can, words: 'events history record live', load: () => import('./log.tsx') },
  {
    at: 'audit/why',
    title: 'Why was this refused',
    can,
    words: 'explain denied blocked number request call sign-in',
    load: () => import('./why.tsx'),
  },
  {
    at: 'audit/checkpoints',
    title: 'Checkpoints',
    can,
    words: 'proof signature witness root',
    load: () => import('./checkpoints.tsx'),
  },
  {
    at: 'audit/export',
    title: 'Export',
    can,
    words: 'download jsonl csv verify offline',
    load: () => import('./export.tsx'),
  },
];
