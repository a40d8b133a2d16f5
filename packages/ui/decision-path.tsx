import { Glyph, tone, type GlyphName } from './glyphs.tsx';
import c from './decision-path.module.css';

export type Station = {
  name: string;
  is: 'passed' | 'stopped' | 'waiting' | 'skipped';
  note: string;
  glyph?: GlyphName;
  waited?: string;
};
export const stations = ['open', 'admit', 'approve', 'inspect', 'send', 'inspect', 'close'] as const;

/** Seven stations of a call. A stop leaves the rail and goes straight to close, because every ending is recorded. */
export const DecisionPath = ({ of, label }: { of: Station[]; label: string }) => {
  const stop = of.findIndex((s) => s.is === 'stopped');
  return (
    <div className={c.frame}>
      {stop >= 0 && stop < 5 && (
        <span
          aria-hidden
          className={c.bypass}
          style={{ left: `${((stop + 0.5) / 7) * 100}%`, right: `${(0.5 / 7) * 100}%` }}
        />
      )}
      <ol className={c.path} aria-label={label}>
        {of.map((s, i) => (
          <li
            key={i}
            data-is={s.is}
            data-stop={s.is === 'stopped' || s.is === 'waiting' || undefined}
            data-far={(stop >= 0 && i > stop) || undefined}
            data-waited={s.waited ? true : undefined}
            className={s.glyph ? tone(s.glyph) : 'gh-tone'}
          >
            <span className={c.node} aria-hidden>
              {s.glyph ? <Glyph name={s.glyph} size={20} /> : <i />}
            </span>
            {s.waited && <span className={c.wait}>{s.waited}</span>}
            <b>{s.name}</b>
            <span>{s.note}</span>
          </li>
        ))}
      </ol>
    </div>
  );
};
