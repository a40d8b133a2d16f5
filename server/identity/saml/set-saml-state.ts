import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { identityEvents } from '../identity.events.ts';
import { noSuchConnection } from '../sso-connection.ts';
import type { SamlConnection } from './connection.ts';
import { lockSamlConnection, saveSamlConnection } from './connection.sql.ts';

/** Switches signing in through a connection off or on. Sessions that began there go on. */
export const setSamlState = (ctx: Ctx, id: Id<'sso'>, state: SamlConnection['state']): Promise<SamlConnection> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    const before = await lockSamlConnection(tx, id);
    if (!before) throw noSuchConnection();
    if (before.state === state) return { value: before, unchanged: true };
    const after: SamlConnection = { ...before, state };
    await saveSamlConnection(tx, after);
    const type = state === 'disabled' ? 'sso.connection_disabled' : 'sso.connection_enabled';
    return { value: after, events: [event(identityEvents, type, { connection: id })] };
  });
