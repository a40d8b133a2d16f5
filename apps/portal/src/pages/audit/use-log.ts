import { countEvents, searchEvents } from '@gatehouse/client/audit.ts';
import { call, Refusal, type OutputOf } from '@gatehouse/client/call.ts';
import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { question } from '../../kit/ask.ts';
import type { LogEvent, Names } from './event-words.tsx';
import type { Query } from './query.ts';

const PAGE = 100;
type Page = OutputOf<typeof searchEvents>;

/**
 * The pages below the first: what is once at its position stays there, so they are kept, whatever is written meanwhile. Their key has no room in
 * it, so that a change of the log does not read all of them again; what is new is the head's to bring.
 */
const body = (org: string, query: Query, era: number) =>
  infiniteQueryOptions({
    queryKey: ['log', org, query, era],
    queryFn: ({ pageParam, signal }) =>
      call(
        searchEvents,
        { org, query: { ...query, limit: PAGE, ...(pageParam === null ? {} : { before: pageParam }) } },
        signal,
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page: Page) => page.next,
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });

export type Log = {
  events: readonly LogEvent[];
  names: Names;
  size: number;
  waiting: boolean;
  more: (() => void) | undefined;
  reading: boolean;
  refusal: Refusal | undefined;
  again(): void;
};

/** The log as it is searched, newest first, growing at its top while it is live. */
export function useLog(org: string, query: Query, live: boolean): Log {
  const [era, setEra] = useState(0);
  const rest = useInfiniteQuery(body(org, query, era));
  const head = useQuery({
    ...question(searchEvents, { org, query: { ...query, limit: PAGE } }),
    enabled: live,
    placeholderData: keepPreviousData,
  });
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage, error, refetch } = rest;
  const below = useMemo(() => data?.pages.flatMap((p) => p.events) ?? [], [data]);
  const top = below[0]?.seq ?? -1;
  const fresh = useMemo(
    () => (live && !head.isPlaceholderData ? (head.data?.events ?? []).filter((e) => e.seq > top) : []),
    [live, head.data, head.isPlaceholderData, top],
  );
  // More came than one page holds: what lies between is read from the top again.
  const torn = fresh.length === PAGE && below.length > 0;
  useEffect(() => {
    if (torn) setEra((n) => n + 1);
  }, [torn]);
  const can = hasNextPage && !isFetchingNextPage && !error;
  const empty = fresh.length + below.length === 0;
  // A search that reads rows gives empty pages where it found nothing yet: it goes on by itself until there is something to see.
  useEffect(() => {
    if (empty && can) void fetchNextPage();
  }, [empty, can, fetchNextPage]);
  return {
    events: useMemo(() => [...fresh, ...below], [fresh, below]),
    names: useMemo(
      () => Object.assign({}, head.data?.names, ...(data?.pages.map((p) => p.names) ?? [])) as Names,
      [head.data, data],
    ),
    size: Math.max(head.data?.size ?? 0, data?.pages[0]?.size ?? 0),
    waiting: data === undefined && !error,
    more: can ? () => void fetchNextPage() : undefined,
    reading: isFetchingNextPage,
    refusal: error instanceof Refusal ? error : undefined,
    again: () => void refetch(),
  };
}

export type Totals = OutputOf<typeof countEvents>;

/** How many fit and when they were. It costs more than a page of rows, so it is asked again by the clock and not with each event. */
export const useTotals = (org: string, query: Query, live: boolean): Totals | undefined =>
  useQuery({
    queryKey: ['log totals', org, query],
    queryFn: ({ signal }) => call(countEvents, { org, query }, signal),
    placeholderData: keepPreviousData,
    refetchInterval: live ? 15_000 : false,
  }).data;
