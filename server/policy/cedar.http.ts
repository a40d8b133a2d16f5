import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { noCedar, type Catalogue } from './catalogue.ts';
import { changePolicies, type Changed } from './change-policies.ts';
import { checkCedar, MAX_CEDAR_LENGTH, remarksOnCedar, type ExpertPolicy } from './check-cedar.ts';
import { listCedar, type StoredCedar } from './content.sql.ts';
import { VersionShown } from './controls.http.ts';
import { InOrg, pathId, SaveCedarForm, sayingWhyQuery } from './forms.ts';
import { cedarSchema } from './schema.ts';

export const CheckedShown = z.object({
  /** Who evaluates it; `lacks` names what our compiler leaves to cedar-wasm. */
  engine: z.enum(['compiled', 'cedar-wasm']),
  lacks: z.string().optional(),
  /** What is odd in it, but right: a policy that can never apply, for one. */
  warnings: z.array(z.string()),
});
const CedarShown = CheckedShown.extend({
  /** Also the policy's id in every decision. */
  id: z.string(),
  name: z.string(),
  cedar: z.string(),
  setBy: z.string().optional(),
  setAt: z.string().optional(),
});
const shown = (p: ExpertPolicy | StoredCedar): z.input<typeof CedarShown> => ({
  id: p.id,
  name: p.name,
  cedar: p.cedar,
  ...checkCedar(p.cedar),
  ...('setBy' in p ? { setBy: p.setBy, setAt: p.setAt.toISOString() } : {}),
});
const Saved = CedarShown.extend({ version: VersionShown });
const saved = ({ content, about, version }: Changed): z.input<typeof Saved> => {
  const policy = content.cedar.find((p) => p.id === about);
  if (!policy) throw noCedar(String(about));
  return { ...shown(policy), version };
};

const policyPath = InOrg.extend({ policy: pathId('ced', noCedar) });

/** Policies that experts write in Cedar itself; they decide together with the rules and the controls. */
export const cedarOperations = (catalogue: Catalogue): Operation[] => [
  operation({
    id: 'policy.read_cedar_schema',
    at: 'GET /orgs/:org/policy/cedar/schema',
    can: 'policy.read',
    says: 'Gives the Cedar schema that every policy is validated against, strictly.',
    params: InOrg,
    reply: z.object({ schema: z.string() }),
    handle: () => Promise.resolve({ schema: cedarSchema.trim() }),
  }),
  operation({
    id: 'policy.list_cedar',
    at: 'GET /orgs/:org/policy/cedar',
    can: 'policy.read',
    says: 'Lists the policies that were written in Cedar; q searches their names and texts.',
    params: InOrg,
    query: ListQuery,
    reply: listOf(CedarShown),
    async handle(ctx, { query }) {
      const { limit, q, cursor } = query;
      const rows = await ctx.db.read(scopeOf(ctx), (db) => listCedar(db, { limit, q, after: cursor }));
      const page = listed(rows, limit, (p) => [p.id]);
      return { items: page.items.map(shown), next: page.next };
    },
  }),
  operation({
    id: 'policy.add_cedar',
    at: 'POST /orgs/:org/policy/cedar',
    can: 'policy.manage',
    says: 'Adds one policy written in Cedar, validated strictly; says where it is wrong and what was expected.',
    params: InOrg,
    body: SaveCedarForm,
    reply: Saved,
    status: 201,
    async handle(ctx, { body }) {
      const { name, cedar, ...saying } = body;
      return saved(
        await changePolicies(inOrg(ctx), { kind: 'save_cedar', policy: { name, cedar } }, saying, catalogue),
      );
    },
    headers: (p, ctx) => ({ location: `/api/orgs/${ctx.org}/policy/cedar/${p.id}` }),
  }),
  operation({
    id: 'policy.check_cedar',
    at: 'POST /orgs/:org/policy/cedar/check',
    can: 'policy.read',
    says: 'Says where a policy in Cedar is wrong and what was expected, or how it would be evaluated. Keeps nothing.',
    params: InOrg,
    body: z.strictObject({ cedar: z.string().max(MAX_CEDAR_LENGTH) }),
    reply: z.object({
      errors: z.array(
        z.object({ line: z.number(), column: z.number(), says: z.string(), expected: z.string().optional() }),
      ),
      checked: CheckedShown.nullable(),
    }),
    handle(_, { body }) {
      const { errors, checked } = remarksOnCedar(body.cedar);
      return Promise.resolve({ errors: [...errors], checked: checked ?? null });
    },
  }),
  operation({
    id: 'policy.read_cedar',
    at: 'GET /orgs/:org/policy/cedar/:policy',
    can: 'policy.read',
    says: 'Shows a policy that was written in Cedar.',
    params: policyPath,
    reply: CedarShown,
    async handle(ctx, { params }) {
      const all = await ctx.db.read(scopeOf(ctx), (db) => listCedar(db, { limit: 'all' }));
      const policy = all.find((p) => p.id === params.policy);
      if (!policy) throw noCedar(params.policy);
      return shown(policy);
    },
  }),
  operation({
    id: 'policy.replace_cedar',
    at: 'PUT /orgs/:org/policy/cedar/:policy',
    can: 'policy.manage',
    says: 'Puts another text in the place of a policy written in Cedar.',
    params: policyPath,
    body: SaveCedarForm,
    reply: Saved,
    async handle(ctx, { params, body }) {
      const { name, cedar, ...saying } = body;
      const wish = { kind: 'save_cedar', policy: { id: params.policy, name, cedar } } as const;
      return saved(await changePolicies(inOrg(ctx), wish, saying, catalogue));
    },
  }),
  operation({
    id: 'policy.remove_cedar',
    at: 'DELETE /orgs/:org/policy/cedar/:policy',
    can: 'policy.manage',
    says: 'Takes a policy written in Cedar out of force.',
    params: policyPath,
    query: sayingWhyQuery,
    reply: z.object({}),
    status: 204,
    async handle(ctx, { params, query }) {
      await changePolicies(inOrg(ctx), { kind: 'remove_cedar', policy: params.policy }, query, catalogue);
      return {};
    },
  }),
];
