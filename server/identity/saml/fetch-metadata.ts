import type { Egress } from '#kernel/egress.ts';
import { Problem } from '#kernel/problem.ts';
import { MAX_METADATA_BYTES } from './metadata.ts';

/** A job or an administrator waits at the other end. */
const TIMEOUT_MS = 15_000;

/** Asks for metadata. Follows no redirect: an address that moves is one to be entered again. Never inside a transaction. */
export async function fetchMetadata(egress: Egress, url: string, allowPrivate: readonly string[]): Promise<string> {
  const answer = await egress.fetch(
    url,
    { headers: { accept: 'application/samlmetadata+xml, application/xml, text/xml' }, redirect: 'manual' },
    { allowPrivate, maxBytes: MAX_METADATA_BYTES, timeoutMs: TIMEOUT_MS },
  );
  if (answer.status !== 200) {
    const to = answer.headers.get('location');
    throw new Problem('upstream', 'identity/saml-metadata-unreachable', {
      says: `${new URL(url).host} answered ${answer.status} instead of metadata${to === null ? '' : `, and points to ${to.slice(0, 200)}`}`,
      fix:
        to === null ? 'open the address in a browser; it must show XML' : 'if that address is right, enter it instead',
    });
  }
  const bytes = new Uint8Array(await answer.arrayBuffer());
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (e) {
    throw new Problem('upstream', 'identity/saml-metadata-unreachable', {
      says: 'the metadata is not UTF-8',
      because: e,
    });
  }
}
