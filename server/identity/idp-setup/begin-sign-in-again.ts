import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { setSamlState } from '../saml/set-saml-state.ts';
import { setConnectionState } from '../set-connection-state.ts';
import { idpSetupEvents } from './idp-setup.events.ts';
import { noSuchLink } from './link.ts';
import { lockLink, saveConnectionOfLink } from './link.sql.ts';
import type { Visit } from './open-idp-setup-link.ts';

/** Leaves the connection that was made switched off behind, so that another can be made in its place. */
export async function beginSignInAgain({ ctx, link }: Visit): Promise<void> {
  const { connection } = link;
  if (!connection) return;
  if (link.protocol === 'saml') await setSamlState(ctx, connection, 'disabled');
  else await setConnectionState(ctx, connection, 'disabled');
  await change({ ...ctx, org: undefined }, async (tx) => {
    if (!(await lockLink(tx, link.org, link.id))) throw noSuchLink();
    await saveConnectionOfLink(tx, link.id, null);
    return {
      value: undefined,
      events: [event(idpSetupEvents, 'idp_setup.connection_dropped', { link: link.id, connection })],
    };
  });
}
