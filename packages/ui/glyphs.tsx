import type { SVGProps } from 'react';

/** The mark: a half-raised portcullis. 16 x 16, every upright on the pixel grid. */
export const Mark = ({ size = 16, ...p }: { size?: number } & SVGProps<SVGSVGElement>) => (
  <svg width={size} height={size} viewBox="0 0 16 16" fill="currentColor" fillRule="evenodd" aria-hidden {...p}>
    <path d="M1 15V8a7 7 0 0 1 14 0v7h-2V9h-2v2.5l-1 2-1-2V9H7v2.5l-1 2-1-2V9H3v6zM3.1 7H5V4a5 5 0 0 0-1.9 3zM7 7h2V3.1a5 5 0 0 0-2 0zm4 0h1.9A5 5 0 0 0 11 4z" />
  </svg>
);

const line = {
  fill: 'none',
  stroke: 'currentColor',
  strokeWidth: 1.6,
  strokeLinecap: 'round',
  strokeLinejoin: 'round',
} as const;

/** Six endings of a call and a few states beside them. Each has its own silhouette; colour only repeats what the shape says. */
const shapes = {
  answered: (
    <g {...line}>
      <circle cx="8" cy="8" r="6.2" />
      <path d="m5.3 8.2 1.9 1.9 3.6-4" />
    </g>
  ),
  held: <path fillRule="evenodd" d="M1.5 14.5V8a6.5 6.5 0 0 1 13 0v6.5zM5.4 12.6V7h1.7v5.6zM8.9 12.6V7h1.7v5.6z" />,
  denied: (
    <g {...line}>
      <circle cx="8" cy="8" r="6.2" />
      <path d="m3.7 12.3 8.6-8.6" />
    </g>
  ),
  blocked: <path fillRule="evenodd" d="M5 1.3h6L14.7 5v6L11 14.7H5L1.3 11V5zM4.4 7v2h7.2V7z" />,
  failed: (
    <g {...line}>
      <path d="M2.2 2.2h11.6v11.6H2.2zM5.6 5.6l4.8 4.8m0-4.8-4.8 4.8" />
    </g>
  ),
  lost: (
    <g {...line}>
      <circle cx="8" cy="8" r="6.2" strokeDasharray="2.1 2.1" strokeLinecap="butt" />
      <path d="M6.4 6.4a1.7 1.7 0 1 1 2.4 1.5c-.5.3-.8.6-.8 1.1" />
      <path d="M8 11.2v.1" />
    </g>
  ),
  open: (
    <g {...line}>
      <circle cx="8" cy="8" r="6.2" opacity=".35" />
      <path d="M8 1.8A6.2 6.2 0 0 1 14.2 8" />
    </g>
  ),
  expired: (
    <g {...line}>
      <circle cx="8" cy="8" r="6.2" />
      <path d="M8 4.6V8l2.2 1.6" />
    </g>
  ),
  ok: (
    <g {...line} strokeWidth={1.8}>
      <path d="m3 8.6 3.2 3.2L13 4.6" />
    </g>
  ),
  caution: (
    <path fillRule="evenodd" d="M8 1.2 15.4 14.4H.6zM7.1 5.8v4.4h1.8V5.8zM8 11.2a1 1 0 1 0 0 2 1 1 0 0 0 0-2z" />
  ),
  broken: (
    <path
      fillRule="evenodd"
      d="M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM5.9 4.7 4.7 5.9 6.8 8l-2.1 2.1 1.2 1.2L8 9.2l2.1 2.1 1.2-1.2L9.2 8l2.1-2.1-1.2-1.2L8 6.8z"
    />
  ),
  info: (
    <g {...line}>
      <circle cx="8" cy="8" r="6.2" />
      <path d="M8 7.4v3.4M8 5v.1" />
    </g>
  ),
  said: (
    <g {...line}>
      <path d="M2 3h12v8H7.6L4.5 13.6V11H2z" strokeDasharray="2.4 1.6" strokeLinecap="butt" />
    </g>
  ),
  plus: (
    <g {...line} strokeWidth={1.8}>
      <path d="M8 3v10M3 8h10" />
    </g>
  ),
  minus: (
    <g {...line} strokeWidth={1.8}>
      <path d="M3 8h10" />
    </g>
  ),
  swap: (
    <g {...line}>
      <path d="M2.5 5.4h10M10 2.8l2.6 2.6L10 8M13.5 10.6h-10M6 8l-2.6 2.6L6 13.2" />
    </g>
  ),
  none: (
    <g {...line}>
      <path d="M5 8h6" />
    </g>
  ),
  dot: <circle cx="8" cy="8" r="4" />,
  ask: <path fillRule="evenodd" d="M1.5 14.5V8a6.5 6.5 0 0 1 13 0v6.5zM5.4 12.6V7h1.7v5.6zM8.9 12.6V7h1.7v5.6z" />,
  outside: (
    <g {...line}>
      <path d="M1.8 14V7.2a4.7 4.7 0 0 1 9.4 0v.6M6 11.2h8.4M11.8 8.6l2.6 2.6-2.6 2.6" />
    </g>
  ),
  no: (
    <g {...line}>
      <circle cx="8" cy="8" r="6.2" />
      <path d="m3.7 12.3 8.6-8.6" />
    </g>
  ),
} as const;

export type GlyphName = keyof typeof shapes;
export const Glyph = ({ name, size = 16, ...p }: { name: GlyphName; size?: number } & SVGProps<SVGSVGElement>) => (
  <svg width={size} height={size} viewBox="0 0 16 16" fill="currentColor" aria-hidden {...p}>
    {shapes[name]}
  </svg>
);

export const toneOf: Record<GlyphName, string> = {
  answered: 'positive',
  held: 'held',
  denied: 'negative',
  blocked: 'negative',
  failed: 'caution',
  lost: 'neutral',
  open: 'info',
  expired: 'neutral',
  ok: 'positive',
  caution: 'caution',
  broken: 'negative',
  info: 'info',
  said: 'said',
  plus: 'positive',
  minus: 'negative',
  swap: 'info',
  none: 'neutral',
  dot: 'positive',
  ask: 'held',
  outside: 'caution',
  no: 'neutral',
};
export const tone = (name: GlyphName) => `gh-tone gh-${toneOf[name]}`;
