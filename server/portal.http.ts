import { randomBytes } from 'node:crypto';
import { html } from '#kernel/html.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { z } from 'zod';
import { portalEntry, type PortalEntry } from './portal-files.ts';

/** The page in which the portal runs. It has no data: whoever reads it learns what was built and nothing of any organization. */
export function portalPage(built: PortalEntry | undefined): Response {
  if (!built)
    throw new Problem('unavailable', 'server/portal-not-built', {
      says: 'the portal is not built on this node',
      fix: 'whoever runs this deployment runs npm run build once; pages such as /approvals and /connections work without it',
    });
  const nonce = randomBytes(16).toString('base64');
  const text = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="robots" content="noindex" />
<meta name="color-scheme" content="light dark" />
<meta name="csp-nonce" content="${nonce}" />
<title>Gatehouse</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml" />
${built.styles.map((href) => html`<link rel="stylesheet" href="${href}" />`)}
${built.preload.map((href) => html`<link rel="modulepreload" href="${href}" />`)}
<script type="module" src="${built.script}"></script>
</head>
<body>
<div id="root"></div>
<noscript>The portal needs script. Approvals are at /approvals and your connections at /connections without it.</noscript>
</body>
</html>`.text;
  return new Response(text, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'`,
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
    },
  });
}

/** The portal: one page for every address below /portal; the browser finds the rest, and the API judges each request. */
export const portalPages: readonly Operation[] = [
  page({
    id: 'portal.page',
    at: 'GET /portal',
    can: 'signed_in',
    says: 'The portal: administration by rooms, and what is mine.',
    handle: async () => portalPage(portalEntry()),
  }),
  page({
    id: 'portal.page_below',
    at: 'GET /portal/*',
    can: 'signed_in',
    says: 'Any page of the portal.',
    params: z.looseObject({}),
    handle: async () => portalPage(portalEntry()),
  }),
];
