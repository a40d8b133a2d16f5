import { crc32, inflateRawSync } from 'node:zlib';
import { MiB } from '#kernel/limits.ts';
import { broken, ContentRefused, tooHard } from './content.ts';

/** A Word file with a thousand pictures has fewer. */
const MAX_ENTRIES = 10_000;
/** Of one part, inflated. A sheet of a million cells has about 40 MiB. */
const MAX_ENTRY_BYTES = 64 * MiB;
/** Of all parts that are read, inflated. */
const MAX_TOTAL_BYTES = 128 * MiB;
/** Honest XML shrinks to a hundredth at best; Deflate can do a thousandth, which only bombs use. Small parts may. */
const MAX_RATIO = 400;
const RATIO_FROM = 1 * MiB;

type Entry = { name: string; method: number; size: number; compressed: number; crc: number; offset: number };

/**
 * A zip file as an office document is one: read by its central directory, and strictly, because two readers that take the same bytes for
 * different files are how something gets past the first. Nothing is written anywhere, so a name is a key and no path.
 */
export class Zip {
  readonly #bytes: Buffer;
  readonly #entries: ReadonlyMap<string, Entry>;
  #inflated = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#entries = directory(this.#bytes);
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** One part, inflated within the limits; undefined: there is none of that name. */
  read(name: string): Buffer | undefined {
    const e = this.#entries.get(name);
    if (!e) return undefined;
    if (e.size > MAX_ENTRY_BYTES || this.#inflated + e.size > MAX_TOTAL_BYTES)
      throw tooHard(`the file says that it unpacks to more than ${MAX_ENTRY_BYTES / MiB} MiB in one part`);
    if (e.size > RATIO_FROM && e.size > e.compressed * MAX_RATIO)
      throw tooHard(`a part of the file is packed ${MAX_RATIO} to 1 or more, as no document is`);
    const packed = this.#bytes.subarray(e.offset, e.offset + e.compressed);
    let out: Buffer;
    try {
      // INVARIANT (bounded inflation): never a byte more than the directory said, whatever the stream does.
      out = e.method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(1, e.size) });
    } catch {
      throw broken('a packed part of the file does not unpack to what the file says');
    }
    if (out.length !== e.size || crc32(out) !== e.crc) throw broken('a packed part of the file is damaged');
    this.#inflated += out.length;
    return out;
  }
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;

function directory(b: Buffer): Map<string, Entry> {
  let end = b.length - END_BYTES;
  const stop = Math.max(0, end - 0xffff);
  while (end >= stop && b.readUInt32LE(end) !== END) end--;
  if (end < stop || end < 0) throw broken('the file ends before its table of contents');
  const count = b.readUInt16LE(end + 10);
  const size = b.readUInt32LE(end + 12);
  let at = b.readUInt32LE(end + 16);
  if (count === 0xffff || at === 0xffffffff)
    throw new ContentRefused('connectors/content-unsupported', 'the file is a zip of more than 4 GiB or 65,535 parts');
  if (count > MAX_ENTRIES) throw tooHard(`the file has ${count} parts; at most ${MAX_ENTRIES} are read`);
  if (at + size > end) throw broken("the file's table of contents lies outside of it");
  const entries = new Map<string, Entry>();
  const spans: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || b.readUInt32LE(at) !== CENTRAL) throw broken("the file's table of contents is damaged");
    const flags = b.readUInt16LE(at + 8);
    const nameBytes = b.readUInt16LE(at + 28);
    const name = b.toString('utf8', at + 46, at + 46 + nameBytes);
    const compressed = b.readUInt32LE(at + 20);
    const local = b.readUInt32LE(at + 42);
    if (flags & 1)
      throw new ContentRefused(
        'connectors/content-encrypted',
        'the file is a zip with a password',
        'save it without the password',
      );
    const method = b.readUInt16LE(at + 10);
    if (method !== 0 && method !== 8) throw broken('the file is packed in a way that office documents are not');
    if (local + 30 > b.length || b.readUInt32LE(local) !== LOCAL)
      throw broken('a part of the file is not where it says');
    const localName = b.readUInt16LE(local + 26);
    const offset = local + 30 + localName + b.readUInt16LE(local + 28);
    if (b.toString('utf8', local + 30, local + 30 + localName) !== name || b.readUInt16LE(local + 8) !== method)
      throw broken('the file gives one part two names');
    if (offset + compressed > b.length) throw broken('a part of the file lies outside of it');
    checkName(name);
    if (entries.has(name)) throw broken('the file has two parts of one name');
    spans.push([local, offset + compressed]);
    entries.set(name, {
      name,
      method,
      compressed,
      offset,
      size: b.readUInt32LE(at + 24),
      crc: b.readUInt32LE(at + 16),
    });
    at += 46 + nameBytes + b.readUInt16LE(at + 30) + b.readUInt16LE(at + 32);
  }
  spans.sort((a, z) => a[0] - z[0]);
  // Parts that share bytes are how a small file holds a very large one.
  if (spans.some(([from], i) => from < (spans[i - 1]?.[1] ?? 0)))
    throw tooHard('parts of the file lie on top of each other');
  return entries;
}

function checkName(name: string): void {
  // oxlint-disable-next-line no-control-regex -- refused
  if (/[\\\u0000-\u001f]|^\/|^[a-zA-Z]:/.test(name) || name.split('/').includes('..'))
    throw broken('a part of the file has a name that leads out of the file');
}
