import { Refusal, type Op } from '@gatehouse/client/call.ts';
import { useQuery } from '@tanstack/react-query';
import { question } from '../../kit/ask.ts';

/** What may not be there: absent is an answer, and not a page that failed. */
export function useMaybe<I, O>(
  op: Op<I, O>,
  input: I,
): { data: O | undefined; waiting: boolean; refusal: Refusal | undefined } {
  const { data, error, isPending } = useQuery(question(op, input));
  const gone = error instanceof Refusal && error.status === 404;
  return {
    data: error ? undefined : data,
    waiting: isPending,
    refusal: error instanceof Refusal && !gone ? error : undefined,
  };
}
