import type { Versions } from '#kernel/versions.ts';

/** Views kept at once; one more and the oldest goes. */
const MAX_VIEWS = 10_000;

/**
 * Reads again only when a version changed. The stamps are taken before the read, so what changes during it makes the next one read again.
 * Several that ask at once share one read; a failure is for them alone.
 */
export function cached<K, V>(
  versions: Versions,
  keyOf: (key: K) => string,
  scopesOf: (key: K, value: V | undefined) => readonly string[],
  load: (key: K) => Promise<V>,
): (key: K) => Promise<V> | V {
  const kept = new Map<string, { stamps: readonly number[]; scopes: readonly string[]; value: V }>();
  const loading = new Map<string, { stamps: readonly (number | undefined)[]; value: Promise<V> }>();

  return (key) => {
    const name = keyOf(key);
    const known = kept.get(name);
    if (known && known.scopes.every((s, i) => versions.stamp(s) === known.stamps[i])) return known.value;

    const scopes = scopesOf(key, known?.value);
    const stamps = scopes.map((s) => versions.stamp(s));
    const under = loading.get(name);
    // Only a read that began after the last known change may be shared.
    if (under && stamps.every((s, i) => s !== undefined && s === under.stamps[i])) return under.value;

    const value = load(key).then((v) => {
      const full = scopesOf(key, v);
      const same = full.length === scopes.length && full.every((s, i) => s === scopes[i]);
      // What was not known to matter before the read is stamped only now; then the value is used once and not kept.
      if (same && stamps.every((s) => s !== undefined)) {
        kept.delete(name);
        kept.set(name, { stamps, scopes, value: v });
        const [oldest] = kept;
        if (oldest && kept.size > MAX_VIEWS) kept.delete(oldest[0]);
      } else for (const s of full) versions.stamp(s);
      return v;
    });
    const mine = { stamps, value };
    loading.set(name, mine);
    const done = (): void => {
      if (loading.get(name) === mine) loading.delete(name);
    };
    value.then(done, done);
    return value;
  };
}
