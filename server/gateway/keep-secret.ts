import type { Secret } from '#kernel/secret.ts';
import { Broken, type UpstreamSink } from './upstream.ts';

/** Shorter ones would be found by chance. */
const SHORTEST = 12;
const PROBE = 4;

/** How many bytes at the end may be the beginning of the needle. */
function begun(bytes: Buffer, needle: Buffer): number {
  const probe = needle.subarray(0, PROBE);
  const first = Math.max(0, bytes.length - needle.length + 1);
  for (let at = bytes.indexOf(probe, first); at >= 0; at = bytes.indexOf(probe, at + 1))
    if (bytes.subarray(at).equals(needle.subarray(0, bytes.length - at))) return bytes.length - at;
  for (let n = Math.min(PROBE - 1, bytes.length); n > 0; n--)
    if (bytes.subarray(bytes.length - n).equals(needle.subarray(0, n))) return n;
  return 0;
}

const told = (): Broken =>
  new Broken('malformed', 'the connector sent back the credential that it was given; its answer was stopped');

/**
 * INVARIANT (a credential goes to its connector alone): an answer that holds the one it was asked with is stopped before that leaves, in its
 * headers and in its body, however it is cut into pieces. `end` gives on what was kept back in case it were the beginning of one.
 */
export function keepSecret(secret: Secret | undefined, sink: UpstreamSink): UpstreamSink & { end(): void } {
  const needle = Buffer.from(secret?.reveal() ?? '');
  if (needle.length < SHORTEST) return { ...sink, end: () => undefined };
  const text = needle.toString();
  let kept = Buffer.alloc(0);
  return {
    head(status, headers) {
      if (Object.values(headers).some((v) => (Array.isArray(v) ? v.join() : v)?.includes(text))) throw told();
      sink.head(status, headers);
    },
    data(chunk) {
      const bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
      if (bytes.includes(needle)) throw told();
      const n = begun(bytes, needle);
      kept = Buffer.from(bytes.subarray(bytes.length - n));
      return n === bytes.length ? true : sink.data(bytes.subarray(0, bytes.length - n));
    },
    end() {
      if (kept.length > 0) sink.data(kept);
    },
  };
}
