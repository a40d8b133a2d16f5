import { foldRight, nodeHash } from '@gatehouse/contract/tree.ts';
import { edgeTiles, TILE_WIDTH } from '@gatehouse/contract/tile.ts';

/** The right edge of a log's tree: all that appending needs, whatever the size. Values, not a thing that changes. */
export type Edge = {
  readonly size: number;
  /** Perfect subtrees from left to right, one per bit of `size`. */
  readonly frontier: readonly Buffer[];
  /** The hashes of the last tile of each level; shorter than 256. */
  readonly tiles: readonly (readonly Buffer[])[];
};

export type Tile = { readonly level: number; readonly index: number; readonly hashes: Buffer };

export const emptyEdge: Edge = { size: 0, frontier: [], tiles: [] };

export const edgeRoot = (edge: Edge): Buffer => foldRight(edge.frontier);

/** The tree with these leaves after it, and the tiles that changed. Costs about one hash per leaf. */
export function grow(edge: Edge, leaves: readonly Buffer[]): { edge: Edge; tiles: Tile[] } {
  const frontier = [...edge.frontier];
  const rows = edge.tiles.map((row) => [...row]);
  const touched = new Map<string, { level: number; index: number; row: Buffer[] }>();
  const counts = edgeTiles(edge.size).map((t) => t.index);
  let size = edge.size;

  const put = (level: number, hash: Buffer): void => {
    let row = (rows[level] ??= []);
    if (row.length === TILE_WIDTH) {
      row = rows[level] = [];
      counts[level] = (counts[level] ?? 0) + 1;
    }
    row.push(hash);
    const index = counts[level] ?? 0;
    touched.set(`${level}/${index}`, { level, index, row });
  };

  for (const leaf of leaves) {
    put(0, leaf);
    let node = leaf;
    let level = 0;
    for (let n = size; n % 2 === 1; n = (n - 1) / 2) {
      node = nodeHash(frontier.pop() ?? node, node);
      level++;
      // A perfect subtree of 256^k leaves is one hash of a tile of level k.
      if (level % 8 === 0) put(level / 8, node);
    }
    frontier.push(node);
    size++;
  }
  // A full tile is final, so it is not part of the edge any more.
  const tiles = rows.map((row) => (row.length === TILE_WIDTH ? [] : row));
  return {
    edge: { size, frontier, tiles },
    tiles: [...touched.values()].map(({ level, index, row }) => ({ level, index, hashes: Buffer.concat(row) })),
  };
}

/** 32-byte hashes that were stored one after the other. */
export const hashesOf = (bytes: Buffer): Buffer[] =>
  Array.from({ length: bytes.length / 32 }, (_, i) => bytes.subarray(i * 32, i * 32 + 32));
