import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { addDlpPolicy, type Connectors } from './add-dlp-policy.ts';
import { classesOf } from './data-classes.ts';
import {
  defaultAction,
  defaultFailMode,
  failClasses,
  severities,
  standingOf,
  type DlpPolicy,
  type PolicyDraft,
} from './dlp-policy.ts';
import { listBaseline, listDlpPolicies, listFailModes, type StoredDlpPolicy } from './dlp-policy.sql.ts';
import { noDlpPolicy, removeDlpPolicy } from './remove-dlp-policy.ts';
import { setBaseline } from './set-baseline.ts';
import { setFailMode } from './set-fail-mode.ts';
import { dlpActions, phases, type DlpAction, type Phase } from './verdict.ts';

const InOrg = z.object({ org: z.string() });
const action = z.enum(dlpActions);
const phase = z.enum(phases);
const perPhase = z.object({
  arguments: action,
  result: action,
  prompt: action,
  output: action,
  file_in: action,
  file_out: action,
});

const id = <K extends string>(prefix: K): z.ZodType<Id<K>> =>
  z.string().transform((text, c) => {
    const parsed = parseId(prefix, text);
    if (parsed === undefined) {
      c.addIssue({ code: 'custom', message: `expected an id like ${prefix}_ and 32 hex digits` });
      return z.NEVER;
    }
    return parsed;
  });
/** One line of printable text: a name is shown in refusals, to models too. */
export const line = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'expected one line without control or invisible characters');

const Draft: z.ZodType<PolicyDraft> = z
  .strictObject({
    name: line,
    kind: z.enum(['policy', 'exception']).default('policy'),
    group: id('grp').optional(),
    connector: id('con').optional(),
    data: z.array(z.string().min(1).max(60)).min(1).max(100),
    phases: z.array(phase).min(1).max(phases.length),
    action,
    twoPeople: z.boolean().default(false),
  })
  .transform((d) => ({ ...d, group: d.group, connector: d.connector }));

const PolicyShown = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['policy', 'exception']),
  group: z.string().optional(),
  connector: z.string().optional(),
  data: z.array(z.string()),
  phases: z.array(phase),
  action,
  twoPeople: z.boolean(),
  createdBy: z.string().optional(),
  createdAt: z.string().optional(),
});
const shown = (p: DlpPolicy | StoredDlpPolicy): z.input<typeof PolicyShown> => ({
  ...p,
  data: [...p.data],
  phases: [...p.phases],
  createdAt: 'createdAt' in p ? p.createdAt.toISOString() : undefined,
});

/** The operations on what may happen to content. `connectors` is what this room may not look up itself. */
export const dlpOperations = (connectors: Connectors): Operation[] => [
  operation({
    id: 'dlp.list_baseline',
    at: 'GET /orgs/:org/dlp/baseline',
    can: 'policy.read',
    says: 'Lists every class of data that can be found, and what happens to it in each phase where no policy says otherwise; q searches what they are called and find.',
    params: InOrg,
    query: ListQuery,
    reply: listOf(
      z.object({
        data: z.string(),
        finds: z.string(),
        severity: z.enum(severities),
        default: action,
        phases: perPhase,
      }),
    ),
    async handle(ctx, { query: { q, limit, cursor } }) {
      const { classes, baseline } = await ctx.db.read(scopeOf(ctx), async (db) => ({
        classes: await classesOf(db),
        baseline: await listBaseline(db),
      }));
      const wanted = q?.toLowerCase() ?? '';
      const found = classes.filter((c) => c.id.includes(wanted) || c.says.toLowerCase().includes(wanted));
      const begin = cursor?.[0] === undefined ? 0 : found.findIndex((c) => c.id === cursor[0]) + 1;
      const page = listed(found.slice(begin), limit, (c) => [c.id]);
      const items = page.items.map((c) => {
        const at = (p: Phase): DlpAction =>
          standingOf(c, baseline, [], { phase: p, connector: undefined, groups: [] }).action;
        return {
          data: c.id,
          finds: c.says,
          severity: c.severity,
          default: defaultAction(c),
          phases: {
            arguments: at('arguments'),
            result: at('result'),
            prompt: at('prompt'),
            output: at('output'),
            file_in: at('file_in'),
            file_out: at('file_out'),
          },
        };
      });
      return { items, next: page.next };
    },
  }),
  operation({
    id: 'dlp.set_baseline',
    at: 'PUT /orgs/:org/dlp/baseline/:data',
    can: 'policy.manage',
    says: 'Sets what happens to a class of data, for the phases that are named; it applies from the next call on.',
    params: InOrg.extend({ data: z.string().max(60) }),
    body: z.strictObject(perPhase.partial().shape),
    reply: z.object({}),
    status: 204,
    async handle(ctx, { params, body }) {
      const lines = phases.flatMap((p) => {
        const set = body[p];
        return set === undefined ? [] : [{ data: params.data, phase: p, action: set }];
      });
      await setBaseline(inOrg(ctx), params.data, lines);
      return {};
    },
  }),
  operation({
    id: 'dlp.list_policies',
    at: 'GET /orgs/:org/dlp/policies',
    can: 'policy.read',
    says: 'Lists the policies and exceptions about content, oldest first; q searches their names.',
    params: InOrg,
    query: ListQuery,
    reply: listOf(PolicyShown),
    async handle(ctx, { query }) {
      const { limit, q, cursor } = query;
      const rows = await ctx.db.read(scopeOf(ctx), (db) => listDlpPolicies(db, { limit, q, after: cursor }));
      const page = listed(rows, limit, (r) => [r.id]);
      return { items: page.items.map(shown), next: page.next };
    },
  }),
  operation({
    id: 'dlp.add_policy',
    at: 'POST /orgs/:org/dlp/policies',
    can: 'policy.manage',
    says: 'Adds a policy, which makes stricter, or an exception, which stands in place of policies for a group or at a connector.',
    params: InOrg,
    body: Draft,
    reply: PolicyShown,
    status: 201,
    handle: async (ctx, { body }) => shown(await addDlpPolicy(inOrg(ctx), body, connectors)),
    headers: (p, ctx) => ({ location: `/api/orgs/${ctx.org}/dlp/policies/${p.id}` }),
  }),
  operation({
    id: 'dlp.remove_policy',
    at: 'DELETE /orgs/:org/dlp/policies/:policy',
    can: 'policy.manage',
    says: 'Takes a policy or an exception about content out of force.',
    params: InOrg.extend({ policy: z.string() }),
    reply: z.object({}),
    status: 204,
    async handle(ctx, { params }) {
      const policy = parseId('dpo', params.policy);
      if (!policy) throw noDlpPolicy(params.policy);
      await removeDlpPolicy(inOrg(ctx), policy);
      return {};
    },
  }),
  operation({
    id: 'dlp.list_fail_modes',
    at: 'GET /orgs/:org/dlp/fail-modes',
    can: 'policy.read',
    says: 'Says per class of tool whether content that could not be looked at is stopped (closed) or passes with an alert (open).',
    params: InOrg,
    reply: listOf(z.object({ class: z.enum(failClasses), mode: z.enum(['open', 'closed']), set: z.boolean() })),
    async handle(ctx) {
      const set = new Map((await ctx.db.read(scopeOf(ctx), listFailModes)).map((m) => [m.class, m.mode]));
      return {
        items: failClasses.map((c) => ({ class: c, mode: set.get(c) ?? defaultFailMode[c], set: set.has(c) })),
        next: null,
      };
    },
  }),
  operation({
    id: 'dlp.set_fail_mode',
    at: 'PUT /orgs/:org/dlp/fail-modes/:class',
    can: 'policy.manage',
    says: 'Sets what happens to content of tools of a class when it could not be looked at.',
    params: InOrg.extend({ class: z.enum(failClasses) }),
    body: z.strictObject({ mode: z.enum(['open', 'closed']) }),
    reply: z.object({}),
    status: 204,
    async handle(ctx, { params, body }) {
      await setFailMode(inOrg(ctx), params.class, body.mode);
      return {};
    },
  }),
];
