import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

type Values = Record<string, string | number | boolean>;
type Widened<T extends Values> = {
  [K in keyof T]: T[K] extends string ? string : T[K] extends number ? number : boolean;
};

/** The search of an address as plain text: `?q=1` is the text 1. What stands there twice counts once, the last time. */
export const readSearch = (text: string): Record<string, string> => Object.fromEntries(new URLSearchParams(text));
export function writeSearch(values: Record<string, unknown>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(values))
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      search.set(key, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** The values of an address by their defaults: what is absent, or is no number where one belongs, is the default. */
export function valuesOf<T extends Values>(search: Record<string, unknown>, defaults: T): Widened<T> {
  const values = Object.entries(defaults).map(([key, fallback]): [string, string | number | boolean] => {
    const given = search[key];
    if (given === undefined) return [key, fallback];
    if (typeof fallback === 'number') return [key, Number.isFinite(Number(given)) ? Number(given) : fallback];
    if (typeof fallback === 'boolean') return [key, given === 'true'];
    return [key, typeof given === 'string' ? given : fallback];
  });
  return Object.fromEntries(values) as Widened<T>;
}

/**
 * State that matters is in the address: what is searched, chosen, open. Defaults are left out of it. `set` replaces the entry of the
 * history, `push` makes one (for what Back should take away again, as an open drawer).
 */
export function useAddress<T extends Values>(
  defaults: T,
): [Widened<T>, (change: Partial<Widened<T>>, how?: { push?: boolean }) => void] {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const set = useCallback(
    (change: Partial<Widened<T>>, { push = false }: { push?: boolean } = {}) =>
      void navigate({
        to: '.',
        replace: !push,
        resetScroll: false,
        search: (before: Record<string, unknown>) =>
          Object.fromEntries(
            Object.entries({ ...before, ...change }).filter(
              ([key, value]) => value !== undefined && value !== '' && value !== defaults[key],
            ),
          ),
      }),
    [navigate, defaults],
  );
  return [valuesOf(search, defaults), set];
}
