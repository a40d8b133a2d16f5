import type { Node } from './tree.ts';
import { foldRight } from './tree.ts';

/** C2SP tlog-tiles: the tree is stored and served in tiles of 256 hashes; level L holds roots of perfect subtrees of 256^L leaves. */
export const TILE_WIDTH = 256;
/** Entries in a bundle are length-prefixed with 16 bits. */
export const MAX_ENTRY_BYTES = 65_535;

/** A tile, or with level `entries` a bundle of the entries themselves. `width` < 256 is a partial tile. */
export type TilePath = { readonly level: number | 'entries'; readonly index: number; readonly width: number };

/** `tile/<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last prefixed with x: 1234067 is x001/x234/067. */
export function tilePath({ level, index, width }: TilePath): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const groups = digits.match(/.{3}/g) ?? [];
  const n = groups.map((g, i) => (i === groups.length - 1 ? g : `x${g}`)).join('/');
  return `tile/${level}/${n}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** Reads what `tilePath` writes; anything else, even another spelling of the same number, is undefined. */
export function parseTilePath(path: string): TilePath | undefined {
  const m = /^tile\/(entries|[0-9]|[1-5][0-9]|6[0-3])\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (!m) return undefined;
  const index = Number((m[2] ?? '').replaceAll(/[x/]/g, ''));
  const width = m[3] === undefined ? TILE_WIDTH : Number(m[3]);
  if (!Number.isSafeInteger(index) || width < 1 || width > TILE_WIDTH) return undefined;
  const tile: TilePath = { level: m[1] === 'entries' ? 'entries' : Number(m[1]), index, width };
  return tilePath(tile) === path ? tile : undefined;
}

/** How many hashes the tile has in a tree of `size` leaves: 0 to 256. */
export const tileWidth = (level: number, index: number, size: number): number =>
  Math.max(0, Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH));

/** In which tile a node's hash can be found, and which hashes of it make it. */
export function tileOfNode({ level, index }: Node): { level: number; index: number; from: number; to: number } {
  const tileLevel = Math.floor(level / 8);
  const each = 2 ** (level % 8);
  const first = index * each;
  const tile = Math.floor(first / TILE_WIDTH);
  return { level: tileLevel, index: tile, from: first - tile * TILE_WIDTH, to: first - tile * TILE_WIDTH + each };
}

/** A node's hash out of the tile that `tileOfNode` names. */
export function nodeFromTile(node: Node, hashes: Uint8Array): Buffer {
  const { from, to } = tileOfNode(node);
  if (hashes.length < to * 32) throw new RangeError('the tile has not grown that far');
  const nth = (i: number): Uint8Array => hashes.subarray((from + i) * 32, (from + i + 1) * 32);
  return perfect(Array.from({ length: to - from }, (_, i) => nth(i)));
}

const perfect = (row: readonly Uint8Array[]): Buffer => {
  let level: Uint8Array[] = [...row];
  while (level.length > 1) {
    const up: Uint8Array[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) up.push(foldRight(level.slice(i, i + 2)));
    level = up;
  }
  return foldRight(level);
};

/** The tiles that hold a tree's right edge, which an appender needs: one per level, with its width. */
export function edgeTiles(size: number): { level: number; index: number; width: number }[] {
  const out = [];
  for (let level = 0, n = size; n > 0; level++, n = Math.floor(n / TILE_WIDTH))
    out.push({ level, index: Math.floor(n / TILE_WIDTH), width: n % TILE_WIDTH });
  return out;
}

/** An entry bundle: each entry after its length in two bytes, big endian. */
export function entryBundle(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    entries.flatMap((e) => {
      if (e.length > MAX_ENTRY_BYTES) throw new RangeError(`an entry has ${e.length} bytes; ${MAX_ENTRY_BYTES} fit`);
      return [Buffer.of(e.length >> 8, e.length & 255), e];
    }),
  );
}

/** The entries of a bundle, or undefined if its lengths do not add up. */
export function parseEntryBundle(bytes: Uint8Array): Buffer[] | undefined {
  const b = Buffer.from(bytes);
  const out: Buffer[] = [];
  for (let at = 0; at < b.length;) {
    if (at + 2 > b.length) return undefined;
    const end = at + 2 + b.readUInt16BE(at);
    if (end > b.length) return undefined;
    out.push(b.subarray(at + 2, end));
    at = end;
  }
  return out;
}
