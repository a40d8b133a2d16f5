const WIDTH = 472;

/** The way from an event to its checkpoint: one rung for each hash, above the line where it stands left and below where it stands right. */
export function Ladder({ where, at, whole }: { where: readonly ('left' | 'right')[]; at: number; whole: boolean }) {
  const step = (WIDTH - 40) / Math.max(where.length, 1);
  return (
    <svg
      viewBox={`0 0 ${WIDTH} 52`}
      width="100%"
      role="img"
      aria-label={`${where.length} hashes lead from this event to the checkpoint${whole ? ', all followed' : ''}`}
      style={{ display: 'block', margin: '10px 0 4px' }}
    >
      <path d={`M10 26H${WIDTH - 22}`} stroke="var(--gh-line-2)" strokeWidth="2" />
      {at >= 0 && (
        <path d={`M10 26H${whole ? WIDTH - 22 : 26 + step * at}`} stroke="var(--gh-accent)" strokeWidth="2" />
      )}
      <circle cx="8" cy="26" r="5" fill="var(--gh-text-1)" />
      {where.map((side, i) => {
        const x = 26 + step * i;
        const y = side === 'left' ? 8 : 44;
        const on = i <= at;
        return (
          <g key={i}>
            <path d={`M${x} ${y}V26`} stroke={on ? 'var(--gh-accent)' : 'var(--gh-line-2)'} strokeWidth="1.5" />
            <rect
              x={x - 4}
              y={y - 4}
              width="8"
              height="8"
              rx="1"
              fill={on ? 'var(--gh-accent)' : 'var(--gh-surface)'}
              stroke={on ? 'var(--gh-accent)' : 'var(--gh-line-3)'}
              strokeWidth="1.5"
            />
          </g>
        );
      })}
      <g transform={`translate(${WIDTH - 20} 16)`} color={whole ? 'var(--gh-positive)' : 'var(--gh-line-3)'}>
        <path d="M0 20V10a10 10 0 0 1 20 0v10z" fill="none" stroke="currentColor" strokeWidth="1.8" />
        {whole && (
          <path
            d="m5.5 11.5 3.2 3.2 5.6-6.4"
            fill="none"
            stroke="currentColor"
            strokeWidth="2"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
        )}
      </g>
    </svg>
  );
}
