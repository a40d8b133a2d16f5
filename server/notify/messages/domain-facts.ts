import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import type { Letter } from '../letter.ts';

/** What every message about a domain holds. */
export const aboutDomain = z.object({ domain: z.custom<Id<'dom'>>((v) => typeof v === 'string') });

export const lookAtDomain = (org: string, id: Id<'dom'>): Letter['look'] => ({
  label: 'Look at the domain',
  path: `/api/orgs/${org}/domains/${id}`,
});

/** A repair as a sentence. */
export const todo = (fix: string | null): string[] => (fix === null ? [] : [`What to do: ${fix}.`]);
