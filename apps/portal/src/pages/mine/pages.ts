import type { PageEntry } from '../page.ts';

/** What everybody has. Nothing here needs more than to be signed in. */
export const minePages: readonly PageEntry[] = [
  {
    at: 'mine',
    title: 'My connections',
    can: 'signed_in',
    words: 'mine home accounts connect',
    load: () => import('./mine.tsx'),
  },
  {
    at: 'mine/approvals',
    title: 'My approvals',
    can: 'signed_in',
    words: 'requests held waiting',
    load: () => import('./requests.tsx'),
  },
  {
    at: 'mine/tools',
    title: 'What I may use',
    can: 'signed_in',
    words: 'why not allowed denied access',
    load: () => import('./tools.tsx'),
  },
  {
    at: 'mine/calls',
    title: 'My calls',
    can: 'signed_in',
    words: 'refused lately what my agents did',
    load: () => import('./calls.tsx'),
  },
  {
    at: 'mine/agents',
    title: 'Agents',
    can: 'signed_in',
    words: 'applications consents grants',
    load: () => import('./agents.tsx'),
  },
  {
    at: 'mine/sessions',
    title: 'Sessions and devices',
    can: 'signed_in',
    words: 'signed in passkeys browsers sign out',
    load: () => import('./sessions.tsx'),
  },
];
