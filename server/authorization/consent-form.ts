import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { KiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import type { Scope } from './resource.ts';
import { isScope } from './resource.ts';

const MAX_FORM_BYTES = 16 * KiB;

/** A token that only the page of this interaction, shown to this session, has. */
export const csrfToken = (key: Uint8Array, uid: string, session: string): string =>
  createHmac('sha256', key)
    .update(JSON.stringify([uid, session]))
    .digest('base64url');

/**
 * Whether a POST comes from a page of ours. INVARIANT (nobody else presses the button): the browser's own word (Sec-Fetch-Site, Origin)
 * and the page's token must both say so. Our pages send no referrer, for which browsers write `Origin: null`; then Sec-Fetch-Site decides.
 */
export function sameOrigin(headers: IncomingMessage['headers'], origin: string): boolean {
  const site = headers['sec-fetch-site'];
  const from = headers.origin;
  if (site !== undefined && site !== 'same-origin') return false;
  if (from === undefined || from === 'null') return site === 'same-origin';
  return from === origin;
}

export type ConsentAnswer = {
  csrf: string;
  answer: { say: 'deny' } | { say: 'allow'; member: string; scopes: Scope[] };
};

/** Reads what the consent page sends. */
export async function readConsentForm(req: IncomingMessage): Promise<ConsentAnswer> {
  const type = (req.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded')
    throw new Problem('unsupported', 'authorization/form', {
      says: 'a form was expected',
      fix: 'use the buttons on the page',
    });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > MAX_FORM_BYTES)
      throw new Problem('too_large', 'authorization/form-size', {
        says: 'the form is too large',
        fix: 'use the buttons on the page',
      });
    chunks.push(bytes);
  }
  const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
  const csrf = form.get('csrf') ?? '';
  const say = form.get('say');
  if (say === 'deny') return { csrf, answer: { say } };
  if (say === 'allow')
    return { csrf, answer: { say, member: form.get('member') ?? '', scopes: form.getAll('scope').filter(isScope) } };
  throw new Problem('invalid', 'authorization/form', {
    says: 'the form says neither yes nor no',
    fix: 'use the buttons on the page',
  });
}

export function sameToken(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
