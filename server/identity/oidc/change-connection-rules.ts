import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { refuseNoPar } from '../create-connection.ts';
import { noSuchConnection, type SsoConnection } from '../sso-connection.ts';
import { lockConnection, saveConnectionRules } from '../sso-connection.sql.ts';
import { idJagTaken } from './id-jag.sql.ts';
import { oidcEvents } from './oidc.events.ts';
import { issuerOf } from './tenant.ts';

/** Changes whom of a provider's accounts a connection lets in, whether it pushes its requests, and whether its word gives agents tokens. */
export const changeConnectionRules = (
  ctx: Ctx,
  id: Id<'sso'>,
  wanted: Partial<Pick<SsoConnection, 'hostedDomains' | 'tenants' | 'par' | 'idJag'>>,
): Promise<SsoConnection> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    const before = await lockConnection(tx, id);
    if (!before) throw noSuchConnection();
    const next: SsoConnection = { ...before, ...wanted };
    // What must be named when connecting cannot be taken away afterwards.
    issuerOf(next);
    refuseNoPar(next.par, next.discovery);
    if (next.idJag !== 'off' && (await idJagTaken(tx, id)).taken)
      throw new Problem('conflict', 'identity/id-jag-issuer-taken', {
        says: `another connection takes the assertions of ${before.issuer} already, and only one can`,
        fix: 'switch it off there first; if it is not yours, ask whoever runs this server',
      });
    if ((await saveConnectionRules(tx, id, next)) === 0) return { value: next, unchanged: true };
    const { hostedDomains, tenants, par, idJag } = next;
    const rules = event(oidcEvents, 'sso.connection_changed', {
      connection: id,
      hostedDomains: hostedDomains.length,
      tenants: tenants.length,
      par,
    });
    const vouching = event(oidcEvents, 'sso.id_jag_changed', { connection: id, idJag, was: before.idJag });
    if (idJag === before.idJag) return { value: next, events: [rules] };
    const { idJag: _switch, ...others } = wanted;
    return { value: next, events: Object.keys(others).length > 0 ? [rules, vouching] : [vouching] };
  });
