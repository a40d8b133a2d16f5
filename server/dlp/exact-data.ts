import { createHmac } from 'node:crypto';
import type { Span } from './detector.ts';
import { fold } from './fold.ts';
import { normalValue, type Word } from './words.ts';

/**
 * Records of the customer that must not leave, as keyed digests: the values themselves are not here. A record is found where `needs` of its columns
 * stand within `within` characters of each other.
 */
export type ExactData = {
  id: string;
  /** The key of the digests, base64. Who has it and the digests can try out guesses, so it is kept as a secret (seal.ts). */
  key: string;
  needs: number;
  within: number;
  /** One text for each record: its digests of DIGEST_CHARS each, one for each column; blanks for a value that is too short to tell anything. */
  records: readonly string[];
  /** Which values may be there, base64: a bit for each cheap hash. It spares digesting every word of a text, and tells no more than the digests. */
  sieve: string;
};

/** 72 bits: two of a hundred million values are the same with a chance of one in a million. */
const DIGEST_CHARS = 12;
const BLANK = ' '.repeat(DIGEST_CHARS);
/** Shorter values stand everywhere. */
const LEAST_VALUE = 3;
/** Words of one value ("12 Long Street, Upper Town") that are put together. */
const MAX_VALUE_WORDS = 6;
/** A value that more records share ("Smith") proves nothing alone; it counts beside one that tells them apart. */
const MAX_SHARED = 32;

const digestOf = (key: Buffer, value: string): string =>
  createHmac('sha256', key).update(value).digest('base64url').slice(0, DIGEST_CHARS);

/** FNV-1a over UTF-16, from a start that the key gives. */
function cheap(value: string, start: number): number {
  let h = start;
  for (let i = 0; i < value.length; i++) h = Math.imul(h ^ value.charCodeAt(i), 0x01000193);
  return (h ^ (h >>> 15)) >>> 0;
}
const startOf = (key: Buffer): number => key.readUInt32LE(0);

/** Bits of sieve for each value: one word in sixteen that is no value is digested for nothing. */
const SIEVE_BITS = 16;

/** The records' digests, under a key of at least 16 random bytes. The values do not survive this. */
export function exactDataOf(
  d: { id: string; key: string; needs: number; within: number },
  rows: readonly (readonly string[])[],
): ExactData {
  const key = Buffer.from(d.key, 'base64');
  const values = rows.map((row) => row.map((v) => normalValue(fold(v))));
  const count = values.reduce((n, row) => n + row.length, 0);
  const sieve = Buffer.alloc(2 ** Math.ceil(Math.log2(Math.max(64, count * SIEVE_BITS))) / 8);
  const records = values.map((row) =>
    row
      .map((v) => {
        if (v.length < LEAST_VALUE) return BLANK;
        const bit = cheap(v, startOf(key)) % (sieve.length * 8);
        sieve[bit >> 3] = (sieve[bit >> 3] ?? 0) | (1 << (bit & 7));
        return digestOf(key, v);
      })
      .join(''),
  );
  return { id: d.id, key: d.key, needs: d.needs, within: d.within, records, sieve: sieve.toString('base64') };
}

export type CompiledExactData = {
  id: string;
  needs: number;
  within: number;
  key: Buffer;
  sieve: Buffer;
  /** Which records have a digest; one more than MAX_SHARED where there are too many. */
  records: Map<string, number[]>;
  /** Each record's different digests. */
  columns: readonly (readonly string[])[];
};

export function compileExactData(d: ExactData): CompiledExactData {
  const records = new Map<string, number[]>();
  const columns = d.records.map((r) =>
    [...new Set(r.match(new RegExp(`.{${DIGEST_CHARS}}`, 'g')))].filter((c) => c !== BLANK),
  );
  for (const [i, of] of columns.entries())
    for (const c of of) {
      const those = records.get(c) ?? [];
      if (those.length <= MAX_SHARED) those.push(i);
      records.set(c, those);
    }
  return {
    id: d.id,
    needs: d.needs,
    within: d.within,
    key: Buffer.from(d.key, 'base64'),
    sieve: Buffer.from(d.sieve, 'base64'),
    records,
    columns,
  };
}

type Hit = Span & { digest: string };

/** Values of records in the text, near enough to each other. */
export function exactDataIn(d: CompiledExactData, words: readonly Word[]): Span[] {
  const hits = hitsIn(d, words);
  const found = new Set<Hit>();
  let first = 0;
  for (const [i, hit] of hits.entries()) {
    const of = d.records.get(hit.digest) ?? [];
    if (of.length > MAX_SHARED) continue;
    while ((hits[first]?.end ?? 0) < hit.start - d.within) first++;
    const near: Hit[] = [];
    for (let k = first; k < hits.length && near.length < MAX_NEAR; k++) {
      const other = hits[k];
      if (!other || other.start > hit.end + d.within) break;
      near.push(other);
    }
    for (const record of of) {
      const columns = d.columns[record] ?? [];
      const fits = near.filter((n) => columns.includes(n.digest));
      if (new Set(fits.map((n) => n.digest)).size >= Math.min(d.needs, columns.length))
        for (const n of [...fits, hits[i] ?? hit]) found.add(n);
    }
  }
  return [...found];
}

/** Values near one that are compared with its records; more stand only in a copy of the whole table, where the first ones suffice. */
const MAX_NEAR = 200;

function hitsIn(d: CompiledExactData, words: readonly Word[]): Hit[] {
  const hits: Hit[] = [];
  const digests = new Map<string, string>();
  const bits = d.sieve.length * 8;
  const start = startOf(d.key);
  for (let i = 0; i < words.length; i++) {
    let value = '';
    for (let n = 0; n < MAX_VALUE_WORDS && i + n < words.length; n++) {
      value += words[i + n]?.text ?? '';
      if (value.length < LEAST_VALUE) continue;
      const bit = cheap(value, start) % bits;
      if (((d.sieve[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) continue;
      const digest = digests.get(value) ?? digestOf(d.key, value);
      digests.set(value, digest);
      if (d.records.has(digest))
        hits.push({ start: words[i]?.start ?? 0, end: words[i + n]?.end ?? 0, text: value, digest });
    }
  }
  return hits;
}
