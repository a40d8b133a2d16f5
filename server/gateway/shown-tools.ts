import { seen, type Seen } from '#connectors/tool.ts';
import { elements, member, spliced, whole } from '#kernel/json-span.ts';

/** What a list of tools becomes for one person. `other` are definitions that are not as known, for the review. */
export type Shown = { text: string; other: Seen[]; hidden: number };

/**
 * Cuts out of an answer to `tools/list` what this person may not use, and leaves every other byte as it was. `text` has been parsed strictly; `usable` decides by name and pin.
 */
export function shownTools(text: string, usable: (tool: Seen) => boolean, known: (tool: Seen) => boolean): Shown {
  const result = member(text, whole(text), 'result');
  const tools = result && text[result.from] === '{' ? member(text, result, 'tools') : undefined;
  if (!result || !tools || text[tools.from] !== '[') return { text, other: [], hidden: 0 };
  const other: Seen[] = [];
  const kept: string[] = [];
  const all = elements(text, tools);
  const names = new Set<string>();
  for (const at of all) {
    const raw = text.slice(at.from, at.to);
    const s = pinned(raw);
    // A name that comes twice could be shown as one and called as the other.
    if (!s || names.has(s.name)) continue;
    names.add(s.name);
    if (!known(s)) other.push(s);
    if (usable(s)) kept.push(raw);
  }
  const hidden = all.length - kept.length;
  return { text: hidden === 0 ? text : spliced(text, [{ at: tools, with: `[${kept.join(',')}]` }]), other, hidden };
}

/** Pins of definitions by their text: an upstream says the same thousands of times. */
const pins = new Map<string, Seen | undefined>();
const MAX_PINS = 5000;

function pinned(raw: string): Seen | undefined {
  if (pins.has(raw)) return pins.get(raw);
  const s = seen(JSON.parse(raw));
  const value = 'refused' in s ? undefined : s;
  if (pins.size >= MAX_PINS) pins.clear();
  pins.set(raw, value);
  return value;
}
