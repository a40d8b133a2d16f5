import type { MemberRole } from '#org/member.ts';

/**
 * A topic is a room as the API spells it: the first part of its operations' ids. Beside these there are `mine` (what anybody's own pages
 * show) and `start` (the page of that name).
 */
export type Topics = {
  /** What an event of this type may have changed; undefined: anything. */
  touched(type: string): readonly string[] | undefined;
  /** What a member with this role may read something of. */
  heard(role: MemberRole): ReadonlySet<string>;
};

/** What a client makes of a change that nobody can name: everything that it holds may be old. */
export const ANYTHING = '*';

/** The topics of some events that this listener may hear of. Nothing of what they may not read shows, not even that it changed. */
export function toldTopics(
  topics: Topics,
  heard: ReadonlySet<string>,
  types: readonly string[] | undefined,
): readonly string[] {
  const told = new Set<string>();
  for (const type of types ?? [undefined])
    for (const t of (type === undefined ? undefined : topics.touched(type)) ?? [ANYTHING])
      if (t === ANYTHING || heard.has(t)) told.add(t);
  return told.has(ANYTHING) ? [ANYTHING] : [...told].toSorted();
}
