import { z } from 'zod';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { idOf, inOrg } from '#org/org.http.ts';
import { createIdpSetupLink } from './create-idp-setup-link.ts';
import { LINK_DAYS, MAX_LINK_DAYS, noSuchLink, protocols, stateOf, tasks, type IdpSetupLink } from './link.ts';
import { listLinks } from './link.sql.ts';
import { providers } from './providers.ts';
import { revokeIdpSetupLink } from './revoke-idp-setup-link.ts';

const OrgPath = z.object({ org: z.string() });
const Time = z.iso.datetime({ offset: true });
const ids = providers.map((p) => p.id);

const ShownLink = z.object({
  id: z.string(),
  name: z.string(),
  tasks: z.array(z.enum(tasks)),
  state: z.enum(['live', 'expired', 'revoked']),
  activates: z.boolean(),
  allowPrivate: z.array(z.string()),
  provider: z.string().nullable(),
  protocol: z.enum(protocols).nullable(),
  connection: z.string().nullable(),
  directory: z.string().nullable(),
  domains: z.array(z.string()),
  createdBy: z.string(),
  createdAt: Time,
  expiresAt: Time,
  openedAt: Time.nullable(),
  revokedAt: Time.nullable(),
});
const NewLink = ShownLink.extend({ url: z.string().describe('To be sent to the person; it is shown this once.') });

const shown = (l: IdpSetupLink, now: Date): z.infer<typeof ShownLink> => ({
  ...l,
  state: stateOf(l, now),
  createdAt: l.createdAt.toISOString(),
  expiresAt: l.expiresAt.toISOString(),
  openedAt: l.openedAt?.toISOString() ?? null,
  revokedAt: l.revokedAt?.toISOString() ?? null,
});

/** What owners do with set-up links; door `/api`. */
export const idpSetupLinkOperations: readonly Operation[] = [
  operation({
    id: 'identity.create_idp_setup_link',
    at: 'POST /orgs/:org/idp-setup-links',
    can: 'sso.manage',
    says: 'Makes a link for whoever runs the identity provider and has no account here. The task directory needs directory.manage as well.',
    params: OrgPath,
    body: z.strictObject({
      name: z
        .string()
        .trim()
        .min(1)
        .max(100)
        .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'expected one line without control or invisible characters')
        .describe('For whom it is.'),
      tasks: z
        .array(z.enum(tasks))
        .min(1)
        .max(3)
        .default([...tasks]),
      days: z.number().int().min(1).max(MAX_LINK_DAYS).default(LINK_DAYS),
      provider: z
        .string()
        .refine((p) => ids.includes(p), `expected one of ${ids.join(', ')}`)
        .optional(),
      activates: z
        .boolean()
        .default(false)
        .describe('true: people can sign in at once through what is connected; false: an owner switches it on.'),
      allowPrivate: z
        .array(z.string().min(1).max(260))
        .max(10)
        .default([])
        .describe('Hosts (host or host:port) inside a private network that the identity provider may be at.'),
    }),
    reply: NewLink,
    status: 201,
    async handle(ctx, { body }) {
      const { link, url } = await createIdpSetupLink(inOrg(ctx), { ...body, provider: body.provider ?? null });
      return { ...shown(link, ctx.now), url };
    },
  }),
  operation({
    id: 'identity.list_idp_setup_links',
    at: 'GET /orgs/:org/idp-setup-links',
    can: 'sso.manage',
    says: 'Lists the set-up links of the organization, newest first, with what was made through each; q searches the name.',
    params: OrgPath,
    query: ListQuery,
    reply: listOf(ShownLink),
    async handle(ctx, { query }) {
      const { org } = inOrg(ctx);
      const rows = await ctx.db.read({ parent: ctx.parent }, (db) =>
        listLinks(db, org, { q: query.q, limit: query.limit, after: query.cursor }),
      );
      const found = listed(rows, query.limit, (l) => [l.id]);
      return { ...found, items: found.items.map((l) => shown(l, ctx.now)) };
    },
  }),
  operation({
    id: 'identity.revoke_idp_setup_link',
    at: 'DELETE /orgs/:org/idp-setup-links/:link',
    can: 'sso.manage',
    says: 'Takes a set-up link back at once. What was connected through it stays.',
    params: OrgPath.extend({ link: idOf('isl', noSuchLink) }),
    reply: z.undefined(),
    status: 204,
    async handle(ctx, { params }) {
      await revokeIdpSetupLink(inOrg(ctx), params.link);
      return undefined;
    },
  }),
];
