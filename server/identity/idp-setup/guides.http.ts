import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { findDirectory } from '#directory/directory.sql.ts';
import { noDirectory } from '#directory/no-directory.ts';
import { inOrg } from '#org/org.http.ts';
import { ours, ourValues, providers, type Paste, type SignInWay, type Way } from './providers.ts';

const Claim = z.object({ name: z.string(), from: z.string() });
const ShownWay = z.object({
  begin: z.array(z.string()),
  paste: z.array(
    z.object({
      field: z.string().describe('As it is called there.'),
      /** Null: it is known once there is a directory, or is shown when it is made. */
      value: z.string().nullable(),
      ours: z.enum(ours).nullable(),
    }),
  ),
  finish: z.array(z.string()),
  claims: z.array(Claim),
});
const asked = ['issuer', 'client_id', 'client_secret', 'hosted_domains', 'tenant', 'metadata'] as const;
const ShownSignIn = ShownWay.extend({
  bring: z.array(
    z.object({ asked: z.enum(asked), field: z.string(), like: z.string().nullable(), optional: z.boolean() }),
  ),
});
const ShownGuide = z.object({
  id: z.string(),
  name: z.string(),
  oidc: ShownSignIn,
  saml: ShownSignIn,
  scim: ShownWay.nullable(),
  /** Where it cannot push people and groups: why, and what to do instead. */
  withoutScim: z.object({ none: z.string(), instead: z.string() }).nullable(),
});

type Values = ReturnType<typeof ourValues>;
const valueOf = (p: Paste, values: Values): string | null =>
  'text' in p ? p.text : p.ours === 'scim_token' ? null : (values[p.ours] ?? null);
const shownWay = (w: Way, values: Values): z.infer<typeof ShownWay> => ({
  begin: [...w.begin],
  paste: w.paste.map((p) => ({ field: p.field, value: valueOf(p, values), ours: 'ours' in p ? p.ours : null })),
  finish: [...w.finish],
  claims: [...w.claims],
});
const shownSignIn = (w: SignInWay, values: Values): z.infer<typeof ShownSignIn> => ({
  ...shownWay(w, values),
  bring: w.bring.map((b) => ({ asked: b.asked, field: b.field, like: b.like ?? null, optional: b.optional ?? false })),
});

/** What is entered at each identity provider and brought back from there; door `/api`. */
export const idpGuideOperations: readonly Operation[] = [
  operation({
    id: 'identity.list_idp_guides',
    at: 'GET /orgs/:org/idp-guides',
    can: 'sso.manage',
    says: 'Lists the identity providers that we have a guide for: the steps there, our values to paste, and what to bring back.',
    params: z.object({ org: z.string() }),
    query: z.object({ directory: z.string().max(60).optional().describe('Whose SCIM address is meant.') }),
    reply: z.object({ items: z.array(ShownGuide) }),
    async handle(c, { query }) {
      const ctx = inOrg(c);
      let directory: Id<'dir'> | undefined;
      if (query.directory !== undefined) {
        const wanted = parseId('dir', query.directory);
        const found = wanted && (await ctx.db.read(scopeOf(ctx), (db) => findDirectory(db, wanted)));
        if (!found) throw noDirectory(query.directory);
        directory = found.id;
      }
      const values = ourValues({ origin: ctx.origin, org: ctx.org, directory });
      return {
        items: providers.map((p) => ({
          id: p.id,
          name: p.name,
          oidc: shownSignIn(p.oidc, values),
          saml: shownSignIn(p.saml, values),
          scim: 'none' in p.scim ? null : shownWay(p.scim, values),
          withoutScim: 'none' in p.scim ? p.scim : null,
        })),
      };
    },
  }),
];
