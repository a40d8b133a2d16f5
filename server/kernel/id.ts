import { randomPooled } from './random.ts';

declare const kind: unique symbol;

/** A text id whose prefix and type both name what it identifies: `grp_…` is an `Id<'grp'>`. Prefixes are listed in docs/generated/pins.txt. */
export type Id<K extends string> = `${K}_${string}` & { readonly [kind]: K };

/** A new id: prefix, underscore, 32 hex digits of a UUIDv7 (RFC 9562 §5.7), so rows made together lie together in an index. */
export function newId<K extends string>(prefix: K, now: number = Date.now()): Id<K> {
  const b = randomPooled(16);
  b.writeUIntBE(now, 0, 6);
  b[6] = 0x70 | ((b[6] ?? 0) & 0x0f);
  b[8] = 0x80 | ((b[8] ?? 0) & 0x3f);
  return brand(`${prefix}_${b.toString('hex')}`);
}

/** The id in `text` if it has this prefix and form, else undefined. The only way from outside text to an `Id`. */
export function parseId<K extends string>(prefix: K, text: string): Id<K> | undefined {
  return text.length === prefix.length + 33 &&
    text.startsWith(`${prefix}_`) &&
    /^[0-9a-f]{32}$/.test(text.slice(prefix.length + 1))
    ? brand<K>(text)
    : undefined;
}

const brand = <K extends string>(text: string): Id<K> => text as Id<K>;
