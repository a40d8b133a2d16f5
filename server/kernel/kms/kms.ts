/** Where a wrapped key belongs; a provider that can authenticate a context binds the key to it. */
export type KeyPlace = { scope: string; generation: number };

/** Holds the key above all keys: a file, Vault Transit, a cloud's KMS. A new one is this interface and a line in config. */
export interface KeyProvider {
  /** Names provider and key, e.g. `local:5d0c…`; stored beside what it wrapped, so that a wrong key is named and not guessed at. */
  readonly name: string;
  /**
   * The deployment's secret where the provider itself is made of one (the key file). Without it one is made, wrapped and kept in the
   * database; whichever it was first, it stays the same bytes for ever.
   */
  readonly brings?: Buffer | undefined;
  wrap(bytes: Uint8Array, place: KeyPlace): Promise<Buffer>;
  /** Throws when it did not wrap these bytes for this place; a KmsRefusal when it will not, or cannot just now. */
  unwrap(wrapped: Uint8Array, place: KeyPlace): Promise<Buffer>;
  /** The same key under the provider's newest version of its own. */
  rewrap(wrapped: Uint8Array, place: KeyPlace): Promise<Buffer>;
}

/**
 * Why a key service does not do what it is asked. `gone`: it says that the key is disabled, deleted, or not for us any more. `unreachable`:
 * it says nothing, or that it cannot just now. `says` goes to people: what was asked and what was answered, never a token.
 */
export class KmsRefusal extends Error {
  readonly why: 'gone' | 'unreachable';
  readonly says: string;
  constructor(why: 'gone' | 'unreachable', says: string, because?: unknown) {
    super(says, { cause: because });
    this.name = 'KmsRefusal';
    this.why = why;
    this.says = says;
  }
}

/** How often a provider was asked, for metrics and measurements. */
export type KmsCounts = { wraps: number; unwraps: number; rewraps: number };

/** The same provider, counting. */
export function counted(provider: KeyProvider, counts: KmsCounts): KeyProvider {
  return {
    name: provider.name,
    brings: provider.brings,
    wrap(bytes, place) {
      counts.wraps++;
      return provider.wrap(bytes, place);
    },
    unwrap(wrapped, place) {
      counts.unwraps++;
      return provider.unwrap(wrapped, place);
    },
    rewrap(wrapped, place) {
      counts.rewraps++;
      return provider.rewrap(wrapped, place);
    },
  };
}
