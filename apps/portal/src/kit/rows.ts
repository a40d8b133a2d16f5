import { call, Refusal, type Op } from '@gatehouse/client/call.ts';
import { infiniteQueryOptions, useInfiniteQuery, type QueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef } from 'react';

/** A list of the API: items and the cursor of what follows. */
export type Page<R> = { items: R[]; next: string | null };
export type ListOp<I, R> = Op<I, Page<R>>;

export type Rows<R> = {
  items: R[];
  /** Nothing was answered yet. */
  waiting: boolean;
  /** Everything that there is has been read. */
  whole: boolean;
  refusal: Refusal | undefined;
  /** Reads the next page; undefined while one is being read and when there is none. */
  more: (() => void) | undefined;
  again(): void;
  /** Reads the whole list anew, telling how many rows there are so far; undefined when it was stopped. */
  all(progress: (rows: number) => void): Promise<R[] | undefined>;
  stop(): void;
};

const PAGE = 100;
const paged = <I extends { query?: object }>(input: I, cursor: string | null, limit: number): I => ({
  ...input,
  query: { ...input.query, limit, ...(cursor === null ? {} : { cursor }) },
});

/** What stands in the address beside a list (search) is asked as text; what is empty is not asked. */
const rowsQuestion = <I extends { query?: object }, R>(op: ListOp<I, R>, input: I) =>
  infiniteQueryOptions({
    queryKey: [op.room, op.id, 'rows', input],
    queryFn: ({ pageParam, signal }) => call(op, paged(input, pageParam, PAGE), signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Page<R>) => page.next,
  });

/** The rows of a list, page by page; all of them at once where they are to be sorted, since an order of a part is no order. */
export function useRows<I extends { query?: object }, R>(op: ListOp<I, R>, input: I, everything: boolean): Rows<R> {
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    ...rowsQuestion(op, input),
    placeholderData: (before) => before,
  });
  const items = useMemo(() => data?.pages.flatMap((p) => p.items) ?? [], [data]);
  const can = hasNextPage && !isFetchingNextPage && !error;
  useEffect(() => {
    if (everything && can) void fetchNextPage();
  }, [everything, can, fetchNextPage]);

  const stopped = useRef<AbortController>(undefined);
  const all = useCallback(
    async (progress: (rows: number) => void): Promise<R[] | undefined> => {
      const { signal } = (stopped.current = new AbortController());
      const rows: R[] = [];
      try {
        for (let cursor: string | null = null; ;) {
          const page: Page<R> = await call(op, paged(input, cursor, PAGE), signal);
          rows.push(...page.items);
          progress(rows.length);
          cursor = page.next;
          if (cursor === null) return rows;
        }
      } catch (e) {
        if (signal.aborted || e instanceof Refusal) return undefined;
        throw e;
      }
    },
    [op, input],
  );
  return {
    items,
    waiting: data === undefined && !error,
    whole: !hasNextPage,
    refusal: error instanceof Refusal ? error : undefined,
    more: can ? () => void fetchNextPage() : undefined,
    again: () => void refetch(),
    all,
    stop: () => stopped.current?.abort(),
  };
}

/** What a loader fetches the first page of a list with. */
export type AskRows = <I extends { query?: object }, R>(op: ListOp<I, R>, input: I) => Promise<unknown>;
export const askRowsWith =
  (queries: QueryClient): AskRows =>
  (op, input) =>
    queries.ensureInfiniteQueryData(rowsQuestion(op, input));
