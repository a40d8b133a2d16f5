import type { PageEntry } from '../page.ts';

export const approvalsPages: readonly PageEntry[] = [
  {
    at: 'approvals/inbox',
    title: 'Inbox',
    can: 'signed_in',
    words: 'approve deny held waits requests',
    load: () => import('./inbox.tsx'),
  },
  {
    at: 'approvals/inbox/$approval',
    title: 'Approval',
    can: 'signed_in',
    alone: true,
    load: () => import('./approval.tsx'),
  },
  { at: 'approvals/together/$group', title: 'Approvals', can: 'signed_in', load: () => import('./together.tsx') },
  {
    at: 'approvals/history',
    title: 'History',
    can: 'approval.read',
    words: 'requests decided denied expired',
    load: () => import('./history.tsx'),
  },
  {
    at: 'approvals/figures',
    title: 'Figures',
    can: 'approval.read',
    words: 'fatigue deciders statistics',
    load: () => import('./figures.tsx'),
  },
  { at: 'approvals/settings', title: 'Settings', can: 'approval.read', load: () => import('./settings.tsx') },
];
