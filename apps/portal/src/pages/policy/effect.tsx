import type { OutputOf } from '@gatehouse/client/call.ts';
import { previewChange } from '@gatehouse/client/policy.ts';
import { Glyph, type GlyphName } from '@gatehouse/ui/glyphs.tsx';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Refusal } from '@gatehouse/client/call.ts';
import { useMemo } from 'react';
import { question } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { countOf } from '../../kit/words.ts';
import { both, type Wish } from './draft.ts';
import c from './policy.module.css';

export type Previewed = OutputOf<typeof previewChange>;
export type Preview = {
  seen: Previewed | undefined;
  refusal: Refusal | undefined;
  /** What is shown is of the wish as it stands. */
  fresh: boolean;
};

/** Asks what a wish would do, a moment after it stopped changing. Undefined: nothing is wished. */
export function usePreview(wish: Wish | undefined): Preview {
  const org = useOrg();
  const text = JSON.stringify(wish);
  const stable = useMemo(() => wish, [text]);
  const [settled] = useDebouncedValue(stable, 300);
  const { data, error, isFetching, isPlaceholderData } = useQuery({
    ...question(previewChange, { org, body: settled ?? { kind: 'restore', version: 0 } }),
    enabled: settled !== undefined,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 5_000,
  });
  if (wish === undefined) return { seen: undefined, refusal: undefined, fresh: true };
  return {
    seen: error ? undefined : data,
    refusal: error instanceof Refusal ? error : undefined,
    fresh: settled === stable && !isFetching && !isPlaceholderData,
  };
}

const standing = { denied: 'nothing', sometimes: 'sometimes', asks: 'after a yes', allowed: 'unasked' } as const;
const kinds = {
  loses: { glyph: 'minus', colour: 'var(--gh-negative)', says: 'cannot use' },
  narrower: { glyph: 'minus', colour: 'var(--gh-held)', says: 'less freely use' },
  differs: { glyph: 'swap', colour: 'var(--gh-info)', says: 'differently use' },
  wider: { glyph: 'plus', colour: 'var(--gh-info)', says: 'more freely use' },
  gains: { glyph: 'plus', colour: 'var(--gh-positive)', says: 'can use' },
} as const satisfies Record<string, { glyph: GlyphName; colour: string; says: string }>;

type Line = Previewed['lines'][number];
const peopleOf = (l: Line): string => {
  const rest = l.peopleCount - l.people.length;
  return both([...l.people.map((p) => p.name), ...(rest > 0 ? [`${countOf(rest, 'person', 'people')} more`] : [])]);
};
const toolsOf = (l: Line): string => {
  const shown = l.tools.slice(0, 3).map((t) => t.name);
  const rest = l.toolCount - shown.length;
  return both([...shown, ...(rest > 0 ? [countOf(rest, 'more tool')] : [])]);
};

/** In one sentence: who gains and who loses. */
export function sumOf(seen: Previewed): string {
  const { gains, loses, wider, narrower, differs } = seen.counts;
  const parts = [
    ...(loses.people > 0 ? [`${countOf(loses.people, 'person loses', 'people lose')} something`] : []),
    ...(narrower.people > 0 ? [`${countOf(narrower.people, 'person', 'people')} will be asked about more`] : []),
    ...(gains.people > 0 ? [`${countOf(gains.people, 'person gains', 'people gain')} something`] : []),
    ...(wider.people > 0 ? [`${countOf(wider.people, 'person', 'people')} will be asked about less`] : []),
    ...(differs.people > 0 ? [`for ${countOf(differs.people, 'person', 'people')} it depends on something else`] : []),
  ];
  return parts.length === 0
    ? `Nobody gains or loses anything, of ${countOf(seen.looked.people, 'person', 'people')} and ${countOf(seen.looked.tools, 'tool')}.`
    : `${both(parts)}.`;
}

/** What a change does, losses first: whom, which tools, from what to what. */
export function Effect({ seen }: { seen: Previewed }) {
  const order = Object.keys(kinds) as (keyof typeof kinds)[];
  const lines = order.flatMap((k) => seen.lines.filter((l) => l.effect === k));
  const words = seen.differences.filter((d) => d.what !== 'cedar');
  return (
    <ul className={c.changes}>
      {words.map((d, i) => (
        <li key={`d${i}`} className={c.change}>
          <Glyph
            name={d.change === 'added' ? 'plus' : d.change === 'removed' ? 'minus' : 'swap'}
            size={14}
            color="var(--gh-info)"
          />
          <span>
            {d.after ?? d.before}
            {d.change === 'changed' && <span className="gh-3"> It was: {d.before}</span>}
            {d.change === 'removed' && <span className="gh-3"> is no longer in force.</span>}
          </span>
        </li>
      ))}
      <li className={c.change}>
        <Glyph name="none" size={14} color="var(--gh-text-3)" />
        <span>{sumOf(seen)}</span>
      </li>
      {lines.slice(0, 20).map((l, i) => (
        <li key={`l${i}`} className={c.change}>
          <Glyph name={kinds[l.effect].glyph} size={14} color={kinds[l.effect].colour} />
          <span>
            <b>{peopleOf(l)}</b> {kinds[l.effect].says} <span className="gh-mono">{toolsOf(l)}</span> of{' '}
            {l.connectorName}
            <span className="gh-3">
              {' '}
              {standing[l.from]} → {standing[l.to]}
            </span>
          </span>
        </li>
      ))}
      {lines.length + seen.more > 20 && (
        <li className="gh-3">and {countOf(lines.length + seen.more - 20, 'line')} more</li>
      )}
    </ul>
  );
}
