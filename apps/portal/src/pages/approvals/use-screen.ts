import { call } from '@gatehouse/client/call.ts';
import { list, readScreen } from '@gatehouse/client/approvals.ts';
import { useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useRef } from 'react';
import { question } from '../../kit/ask.ts';
import type { Screen } from './pieces.tsx';

/**
 * What must be seen of a request. Reading it leaves an event, and events tell every page to ask again; so it is asked for under a key of its
 * own, once, and again only when something was decided.
 */
export function useScreen(org: string, approval: string): { screen: Screen; again(): Promise<void> } {
  const queries = useQueryClient();
  const { data } = useSuspenseQuery({
    queryKey: ['screen of an approval', org, approval],
    queryFn: ({ signal }) => call(readScreen, { org, approval }, signal),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    retry: false,
  });
  const again = useCallback(
    () => queries.invalidateQueries({ queryKey: ['screen of an approval', org, approval] }),
    [queries, org, approval],
  );
  return { screen: data, again };
}

/** What waits for me, newest first; the list has no arguments, so looking at it leaves no event. */
export const waitingFor = (org: string) => ({ org, query: { for: 'me' as const, limit: 100 } });

/** Which of those that wait for me this one is, and whether somebody has decided it meanwhile. */
export function usePlace(
  org: string,
  approval: string,
  onGone: () => void,
): { at: number; of: number; more: boolean; next: string | undefined } {
  const { data } = useQuery(question(list, waitingFor(org)));
  const ids = (data?.items ?? []).map((i) => i.id);
  const at = ids.indexOf(approval);
  const was = useRef(false);
  useEffect(() => {
    if (was.current && at < 0) onGone();
    was.current = at >= 0;
  }, [at, onGone]);
  return { at, of: ids.length, more: typeof data?.next === 'string', next: ids.find((id) => id !== approval) };
}
