import { z } from 'zod';
import type { Manifest } from '#connectors/kit/manifest.ts';
import type { OAuthFacts } from '#vault/oauth-facts.ts';
import { GrantRefused } from '#vault/organization-grant.ts';
import { Secret } from '#kernel/secret.ts';
import type { PlainOptions } from './plain-vendor.ts';

const Fields = z.strictObject({
  client_id: z.string().min(1).describe('The client id of the service account'),
  client_secret: z.string().min(1).describe('Its secret'),
});
const Me = z.object({ id: z.string(), email: z.string().optional(), tenant: z.string().optional() });

/** The kind of system that `plainVendor` is. */
export const plainManifest = (o: PlainOptions = {}, lifetimes: Partial<OAuthFacts['lifetimes']> = {}): Manifest => ({
  type: 'plain',
  name: 'Plain',
  says: 'A vendor with nothing particular.',
  origins: { login: 'https://login.plain.example', api: 'https://api.plain.example' },
  settings: z.strictObject({ tenant: z.string() }),
  oauth: {
    authorize: '{login}/authorize',
    token: '{login}/token',
    revoke: { url: '{login}/revoke', how: 'rfc7009' },
    scopes: { read_only: ['me', 'read', 'offline'], read_write: ['me', 'read', 'write', 'offline'] },
    clientAuth: o.clientAuth ?? 'client_secret_post',
    ...(o.json ? { tokenBody: 'json' } : {}),
    ...(o.iss ? { issuer: '{login}' } : {}),
    lifetimes: { rotation: o.rotation ?? 'same', ...lifetimes },
  },
  organization: [
    {
      kind: 'service_account',
      name: 'Service account',
      fields: Fields,
      shown: (f) => ({ client_id: String(f['client_id']) }),
      actsAs: ['organization', 'organization_as_person'],
      async mint(m) {
        const f = Fields.parse(m.fields);
        const r = await m.fetch(`${m.origin('login')}/token`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({
            grant_type: 'client_credentials',
            ...f,
            ...(m.subject === undefined ? {} : { subject: m.subject }),
          }).toString(),
        });
        if (r.status === 401) throw new GrantRefused('app', `the secret ${f.client_secret} is not accepted`);
        if (r.status !== 200) throw new GrantRefused('later', `status ${r.status}`);
        const t = z.object({ access_token: z.string(), expires_in: z.number() }).parse(await r.json());
        return { token: new Secret(t.access_token), expiresIn: t.expires_in };
      },
    },
  ],
  async whoami(vendor) {
    const me = Me.parse((await vendor.send({ method: 'GET', path: '/me' })).json());
    return {
      subject: me.id,
      label: me.email ?? me.id,
      ...(me.email === undefined ? {} : { email: me.email }),
      ...(me.tenant ? { tenant: me.tenant } : {}),
    };
  },
  foreign: (account, settings) =>
    account.tenant === undefined
      ? 'this is a personal account'
      : account.tenant === settings['tenant']
        ? undefined
        : `this account belongs to ${account.tenant}`,
});
