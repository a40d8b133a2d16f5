import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { memberRoles } from '#org/member.ts';
import { inOrg } from '#org/org.http.ts';
import type { Admission } from './admission.ts';
import { adoptPeople } from './adopt-people.ts';
import { MAX_MATCHES } from './adoption.ts';
import { findDirectory } from './directory.sql.ts';
import { directoryId } from './journal.http.ts';
import { noDirectory } from './no-directory.ts';
import { planAdoption } from './plan-adoption.ts';
import { settleHeld } from './settle-held.ts';

const OfDirectory = z.object({ org: z.string(), directory: z.string() });
const MatchReply = z.object({
  entry: z.string(),
  userName: z.string(),
  user: z.string(),
  email: z.string(),
  displayName: z.string(),
  state: z.enum(['active', 'suspended']),
  roles: z.array(z.object({ org: z.string(), role: z.enum(memberRoles) })),
  by: z.enum(['external_id', 'email']),
  was: z.enum(['local_user', 'address_in_use', 'no_address', 'domain_held']),
  becomes: z.object({ email: z.string(), displayName: z.string(), suspended: z.boolean() }),
  primaryOwner: z.boolean(),
});
const entries = z.array(z.string().max(60)).max(MAX_MATCHES);

/** Bringing together people who are here already and what a directory says of them; door `/api`. */
export const adoptionOperations = (admission: Admission): readonly Operation[] => [
  operation({
    id: 'directory.plan_adoption',
    at: 'GET /orgs/:org/directories/:directory/adoption',
    can: 'directory.manage',
    says: 'Which accounts would become the directory’s, and what would change about them. Changes nothing.',
    params: OfDirectory,
    reply: z.object({ hash: z.string(), matches: z.array(MatchReply), more: z.boolean() }),
    async handle(ctx, { params }) {
      const id = directoryId(params.directory);
      const plan = await ctx.db.read(scopeOf(ctx), async (db) => {
        const directory = await findDirectory(db, id);
        if (!directory) throw noDirectory(id);
        return planAdoption(db, directory);
      });
      return { ...plan, matches: plan.matches.map((m) => ({ ...m, roles: [...m.roles] })) };
    },
  }),
  operation({
    id: 'directory.adopt_people',
    at: 'POST /orgs/:org/directories/:directory/adoption',
    can: 'directory.manage',
    says: 'Puts the accounts of a plan under the directory, all or none, if the plan is still true.',
    params: OfDirectory,
    body: z.strictObject({
      hash: z.string().length(64),
      take: z.union([z.literal('all'), entries]).describe('Entries of the plan, or all but primary owners.'),
      primaryOwners: entries
        .default([])
        .describe('Entries whose account is a primary owner’s, to be taken nonetheless.'),
    }),
    reply: z.object({ adopted: z.number() }),
    handle: (ctx, { params, body }) => adoptPeople(inOrg(ctx), admission, directoryId(params.directory), body),
  }),
  operation({
    id: 'directory.settle_held',
    at: 'POST /orgs/:org/directories/:directory/held',
    can: 'directory.manage',
    says: 'Gives accounts to people who were held because of their domain and no longer need to be. Call it until nothing is left.',
    params: OfDirectory,
    body: z.strictObject({}),
    reply: z.object({ settled: z.number(), left: z.boolean() }),
    handle: (ctx, { params }) => settleHeld(inOrg(ctx), admission, directoryId(params.directory)),
  }),
];
