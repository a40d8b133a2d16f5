import { change } from '#audit/change.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import { Problem } from '#kernel/problem.ts';
import { lookupMetadataDue } from './connection.sql.ts';
import { refreshMetadata } from './refresh-metadata.ts';
import { deleteOld, lookupSamlParents } from './state.sql.ts';
import { warnCertificates, type TellEnding } from './warn-certificates.ts';

/** Metadata is asked for again after six hours: an identity provider publishes its next key days before it signs with it. */
export const METADATA_MAX_AGE_MS = 6 * 3_600_000;

/** Keeps SAML connections fresh: metadata, warnings of certificates that end, and what has run out. */
export const samlJob = (world: World, tell: TellEnding): Job => ({
  name: 'identity.saml',
  cron: '17 * * * *',
  async run() {
    const now = world.now();
    const due = await world.db.lookup(lookupMetadataDue(new Date(now.getTime() - METADATA_MAX_AGE_MS)));
    for (const { parent, connection } of due?.due ?? [])
      try {
        await refreshMetadata(systemCtx(world, 'identity.saml_metadata', { parent }), connection);
      } catch (e) {
        if (!(e instanceof Problem)) throw e;
        world.log.warn({ connection, code: e.code }, 'metadata of an identity provider could not be refreshed');
      }
    await warnCertificates(world, tell);
    const parents = await world.db.lookup(lookupSamlParents());
    for (const parent of parents?.parents ?? [])
      await change(systemCtx(world, 'identity.saml_sweep', { parent }), async (tx) => {
        await deleteOld(tx, now);
        return { value: undefined, unchanged: true };
      });
  },
});
