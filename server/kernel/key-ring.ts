/** A scope's key in memory. Only for the line that uses it: the ring wipes it when it lets go. */
export type ScopeKey = { readonly generation: number; readonly key: Buffer };

/** What a load found. `until`: unwrapped by somebody who may take it back; after its time it is not used without asking again. */
export type Loaded = ScopeKey & { asksAgain: 'never' | 'keeps' | 'until' };

type Held = Loaded & { again: number; until: number; dropped: boolean };

export type KeyRing = {
  /** Gives the key to `work`, which must not keep it: it runs in the same step of the event loop in which the ring looked. */
  use<T>(name: string, load: () => Promise<Loaded>, work: (k: ScopeKey) => T): Promise<T>;
  /** Wipes every key whose name begins so. */
  forget(prefix: string): void;
};

/**
 * Unwrapped keys, for as long as they may be held. A key of the deployment's key service is asked for again after half of `ttlMs`, behind
 * the caller's back: `gone` takes it away at once, and a service that cannot be reached takes nothing away. A key that an org may take back
 * (`until`) is the same until `ttlMs`, and then it is gone from memory, reachable or not.
 * @param gone whether a failed load says that the key is no more, rather than that nobody answers
 */
export function makeKeyRing(options: { ttlMs: number; max: number; gone(e: unknown): boolean }): KeyRing {
  const { ttlMs, max, gone } = options;
  const held = new Map<string, Held>();
  const loading = new Map<string, Promise<Held>>();

  const drop = (name: string, h: Held): void => {
    h.dropped = true;
    h.key.fill(0);
    if (held.get(name) === h) held.delete(name);
  };

  const load = (name: string, from: () => Promise<Loaded>): Promise<Held> => {
    const under = loading.get(name);
    if (under) return under;
    const one = from()
      .then((l): Held => {
        const now = performance.now();
        const h: Held = {
          ...l,
          again: l.asksAgain === 'never' ? Infinity : now + ttlMs / 2,
          until: l.asksAgain === 'until' ? now + ttlMs : Infinity,
          dropped: false,
        };
        const before = held.get(name);
        if (before) drop(name, before);
        const [oldest] = held;
        if (oldest && held.size >= max) drop(...oldest);
        held.set(name, h);
        return h;
      })
      .finally(() => loading.delete(name));
    loading.set(name, one);
    return one;
  };

  const again = (name: string, h: Held, from: () => Promise<Loaded>): void => {
    h.again = performance.now() + ttlMs / 10;
    load(name, from).catch((e: unknown) => {
      if (gone(e)) drop(name, h);
    });
  };

  return {
    async use(name, from, work) {
      const known = held.get(name);
      if (known) {
        const now = performance.now();
        if (known.until > now) {
          if (known.again <= now) again(name, known, from);
          return work(known);
        }
        drop(name, known);
      }
      for (;;) {
        const fresh = await load(name, from);
        // Let go between its coming and our turn, by a full ring or by `forget`.
        if (!fresh.dropped) return work(fresh);
      }
    },
    forget(prefix) {
      for (const [name, h] of held) if (name.startsWith(prefix)) drop(name, h);
    },
  };
}
