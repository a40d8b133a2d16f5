import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { idpSetupEvents } from './idp-setup.events.ts';
import { badField, noSuchLink, protocols, type Protocol } from './link.ts';
import { lockLink, saveProvider } from './link.sql.ts';
import type { Visit } from './open-idp-setup-link.ts';
import { findProvider } from './providers.ts';

/** The holder says which identity provider it is and, where sign-in is set up, over which protocol. Both can be chosen again. */
export async function chooseProvider(
  visit: Visit,
  said: { provider: string | undefined; protocol: string | undefined },
  offered: readonly Protocol[],
): Promise<void> {
  const provider = findProvider(said.provider ?? null);
  if (!provider)
    throw badField('no identity provider was chosen', 'choose yours; if it is not in the list, choose the last one');
  const needed = visit.link.tasks.includes('sign_in');
  const protocol = protocols.find((p) => p === said.protocol && offered.includes(p)) ?? null;
  if (needed && !protocol)
    throw badField('no protocol was chosen', `choose one of ${offered.map((p) => protocolName[p]).join(', ')}`);
  await change({ ...visit.ctx, org: undefined }, async (tx) => {
    const link = await lockLink(tx, visit.link.org, visit.link.id);
    if (!link) throw noSuchLink();
    if (link.provider === provider.id && link.protocol === protocol) return { value: undefined, unchanged: true };
    if (link.connection && link.protocol !== protocol)
      throw badField(
        `sign-in is connected over ${protocolName[link.protocol ?? 'oidc']} already`,
        `keep ${protocolName[link.protocol ?? 'oidc']}, or begin sign-in again on its page first`,
      );
    await saveProvider(tx, link.id, provider.id, protocol);
    return {
      value: undefined,
      events: [event(idpSetupEvents, 'idp_setup.provider_chosen', { link: link.id, provider: provider.id, protocol })],
    };
  });
}

export const protocolName: Record<Protocol, string> = { oidc: 'OpenID Connect', saml: 'SAML 2.0' };
