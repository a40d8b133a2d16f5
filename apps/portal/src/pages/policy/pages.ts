import type { PageEntry } from '../page.ts';

export const policyPages: readonly PageEntry[] = [
  {
    at: 'policy/rules',
    title: 'Rules',
    can: 'policy.read',
    words: 'policies sentences who may use',
    load: () => import('./rules.tsx'),
  },
  { at: 'policy/rules/$rule', title: 'Rule', can: 'policy.read', load: () => import('./rule.tsx') },
];
