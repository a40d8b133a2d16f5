import { z } from 'zod';
import type { Ctx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, page, type Operation } from '#kernel/operation.ts';
import { memberRoles } from '#org/member.ts';
import { addDomain } from './add-domain.ts';
import { checkDomain } from './check-domain.ts';
import { domainStates, noSuchDomain, type Domain } from './domain.ts';
import { findDomain, listDomains } from './domain.sql.ts';
import { listEvidence } from './evidence.sql.ts';
import { exportMemberships } from './export-memberships.ts';
import type { Herald } from './herald.ts';
import { listMemberships, type LastSignIns } from './list-memberships.ts';
import { removeDomain } from './remove-domain.ts';
import { setSubdomains } from './set-subdomains.ts';
import { ShownDomain, shownDomain } from './shown-domain.ts';

/** What stands above this room: who carries news, and when people signed in. */
export type Upstairs = { herald: Herald; lastSignIns: LastSignIns };

const Time = z.iso.datetime({ offset: true });
const domainId = (text: string): Id<'dom'> => {
  const id = parseId('dom', text);
  if (!id) throw noSuchDomain();
  return id;
};
const OrgPath = z.object({ org: z.string() });
const DomainPath = OrgPath.extend({ domain: z.string().transform(domainId) });

/** Domains are the parent's: the organization in the path says who asks, not whose they are. */
const ofParent = (ctx: Ctx) => ({ parent: ctx.parent });

async function domainOf(ctx: Ctx, id: Id<'dom'>): Promise<Domain> {
  const found = await ctx.db.read(ofParent(ctx), (db) => findDomain(db, id));
  if (!found) throw noSuchDomain();
  return found;
}

const ShownEvidence = z.object({
  number: z.number().int(),
  at: Time,
  role: z.enum(['authoritative', 'recursive']),
  resolver: z.string(),
  record: z.string(),
  rcode: z.string(),
  answer: z.array(z.string()),
  ttl: z.number().int().nullable(),
  verdict: z.string(),
});

const ShownMembership = z.object({
  user: z.string(),
  email: z.string(),
  displayName: z.string(),
  domain: z.string(),
  state: z.enum(['active', 'suspended']),
  origin: z.enum(['local', 'directory', 'sign_in']),
  orgs: z.array(z.object({ org: z.string(), name: z.string(), role: z.enum(memberRoles) })),
  lastSignIn: z.object({ at: Time, method: z.string() }).nullable(),
});

const utf8 = new TextEncoder();

/** Domains of the parent and who is in them, under `/api`. */
export const domainOperations = (upstairs: Upstairs): Operation[] => [
  operation({
    id: 'domains.list_domains',
    at: 'GET /orgs/:org/domains',
    can: 'member.read',
    says: "Lists the parent's domains with the record that each needs, how it stands and why; q searches the name.",
    params: OrgPath,
    query: ListQuery.extend({ state: z.enum(domainStates).optional() }),
    reply: listOf(ShownDomain),
    async handle(ctx, { query }) {
      const rows = await ctx.db.read(ofParent(ctx), (db) => listDomains(db, { ...query, after: query.cursor }));
      const found = listed(rows, query.limit, (d) => [d.name]);
      return { ...found, items: found.items.map((d) => shownDomain(d)) };
    },
  }),
  operation({
    id: 'domains.add_domain',
    at: 'POST /orgs/:org/domains',
    can: 'sso.manage',
    says: 'Adds a domain; the answer has the TXT record that proves it. It is checked by itself from then on.',
    params: OrgPath,
    body: z.strictObject({ domain: z.string().min(1).max(1000), includeSubdomains: z.boolean().default(false) }),
    reply: ShownDomain,
    status: 201,
    headers: (d, ctx) => ({ location: `/api/orgs/${ctx.org}/domains/${d.id}` }),
    handle: async (ctx, { body }) => shownDomain(await addDomain(ctx, body)),
  }),
  operation({
    id: 'domains.list_memberships',
    at: 'GET /orgs/:org/domain-memberships',
    can: 'sso.manage',
    says: 'Lists every account under the verified domains, in all organizations of the parent, with role, last sign-in and method; q searches e-mail and name.',
    params: OrgPath,
    query: ListQuery.extend({ domain: z.string().transform(domainId).optional() }),
    reply: listOf(ShownMembership),
    async handle(ctx, { query }) {
      const { cursor: after, ...filter } = query;
      const found = await listMemberships(ctx, upstairs.lastSignIns, { ...filter, after });
      return {
        next: found.next,
        items: found.items.map((m) => ({
          ...m,
          lastSignIn: m.lastSignIn ? { at: m.lastSignIn.at.toISOString(), method: m.lastSignIn.method } : null,
        })),
      };
    },
  }),
  page({
    id: 'domains.export_memberships',
    at: 'GET /orgs/:org/domain-memberships/export',
    can: 'sso.manage',
    says: 'All of it as CSV (one line per account and organization) or JSON. Leaves an event.',
    discloses: true,
    params: OrgPath,
    query: z.strictObject({ format: z.enum(['csv', 'json']).default('csv') }),
    async handle(ctx, { query: { format } }) {
      const lines = await exportMemberships(ctx, upstairs.lastSignIns, format);
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const next = await lines.next();
          if (next.done) controller.close();
          else controller.enqueue(utf8.encode(next.value));
        },
        async cancel() {
          await lines.return(undefined);
        },
      });
      return new Response(body, {
        headers: {
          'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json',
          'content-disposition': `attachment; filename="domain-memberships.${format}"`,
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
        },
      });
    },
  }),
  operation({
    id: 'domains.read_domain',
    at: 'GET /orgs/:org/domains/:domain',
    can: 'member.read',
    says: 'Shows one domain.',
    params: DomainPath,
    reply: ShownDomain,
    handle: async (ctx, { params }) => shownDomain(await domainOf(ctx, params.domain)),
  }),
  operation({
    id: 'domains.check_domain',
    at: 'POST /orgs/:org/domains/:domain/check',
    can: 'sso.manage',
    says: 'Looks the record up now, at the name servers of the zone and at the resolvers, and shows what came of it.',
    params: DomainPath,
    reply: ShownDomain,
    async handle(ctx, { params }) {
      const { domain } = await checkDomain(ctx, upstairs.herald, params.domain, true);
      return shownDomain(domain);
    },
  }),
  operation({
    id: 'domains.list_evidence',
    at: 'GET /orgs/:org/domains/:domain/checks',
    can: 'member.read',
    says: 'What each server said in the last checks, newest first.',
    params: DomainPath,
    query: ListQuery.omit({ q: true }),
    reply: listOf(ShownEvidence),
    async handle(ctx, { params, query }) {
      await domainOf(ctx, params.domain);
      const rows = await ctx.db.read(ofParent(ctx), (db) =>
        listEvidence(db, params.domain, { after: query.cursor, limit: query.limit }),
      );
      const found = listed(rows, query.limit, (r) => [String(r.number), String(r.n)]);
      return { ...found, items: found.items.map((r) => ({ ...r, at: r.at.toISOString() })) };
    },
  }),
  operation({
    id: 'domains.change_domain',
    at: 'PATCH /orgs/:org/domains/:domain',
    can: 'sso.manage',
    says: 'Lets a domain speak for its subdomains, or for itself only.',
    params: DomainPath,
    body: z.strictObject({ includeSubdomains: z.boolean() }),
    reply: ShownDomain,
    async handle(ctx, { params, body }) {
      return shownDomain(await setSubdomains(ctx, params.domain, body.includeSubdomains));
    },
  }),
  operation({
    id: 'domains.remove_domain',
    at: 'DELETE /orgs/:org/domains/:domain',
    can: 'sso.manage',
    says: 'Gives a domain up. Accounts stay as they are.',
    params: DomainPath,
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params }) => removeDomain(ctx, params.domain),
  }),
];
