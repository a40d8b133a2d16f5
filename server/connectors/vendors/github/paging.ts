import { z } from 'zod';

/** A page of a list at GitHub; the next one's number is in the answer where there is one. */
export const PageArg = z
  .number()
  .int()
  .min(1)
  .max(1000)
  .default(1)
  .describe('The page; an answer says the number of the next one');

export const nextLine = (next: number | undefined): string[] => (next === undefined ? [] : [`(more: page ${next})`]);
export const nextFact = (next: number | undefined): { next_page?: number } =>
  next === undefined ? {} : { next_page: next };
