import type { PageEntry } from '../page.ts';

export const identityPages: readonly PageEntry[] = [
  {
    at: 'identity/domains',
    title: 'Domains',
    can: 'member.read',
    words: 'dns txt record verify capture',
    load: () => import('./domains.tsx'),
  },
  { at: 'identity/domains/$domain', title: 'Domain', can: 'member.read', load: () => import('./domain.tsx') },
  {
    at: 'identity/sign-in',
    title: 'Sign-in',
    can: 'sso.manage',
    words: 'sso saml oidc okta entra google identity provider',
    load: () => import('./connections.tsx'),
  },
  {
    at: 'identity/sign-in/connect',
    title: 'Connect an identity provider',
    can: 'sso.manage',
    nav: false,
    words: 'sso wizard saml oidc okta entra google',
    load: () => import('./connect.tsx'),
  },
  {
    at: 'identity/sign-in/oidc/$connection',
    title: 'OpenID Connect',
    can: 'sso.manage',
    load: () => import('./connection-oidc.tsx'),
  },
  {
    at: 'identity/sign-in/saml/$connection',
    title: 'SAML',
    can: 'sso.manage',
    load: () => import('./connection-saml.tsx'),
  },
  {
    at: 'identity/enforcement',
    title: 'Enforcement',
    can: 'sso.manage',
    words: 'simulate lock out break-glass report-only staged',
    load: () => import('./enforcement.tsx'),
  },
];
