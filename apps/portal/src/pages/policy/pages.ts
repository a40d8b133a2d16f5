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
  {
    at: 'policy/controls',
    title: 'Controls',
    can: 'policy.read',
    words: 'regulated open default connectors off types',
    load: () => import('./controls.tsx'),
  },
  {
    at: 'policy/explain',
    title: 'Explain',
    can: 'policy.read',
    words: 'why was this refused denied call',
    load: () => import('./explain.tsx'),
  },
  {
    at: 'policy/simulate',
    title: 'Simulate',
    can: 'policy.read',
    words: 'what may somebody do who can',
    load: () => import('./simulate.tsx'),
  },
  {
    at: 'policy/cedar',
    title: 'Cedar',
    can: 'policy.read',
    words: 'editor experts policies language',
    load: () => import('./cedar-list.tsx'),
  },
  { at: 'policy/cedar/$policy', title: 'Policy', can: 'policy.read', load: () => import('./cedar-policy.tsx') },
  {
    at: 'policy/backtests',
    title: 'Backtests',
    can: 'policy.read',
    words: 'recorded calls drafts reports',
    load: () => import('./backtests.tsx'),
  },
  { at: 'policy/backtests/$backtest', title: 'Backtest', can: 'policy.read', load: () => import('./backtest.tsx') },
  {
    at: 'policy/history',
    title: 'History',
    can: 'policy.read',
    words: 'versions restore diff compare',
    load: () => import('./history.tsx'),
  },
  { at: 'policy/history/$number', title: 'Version', can: 'policy.read', load: () => import('./version.tsx') },
];
