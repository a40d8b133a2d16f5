import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { noSuchConnection } from '../sso-connection.ts';
import { refuseEndlessSha1, type SamlConnection, type SamlSettings } from './connection.ts';
import { lockSamlConnection, saveSamlConnection } from './connection.sql.ts';
import { samlEvents } from './saml.events.ts';

export type SamlEdits = Partial<SamlSettings> & { name?: string; matchDirectory?: boolean };

/** Changes what a connection's owner decides; the log names what changed, not to what. */
export function changeSamlConnection(ctx: Ctx, id: Id<'sso'>, edits: SamlEdits): Promise<SamlConnection> {
  refuseEndlessSha1(edits.sha1Until, ctx.now);
  return change({ ...ctx, org: undefined }, async (tx) => {
    const before = await lockSamlConnection(tx, id);
    if (!before) throw noSuchConnection();
    const after: SamlConnection = { ...before, ...edits };
    const changed = Object.keys(edits).filter(
      (k) => JSON.stringify(Reflect.get(before, k)) !== JSON.stringify(Reflect.get(after, k)),
    );
    if (changed.length === 0) return { value: before, unchanged: true };
    await saveSamlConnection(tx, after);
    return { value: after, events: [event(samlEvents, 'sso.saml_settings_changed', { connection: id, changed })] };
  });
}
