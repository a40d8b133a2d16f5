import type { ErrorAnswer, VendorError } from '../../kit/manifest.ts';
import type { VendorAnswer, VendorClient, VendorRequest } from '../../kit/vendor-client.ts';

/** The version of the REST API that all of this was written for. */
const VERSION = '2022-11-28';
/** What GitHub asks for where a secondary limit is met and it does not say for how long. */
const SECONDARY_WAIT_S = 60;

/** One request in GitHub's form. */
export const ask = (vendor: VendorClient, r: VendorRequest): Promise<VendorAnswer> =>
  vendor.send({
    ...r,
    headers: { accept: 'application/vnd.github+json', 'x-github-api-version': VERSION, ...r.headers },
  });

/**
 * The page after this one. Of the Link header only the number is taken and nothing is followed, so that an answer cannot lead anywhere; a page
 * that GitHub counts by other means ends the list.
 */
export function nextPage(answer: VendorAnswer): number | undefined {
  for (const part of (answer.headers.get('link') ?? '').split(',')) {
    const [, address, relation] = /^\s*<([^>]*)>\s*;\s*rel="([^"]*)"/.exec(part) ?? [];
    if (relation !== 'next' || address === undefined) continue;
    const page = Number(URL.parse(address)?.searchParams.get('page'));
    return Number.isSafeInteger(page) && page > 1 ? page : undefined;
  }
  return undefined;
}

const member = (v: unknown, name: string): unknown =>
  typeof v === 'object' && v !== null && Object.hasOwn(v, name) ? Reflect.get(v, name) : undefined;
const text = (v: unknown): string | undefined => (typeof v === 'string' && v !== '' ? v : undefined);

/** `{message, documentation_url, errors}`, and the limits that come as 403. */
export function readGitHubError({ status, headers, body }: ErrorAnswer): VendorError | undefined {
  if (status < 300) return undefined;
  const message = text(member(body, 'message')) ?? '';
  const details = member(body, 'errors');
  const errors = (Array.isArray(details) ? details : [])
    .slice(0, 5)
    .map(
      (e) =>
        text(e) ??
        text(member(e, 'message')) ??
        [member(e, 'resource'), member(e, 'field'), member(e, 'code')].filter((p) => text(p)).join(' '),
    );
  const says = [message, ...errors].filter((s) => s !== '').join('; ') || undefined;
  if (status !== 403 && status !== 429) return { says };
  if (headers.get('x-github-sso')?.startsWith('required'))
    return {
      code: 'sso',
      says: 'the organization wants this connection to be authorized for its single sign-on; connect again and authorize it there',
    };
  const after = Number(headers.get('retry-after') ?? Number.NaN);
  if (Number.isFinite(after)) return { says, means: 'throttled', afterSeconds: after };
  if (headers.get('x-ratelimit-remaining') === '0') {
    // By GitHub's own clock, which need not be ours.
    const left = Number(headers.get('x-ratelimit-reset')) - Date.parse(headers.get('date') ?? '') / 1000;
    return { says, means: 'throttled', ...(Number.isFinite(left) ? { afterSeconds: Math.max(1, left) } : {}) };
  }
  if (status === 429 || /secondary rate limit|abuse detection/i.test(message))
    return { says, means: 'throttled', afterSeconds: SECONDARY_WAIT_S };
  return { says };
}
