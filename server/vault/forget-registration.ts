import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { ConnectorApp } from './connector-app.ts';
import { deleteRegistration } from './connector-app.sql.ts';
import { vaultEvents } from './vault.events.ts';

/** Forgets a registration of ours that the authorization server does not know any more; the next consent registers anew. False: there was none of ours. */
export async function forgetRegistration(
  ctx: OrgCtx,
  app: Pick<ConnectorApp, 'connector' | 'generation' | 'way'> | undefined,
): Promise<boolean> {
  if (app?.way !== 'registered') return false;
  const { connector, generation } = app;
  await change(ctx, async (tx) =>
    (await deleteRegistration(tx, connector, generation)) === 0
      ? { value: undefined, unchanged: true }
      : { value: undefined, events: [event(vaultEvents, 'connector_app.removed', { connector })] },
  );
  return true;
}
