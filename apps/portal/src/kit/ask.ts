import { call, Refusal, type Op } from '@gatehouse/client/call.ts';
import {
  QueryCache,
  QueryClient,
  queryOptions,
  useQueryClient,
  useSuspenseQuery,
  type UseSuspenseQueryOptions,
} from '@tanstack/react-query';
import { useCallback, useRef, useState } from 'react';

/** Whoever is signed out goes to sign in and comes back to where they were. */
function signInAgain(e: unknown): void {
  if (e instanceof Refusal && e.status === 401)
    location.assign(`/sign-in?return_to=${encodeURIComponent(location.pathname + location.search)}`);
}

/** What was asked is kept until the server says that it changed (live.ts); half a minute is for when it cannot. */
export const makeQueries = (): QueryClient =>
  new QueryClient({
    queryCache: new QueryCache({ onError: signInAgain }),
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: (times, e) => times < 2 && (!(e instanceof Refusal) || e.status === 0 || e.status >= 502),
      },
    },
  });

/** The question as TanStack Query has it. Its key begins with the room, so that a change of the room asks again. */
export const question = <I, O>(op: Op<I, O>, input: I) =>
  queryOptions<O>({
    queryKey: [op.room, op.id, input],
    queryFn: ({ signal }) => call(op, input, signal),
  });

/** The answer of an operation that only reads; the page waits until it is there, and is asked again when its room changes. */
export const useAsk = <I, O>(
  op: Op<I, O>,
  input: I,
  more: Omit<UseSuspenseQueryOptions<O>, 'queryKey' | 'queryFn'> = {},
): O => useSuspenseQuery<O>({ ...(question(op, input) as UseSuspenseQueryOptions<O>), ...more }).data;

/** What a loader asks with. */
export type Ask = <I, O>(op: Op<I, O>, input: I) => Promise<O>;
export const askWith =
  (queries: QueryClient): Ask =>
  (op, input) =>
    queries.ensureQueryData({ ...question(op, input), revalidateIfStale: true });

/**
 * An operation that a person starts. `run` gives the answer, or undefined when it was refused: the refusal is in `refusal` then. Where the
 * answer itself is nothing, `done` tells that it was not refused.
 */
export type Doing<I, O> = {
  run(input: I, done?: (answer: O) => void): Promise<O | undefined>;
  busy: boolean;
  refusal: Refusal | undefined;
  forget(): void;
};

/**
 * Does something, then asks again for what its room (and those in `also`) had told. One at a time: a second click changes nothing. `done` is
 * called when it was not refused, which an answer without content does not tell.
 */
export function useDo<I, O>(
  op: Op<I, O>,
  { also = [], done }: { also?: readonly string[]; done?: (answer: O) => void } = {},
): Doing<I, O> {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const running = useRef(false);
  const rooms = [op.room, ...also].join(' ');
  const after = useRef(done);
  after.current = done;
  const run = useCallback(
    async (input: I, then?: (answer: O) => void): Promise<O | undefined> => {
      if (running.current) return undefined;
      running.current = true;
      setBusy(true);
      setRefusal(undefined);
      try {
        const answer = await call(op, input);
        await Promise.all(rooms.split(' ').map((room) => queries.invalidateQueries({ queryKey: [room] })));
        (then ?? after.current)?.(answer);
        return answer;
      } catch (e) {
        signInAgain(e);
        if (!(e instanceof Refusal)) throw e;
        setRefusal(e);
        return undefined;
      } finally {
        running.current = false;
        setBusy(false);
      }
    },
    [op, queries, rooms],
  );
  return { run, busy, refusal, forget: useCallback(() => setRefusal(undefined), []) };
}
