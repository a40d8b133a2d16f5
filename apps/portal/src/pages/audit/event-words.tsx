import type { searchEvents } from '@gatehouse/client/audit.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import type { GlyphName } from '@gatehouse/ui/glyphs.tsx';
import { Esc } from '@gatehouse/ui/parts.tsx';

export type LogEvent = OutputOf<typeof searchEvents>['events'][number];
export type Names = Readonly<Record<string, string>>;

const endings: Record<string, { glyph: GlyphName; word: string }> = {
  returned: { glyph: 'answered', word: 'Answered' },
  held: { glyph: 'held', word: 'Held' },
  denied: { glyph: 'denied', word: 'Denied' },
  blocked: { glyph: 'blocked', word: 'Blocked' },
  failed: { glyph: 'failed', word: 'Failed' },
  lost: { glyph: 'lost', word: 'Lost' },
};
const done = { glyph: 'ok', word: 'Done' } as const satisfies { glyph: GlyphName; word: string };

/** How what an event tells of ended; what is no call is done. */
export const endingOf = (e: LogEvent): { glyph: GlyphName; word: string; normal: boolean } => {
  const ending = e.disposition === undefined ? done : (endings[e.disposition] ?? done);
  return { ...ending, normal: e.disposition === undefined || e.disposition === 'returned' };
};

const kinds: Record<string, string> = {
  user: 'Somebody',
  agent: 'An agent',
  api_key: 'An API key',
  scim: 'The directory',
  system: 'Gatehouse',
  nobody: 'Nobody signed in',
};

/** Who it was, by name where there is one. */
export const whoOf = (e: LogEvent, names: Names): string =>
  names[e.actor.id ?? ''] ?? kinds[e.actor.kind] ?? e.actor.kind;

// oxlint-disable-next-line no-control-regex -- these are what must be seen
const deceiving = /([\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+)/u;

/** Text from outside: characters that cannot be seen or that turn the text around are printed by their name. */
export const Plain = ({ children }: { children: string }) => (
  <>{children.split(deceiving).map((part, i) => (i % 2 ? <Esc key={i}>{named(part)}</Esc> : part))}</>
);
const named = (run: string): string => {
  const first = `U+${(run.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return run.length > 1 ? `${first} ×${run.length}` : first;
};

const id = /\b([a-z]{3}_[0-9a-f]{32})\b/;

/** A sentence of the log, with names in the place of ids that we know, and the others shortened: the whole one is in the title. */
export const Says = ({ children, names }: { children: string; names: Names }) => (
  <>
    {children.split(id).map((part, i) =>
      i % 2 === 0 ? (
        <Plain key={i}>{part}</Plain>
      ) : (
        <span key={i} title={part} className={names[part] === undefined ? 'gh-id' : undefined}>
          {names[part] === undefined ? `${part.slice(0, 10)}…` : <Plain>{names[part]}</Plain>}
        </span>
      ),
    )}
  </>
);

/** The rules that decided, where the event says so. */
export const decidedBy = (e: LogEvent): readonly string[] => {
  const { policies } = e.data;
  return Array.isArray(policies) ? policies.filter((p) => typeof p === 'string') : [];
};

/** How long a call took, in ms. */
export const tookOf = (e: LogEvent): number | undefined =>
  typeof e.data['ms'] === 'number' ? e.data['ms'] : undefined;
