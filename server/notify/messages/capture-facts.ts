import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import type { Letter } from '../letter.ts';

/** What every message about a capture of a domain holds. */
export const aboutCapture = z.object({ capture: z.custom<Id<'cpt'>>((v) => typeof v === 'string') });

export const lookAtCaptures: Letter['look'] = { label: 'Look at what is asked of you', path: '/api/me/captures' };

/** What an account can choose, in one sentence. */
export const saysChoices = (org: string): string =>
  `You choose: your account joins “${org}” and keeps its other places, or it joins and starts fresh without them. Until you choose, your account stays as it is.`;
