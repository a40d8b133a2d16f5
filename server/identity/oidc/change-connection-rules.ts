import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { refuseNoPar } from '../create-connection.ts';
import { noSuchConnection, type SsoConnection } from '../sso-connection.ts';
import { lockConnection, saveConnectionRules } from '../sso-connection.sql.ts';
import { oidcEvents } from './oidc.events.ts';
import { issuerOf } from './tenant.ts';

/** Changes whom of a provider's accounts a connection lets in, and whether it pushes its requests. */
export const changeConnectionRules = (
  ctx: Ctx,
  id: Id<'sso'>,
  wanted: Partial<Pick<SsoConnection, 'hostedDomains' | 'tenants' | 'par'>>,
): Promise<SsoConnection> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    const before = await lockConnection(tx, id);
    if (!before) throw noSuchConnection();
    const next: SsoConnection = { ...before, ...wanted };
    // What must be named when connecting cannot be taken away afterwards.
    issuerOf(next);
    refuseNoPar(next.par, next.discovery);
    if ((await saveConnectionRules(tx, id, next)) === 0) return { value: next, unchanged: true };
    return {
      value: next,
      events: [
        event(oidcEvents, 'sso.connection_changed', {
          connection: id,
          hostedDomains: next.hostedDomains.length,
          tenants: next.tenants.length,
          par: next.par,
        }),
      ],
    };
  });
