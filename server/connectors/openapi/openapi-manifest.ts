import { z } from 'zod';
import type { Settings } from '#vault/vendor-auth.ts';
import type { Manifest } from '../kit/manifest.ts';
import { segments } from '../kit/vendor-path.ts';
import { isRecord } from '../tool.ts';
import { Auth, fitsHeader, grantsOf, oauthOf, presentingOf } from './auth.ts';

/** The type of a connector whose tools are operations of an OpenAPI document. */
export const OPENAPI = 'openapi';

const OpenApiSettings = z
  .strictObject({
    /** What the document calls the service. */
    title: z.string().min(1).max(200),
    auth: Auth,
    /** A path that says whose account a credential is, asked with GET: `/me`. */
    whoami: z
      .string()
      .max(300)
      .regex(/^(\/[A-Za-z0-9._~-]+)+$/, 'a path like /users/me')
      .optional(),
  })
  .refine((s) => fitsHeader(s.auth), { path: ['auth', 'name'], message: 'no credential is sent in this header' })
  .refine((s) => s.auth.kind !== 'oauth2' || s.whoami !== undefined, {
    path: ['whoami'],
    message: 'where persons connect their own accounts, something must say whose account it is: a path like /users/me',
  });
export type OpenApiSettings = z.infer<typeof OpenApiSettings>;

/** What is particular about one imported service. It follows from the connector's settings; its tools are in the database (operation.sql.ts). */
export function openApiManifest(settings: Settings): Manifest | undefined {
  const read = OpenApiSettings.safeParse(settings);
  if (!read.success) return undefined;
  const { auth, title, whoami } = read.data;
  const oauth = oauthOf(auth);
  const withToken = auth.kind === 'oauth2' || auth.kind === 'client_credentials';
  return {
    type: OPENAPI,
    name: title,
    says: 'A REST service that was imported by its OpenAPI document.',
    // All of them are the connector's own; where one is missing, nothing is reached.
    origins: { api: '', ...(withToken ? { token: '' } : {}), ...(oauth ? { authorize: '' } : {}) },
    settings: OpenApiSettings,
    present: presentingOf(auth),
    echoes: true,
    ...(auth.kind === 'none' ? { open: true } : {}),
    ...(oauth ? { oauth } : {}),
    organization: grantsOf(auth),
    builtin: { version: '1', tools: [] },
    async whoami(vendor) {
      // Nothing that a document says tells whose a key is; then it is the organization's, and nobody claims more.
      if (whoami === undefined) return { subject: 'organization', label: title };
      const me = (await vendor.send({ method: 'GET', path: `/${segments(whoami)}` })).json();
      const said = (names: readonly string[]): string | undefined => {
        for (const n of names) {
          const v = isRecord(me) && Object.hasOwn(me, n) ? me[n] : undefined;
          if ((typeof v === 'string' && v !== '') || typeof v === 'number') return String(v).slice(0, 300);
        }
        return undefined;
      };
      const email = said(['email', 'mail', 'userPrincipalName']);
      const subject = said(['sub', 'id', 'uid', 'user_id', 'userId', 'uuid', 'login', 'username']) ?? email;
      if (subject === undefined) throw new TypeError('no member that says who it is');
      return {
        subject,
        label: email ?? said(['name', 'displayName', 'login', 'username']) ?? subject,
        ...(email === undefined ? {} : { email }),
      };
    },
  };
}
