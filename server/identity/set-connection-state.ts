import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { identityEvents } from './identity.events.ts';
import { noSuchConnection, type SsoConnection } from './sso-connection.ts';
import { lockConnection, saveConnectionState } from './sso-connection.sql.ts';

/** Switches signing in through a connection off or on. Sessions that began there go on; their people are judged by their own state. */
export const setConnectionState = (ctx: Ctx, id: Id<'sso'>, state: SsoConnection['state']): Promise<SsoConnection> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    const connection = await lockConnection(tx, id);
    if (!connection) throw noSuchConnection();
    if ((await saveConnectionState(tx, id, state)) === 0) return { value: connection, unchanged: true };
    const type = state === 'disabled' ? 'sso.connection_disabled' : 'sso.connection_enabled';
    return { value: { ...connection, state }, events: [event(identityEvents, type, { connection: id })] };
  });
