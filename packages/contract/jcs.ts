import canonicalize from 'canonicalize';

/** A JSON value that has one canonical form. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Canonical JSON (RFC 8785). Everything that is hashed goes through here.
 * Throws a TypeError for what has no canonical form: lone surrogates, NaN, infinities, cycles, undefined, bigint, functions.
 */
export function jcs(value: unknown): string {
  let text: string | undefined;
  try {
    text = canonicalize(value);
  } catch (e) {
    throw new TypeError(`no canonical JSON: ${e instanceof Error ? e.message : 'unknown value'}`, { cause: e });
  }
  if (text === undefined) throw new TypeError('no canonical JSON: the value is not JSON');
  return text;
}

/**
 * The same text as `jcs` for values that came out of JSON.parse, about three times as fast (jcs.test.ts proves them equal).
 * For the sequencer, which shares its processor with the gateway.
 */
export function jcsOfParsed(value: Json): string {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('no canonical JSON: lone surrogate');
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('no canonical JSON: not a finite number');
    return JSON.stringify(value);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  if (isList(value)) {
    let out = '[';
    for (let i = 0; i < value.length; i++) out += (i ? ',' : '') + jcsOfParsed(value[i] ?? null);
    return `${out}]`;
  }
  let out = '{';
  // RFC 8785 §3.2.3 orders names by UTF-16 code units, which is what a plain sort does.
  for (const key of Object.keys(value).sort()) {
    const child = value[key];
    if (child === undefined) continue;
    if (!key.isWellFormed()) throw new TypeError('no canonical JSON: lone surrogate');
    out += `${out.length > 1 ? ',' : ''}${JSON.stringify(key)}:${jcsOfParsed(child)}`;
  }
  return `${out}}`;
}

const isList = (v: Json): v is readonly Json[] => Array.isArray(v);
