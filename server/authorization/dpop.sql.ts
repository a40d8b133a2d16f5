import { z } from 'zod';
import { read, type Query } from '#kernel/db.ts';

/** One statement that remembers a proof and says whether it is new; the definer function may do this and no more (0006-authorization.sql). */
export const claimProof = (hash: string, at: Date, until: Date): Query<{ fresh: boolean }> =>
  read(z.object({ fresh: z.boolean() }))`select claim_dpop_proof(${hash}, ${at}, ${until}) as fresh`;
