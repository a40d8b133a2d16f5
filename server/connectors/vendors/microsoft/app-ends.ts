import { z } from 'zod';
import type { AppEnd, Manifest } from '../../kit/manifest.ts';
import { segment } from '../../kit/vendor-path.ts';

const Credential = z.object({
  keyId: z.string().nullish(),
  displayName: z.string().nullish(),
  endDateTime: z.string().nullish(),
});
const Application = z.object({
  passwordCredentials: z.array(Credential).nullish(),
  keyCredentials: z.array(Credential).nullish(),
});

/** When secrets and certificates of the app registration end, if the app may read applications (`Application.Read.All`, or its own by ownership). */
export const entraAppEnds: NonNullable<Manifest['appEnds']> = async (vendor, clientId) => {
  const answer = await vendor.send({
    method: 'GET',
    path: `/v1.0/applications(appId='${segment(clientId.replaceAll("'", ''))}')`,
    query: { $select: 'passwordCredentials,keyCredentials' },
    takes: [403, 404],
  });
  if (answer.status !== 200) return undefined;
  const app = Application.parse(answer.json());
  return [...ends('secret', app.passwordCredentials), ...ends('certificate', app.keyCredentials)];
};

const ends = (kind: AppEnd['kind'], list: z.infer<typeof Credential>[] | null | undefined): AppEnd[] =>
  (list ?? []).flatMap((c) => {
    const at = new Date(c.endDateTime ?? Number.NaN);
    return Number.isNaN(at.getTime()) ? [] : [{ kind, name: c.displayName ?? c.keyId ?? kind, ends: at }];
  });
