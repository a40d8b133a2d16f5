import type { Id } from '#kernel/id.ts';
import type { Mapping } from './mapping.ts';

/** How a name that came differs from one that was expected. */
export const missKinds = ['case', 'space', 'separator', 'prefix', 'typo'] as const;
export type MissKind = (typeof missKinds)[number];

export type SeenName = { id: Id<'grp'>; name: string; members: number };
export type NearMiss = { mapping: Mapping; wanted: string; seen: SeenName; kind: MissKind; says: string };

/** Names shorter than this differ from half of all words by two letters. */
const SHORTEST_TYPO = 6;
const MOST_EDITS = 2;

/**
 * Groups that came and are mapped to nothing, though a mapping waits for a name that is nearly theirs. A hint and never more: a role is given
 * by an exact name or by an id, because a near name can be anybody's.
 */
export function nearMisses(unseen: readonly Mapping[], unmapped: readonly SeenName[]): NearMiss[] {
  return unseen.flatMap((mapping) => {
    if (!('name' in mapping.by)) return [];
    const wanted = mapping.by.name;
    return unmapped.flatMap((seen) => {
      const kind = missKind(wanted, seen.name, mapping.standing);
      return kind ? [{ mapping, wanted, seen, kind, says: said(wanted, seen, kind, mapping) }] : [];
    });
  });
}

const words: Record<MissKind, string> = {
  case: 'only capital letters differ',
  space: 'only white space differs',
  separator: 'only - and _ differ',
  prefix: 'only the prefix differs',
  typo: 'one or two letters differ',
};
const said = (wanted: string, seen: SeenName, kind: MissKind, m: Mapping): string =>
  `${JSON.stringify(seen.name)} (${seen.members} ${seen.members === 1 ? 'member' : 'members'}) came and is mapped to nothing; ${JSON.stringify(wanted)} is expected for the role ${m.role}: ${words[kind]}`;

const spaced = (s: string): string =>
  s
    .normalize('NFKC')
    .replaceAll(/[\s\u200b-\u200d\ufeff]+/g, ' ')
    .trim();
const separated = (s: string): string =>
  spaced(s)
    .toLowerCase()
    .replaceAll(/[-_ .]+/g, '-');

/** In which small way a name missed, if it did; undefined for the same name and for another one. */
export function missKind(wanted: string, seen: string, standing = false): MissKind | undefined {
  if (wanted === seen) return undefined;
  if (spaced(wanted) === spaced(seen)) return 'space';
  if (spaced(wanted).toLowerCase() === spaced(seen).toLowerCase()) return 'case';
  const [w, s] = [separated(wanted), separated(seen)];
  if (w === s) return 'separator';
  // A pre-defined name ends with a role; a group that is called `user` or `owner` alone is too little to guess from.
  const [longer, shorter] = w.length > s.length ? [w, s] : [s, w];
  if (longer.endsWith(`-${shorter}`) && (!standing || shorter.includes('-'))) return 'prefix';
  return Math.min(w.length, s.length) >= SHORTEST_TYPO && edits(w, s, MOST_EDITS) <= MOST_EDITS ? 'typo' : undefined;
}

/** Letters to put in, take out or change (Levenshtein); stops counting above `most`. */
export function edits(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++)
      row.push(
        Math.min(
          (above[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (above[j - 1] ?? 0) + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1),
        ),
      );
    if (Math.min(...row) > most) return most + 1;
    above = row;
  }
  return above[b.length] ?? most + 1;
}
