/** How something was hidden in the text in which it was found, outermost first. */
export const layers = ['base64', 'hex', 'url', 'entities', 'escapes', 'markup', 'spaced'] as const;
export type Layer = (typeof layers)[number];

/**
 * Text as it is looked at, and where each of its characters stood in the text as given. `origin[i]` is where character i began, with one more
 * entry for the end; absent where nothing moved. `run` instead, where the whole text was one encoded run: everything in it stood there.
 */
export type View = {
  text: string;
  layers: readonly Layer[];
  origin?: Uint32Array;
  run?: { start: number; end: number };
};

/** Where a piece of the view stood in the text as given. Never empty; never half of a surrogate pair. */
export function rangeOf(view: View, start: number, end: number): { start: number; end: number } {
  if (view.run) return view.run;
  const { origin } = view;
  if (!origin) return { start, end };
  const from = origin[start] ?? 0;
  // The last character may share its place with others that came from the same one.
  const last = origin[end - 1] ?? from;
  let e = end;
  while (e < origin.length - 1 && (origin[e] ?? 0) <= last) e++;
  return { start: from, end: origin[e] ?? last + 1 };
}
