import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { actions, settableActions } from './dlp-policy.ts';
import { loadDlpPolicies } from './load-dlp-policies.ts';
import { setDlpPolicy } from './set-dlp-policy.ts';

const params = z.object({ org: z.string() });
const Shown = z.object({
  detector: z.string(),
  finds: z.string(),
  to_tool: z.enum(actions),
  to_user: z.enum(actions),
});
const action = z.enum(settableActions);

export const dlpOperations: readonly Operation[] = [
  operation({
    id: 'dlp.list_policies',
    at: 'GET /orgs/:org/dlp/policies',
    can: 'policy.read',
    says: 'Lists the detectors and what happens, each way, when one finds something.',
    params,
    reply: z.object({ items: z.array(Shown), next: z.null() }),
    async handle(ctx) {
      const policies = await ctx.db.read(scopeOf(ctx), loadDlpPolicies);
      const items = policies.map((p) => ({
        detector: p.detector.id,
        finds: p.detector.says,
        to_tool: p.to_tool,
        to_user: p.to_user,
      }));
      return { items, next: null };
    },
  }),
  operation({
    id: 'dlp.set_policy',
    at: 'PUT /orgs/:org/dlp/policies/:detector',
    can: 'policy.manage',
    says: 'Sets what happens, each way, when a detector finds something.',
    params: params.extend({ detector: z.string().max(60) }),
    body: z.strictObject({ to_tool: action, to_user: action }),
    reply: z.object({ detector: z.string(), to_tool: action, to_user: action }),
    handle: (ctx, { params: { detector }, body }) => setDlpPolicy(ctx, { detector, ...body }),
  }),
];
