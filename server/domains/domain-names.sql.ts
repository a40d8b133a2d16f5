import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import { domainStates } from './domain.ts';

/** Every domain of the parent with its state, for comparing two parents. */
export const listDomainNames = (db: Reader): Promise<{ domain: string; state: string }[]> =>
  db.many(read(z.object({ domain: z.string(), state: z.enum(domainStates) }))`
  select name as domain, state from domain where parent = app_parent() order by name`);
