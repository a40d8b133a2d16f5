import { nodeFromTile, tileOfNode } from '@gatehouse/contract/tile.ts';
import type { Hash, Node } from '@gatehouse/contract/tree.ts';
import type { Tile } from './growing-tree.ts';

/** The tiles that hold these nodes, each once. */
export function tilesFor(nodes: readonly Node[]): { level: number; index: number }[] {
  const wanted = new Map<string, { level: number; index: number }>();
  for (const node of nodes) {
    const { level, index } = tileOfNode(node);
    wanted.set(`${level}/${index}`, { level, index });
  }
  return [...wanted.values()];
}

/** Looks nodes up in tiles. Throws a RangeError if a tile is not there or too short: then the stored tree is damaged. */
export function nodesIn(tiles: readonly Tile[]): (node: Node) => Hash {
  const by = new Map(tiles.map((t) => [`${t.level}/${t.index}`, t.hashes]));
  return (node) => {
    const { level, index } = tileOfNode(node);
    const hashes = by.get(`${level}/${index}`);
    if (!hashes) throw new RangeError(`tile ${level}/${index} is missing`);
    return nodeFromTile(node, hashes);
  };
}
