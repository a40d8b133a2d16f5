import { z } from 'zod';
import type { Manifest } from '../../kit/manifest.ts';
import { segment } from '../../kit/vendor-path.ts';
import { SecretFields } from './app-only.ts';

const Application = z.object({
  passwordCredentials: z.array(z.object({ hint: z.string().nullish(), endDateTime: z.string().nullish() })).nullish(),
});

/** As many characters of a secret as Graph shows again. */
const HINT = 3;

/**
 * When a client secret ends, if the app may read its own registration (`Application.Read.All`, or `Application.ReadWrite.OwnedBy` as its owner).
 * Graph shows how each secret begins; of several that begin alike the first to end counts. A certificate says it itself.
 */
export const entraSecretEnds: NonNullable<Manifest['givenEnds']> = async (vendor, fields) => {
  const given = SecretFields.safeParse(fields);
  if (!given.success) return undefined;
  const answer = await vendor.send({
    method: 'GET',
    path: `/v1.0/applications(appId='${segment(given.data.client_id)}')`,
    query: { $select: 'passwordCredentials' },
    takes: [403, 404],
  });
  if (answer.status !== 200) return undefined;
  const hint = given.data.client_secret.slice(0, HINT);
  const ends = (Application.parse(answer.json()).passwordCredentials ?? [])
    .filter((c) => c.hint === hint)
    .map((c) => Date.parse(c.endDateTime ?? ''))
    .filter((at) => !Number.isNaN(at));
  return ends.length === 0 ? undefined : new Date(Math.min(...ends));
};
