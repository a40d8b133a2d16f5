import { z } from 'zod';
import type { Ctx, OrgCtx, World } from '#kernel/ctx.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Secret } from '#kernel/secret.ts';
import { inOrg } from '#org/org.http.ts';
import { actorName } from './actor-name.ts';
import { checkOwnKey } from './check-own-key.ts';
import { dropOwnKey } from './drop-own-key.ts';
import { placeOf } from './key-place.ts';
import { nameOwnKey } from './name-own-key.ts';
import { OwnKeyConfig, ownKeyKinds, ownKeyStates } from './own-key.ts';
import { readKeyStatus } from './read-key-status.ts';
import { retireKey } from './retire-key.ts';
import { rotateKeys } from './rotate-keys.ts';

const InOrg = z.object({ org: z.string() });
const of = z
  .enum(['org', 'parent'])
  .default('org')
  .describe('The keys of the organization, or of its parent (connections to identity providers)');
const Time = z.iso.datetime();

const Status = z.object({
  scope: z.string(),
  keys: z.array(
    z.object({
      generation: z.number(),
      provider: z.string(),
      createdAt: Time,
      wrappedAt: Time,
      retiredAt: Time.nullable(),
      secrets: z.number(),
    }),
  ),
  secrets: z.array(z.object({ table: z.string(), column: z.string(), count: z.number() })),
  total: z.number(),
  rotation: z
    .object({
      id: z.string(),
      state: z.enum(['running', 'done']),
      generation: z.number(),
      newKey: z.boolean(),
      resealed: z.number(),
      total: z.number(),
      startedAt: Time,
      finishedAt: Time.nullable(),
    })
    .nullable(),
  own: z
    .object({ id: z.string(), kind: z.enum(ownKeyKinds), where: z.string(), state: z.enum(ownKeyStates), since: Time })
    .nullable(),
  obeyedWithinSeconds: z.number(),
});

/** An operation's Ctx as the World that it was made of, at the operation's own instant. */
const worldOf = (ctx: Ctx): World => ({ ...ctx, now: () => ctx.now });
const status = async (ctx: OrgCtx, whose: 'org' | 'parent'): Promise<z.infer<typeof Status>> =>
  Status.parse(await readKeyStatus(ctx, placeOf(ctx, whose)));

/** Keys that secrets are sealed with: for owners, because who turns or takes them away can shut everybody out. */
export const keyOperations: readonly Operation[] = [
  operation({
    id: 'keys.status',
    at: 'GET /orgs/:org/keys',
    can: 'org.manage',
    says: 'Shows the keys of the organization or its parent, what wraps them, how many secrets need each, and how far a rotation is.',
    params: InOrg,
    query: z.strictObject({ of }),
    reply: Status,
    handle: (ctx, { query }) => status(inOrg(ctx), query.of),
  }),
  operation({
    id: 'keys.rotate',
    at: 'POST /orgs/:org/keys/rotate',
    can: 'org.manage',
    says: 'Begins to seal everything anew: with a new key (key), or with the same key and new data keys (data). Nothing stops meanwhile.',
    params: InOrg,
    body: z.strictObject({ of, what: z.enum(['key', 'data']).default('key') }),
    status: 202,
    reply: Status,
    async handle(ctx, { body }) {
      const org = inOrg(ctx);
      await rotateKeys(worldOf(ctx), placeOf(org, body.of), body.what, actorName(ctx.actor));
      return status(org, body.of);
    },
  }),
  operation({
    id: 'keys.retire',
    at: 'POST /orgs/:org/keys/retire',
    can: 'org.manage',
    says: 'Destroys an older key that no secret needs any more.',
    params: InOrg,
    body: z.strictObject({ of, generation: z.number().int().min(1) }),
    reply: Status,
    async handle(ctx, { body }) {
      const org = inOrg(ctx);
      await retireKey(worldOf(ctx), placeOf(org, body.of), body.generation);
      return status(org, body.of);
    },
  }),
  operation({
    id: 'keys.name_own',
    at: 'PUT /orgs/:org/keys/own',
    can: 'org.manage',
    says: "Puts the organization's keys under a key in its own key service. Whoever disables that key makes the organization's secrets unreadable.",
    params: InOrg,
    body: z.strictObject({
      key: OwnKeyConfig,
      secret: z.string().min(1).max(4000).describe('The secret id, token or secret access key'),
    }),
    reply: Status,
    async handle(ctx, { body }) {
      const org = inOrg(ctx);
      await nameOwnKey(org, body.key, new Secret(body.secret));
      return status(org, 'org');
    },
  }),
  operation({
    id: 'keys.check_own',
    at: 'POST /orgs/:org/keys/own/check',
    can: 'org.manage',
    says: "Asks the organization's key service now whether it still opens the organization's key.",
    params: InOrg,
    reply: z.object({ state: z.enum(ownKeyStates), says: z.string().nullable() }),
    async handle(ctx) {
      const { state, says } = await checkOwnKey(worldOf(ctx), inOrg(ctx).org);
      return { state, says: says ?? null };
    },
  }),
  operation({
    id: 'keys.preview_own',
    at: 'GET /orgs/:org/keys/own/preview',
    can: 'org.manage',
    says: "Says what cannot be read any more, and how soon, when the organization's own key is disabled or taken away.",
    params: InOrg,
    reply: Status.pick({ secrets: true, total: true, obeyedWithinSeconds: true }),
    handle: (ctx) => status(inOrg(ctx), 'org'),
  }),
  operation({
    id: 'keys.drop_own',
    at: 'POST /orgs/:org/keys/own/drop',
    can: 'org.manage',
    says: "Takes the organization's keys back under the deployment's. Where its own key is gone for good, abandon gives up the secrets that only it opens.",
    params: InOrg,
    body: z.strictObject({
      abandon: z
        .number()
        .int()
        .min(0)
        .optional()
        .describe('As many secrets as the preview shows; they are lost for ever'),
    }),
    reply: Status,
    async handle(ctx, { body }) {
      const org = inOrg(ctx);
      await dropOwnKey(org, body.abandon);
      return status(org, 'org');
    },
  }),
];
