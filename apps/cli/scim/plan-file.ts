import { createHash } from 'node:crypto';
import { z } from 'zod';
import { jcs } from '@gatehouse/contract/jcs.ts';
import { Problem } from '@gatehouse/server/kernel/problem.ts';

const Known = z.strictObject({ id: z.string().min(1), userName: z.string() });
const KnownGroup = z.strictObject({ id: z.string().min(1), displayName: z.string() });
/** What an operation before this one makes: `made` is its place in the list. */
const Made = z.int().min(0);
const UserRef = z.union([Known, z.strictObject({ made: Made, userName: z.string() })]);
const GroupRef = z.union([KnownGroup, z.strictObject({ made: Made, displayName: z.string() })]);

/** One thing to do. Its number is its place in the list. */
const Operation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('create_group'), displayName: z.string() }),
  z.strictObject({
    kind: z.literal('create_user'),
    userName: z.string(),
    displayName: z.string(),
    externalId: z.string().nullable(),
  }),
  z.strictObject({ kind: z.literal('switch_on_user'), user: Known }),
  z.strictObject({ kind: z.literal('grant'), group: GroupRef, user: UserRef }),
  z.strictObject({ kind: z.literal('revoke'), group: KnownGroup, user: Known }),
  z.strictObject({ kind: z.literal('delete_user'), user: Known, externalId: z.string().nullable() }),
  z.strictObject({ kind: z.literal('delete_group'), group: KnownGroup, members: z.int().min(0) }),
]);

const Note = z.strictObject({ kind: z.string(), says: z.string() });

const PlanFile = z.strictObject({
  gatehouse: z.literal('scim-plan-v1'),
  /** The one server that this plan is for. */
  base: z.string(),
  made: z.string(),
  /** `soft`: delete_user switches the account off. */
  deletes: z.enum(['hard', 'soft']),
  /** Accounts that were there. */
  people: z.int().min(0),
  operations: z.array(Operation),
  /** What differs and stays as it is. */
  drift: z.array(Note),
  /** What a person has to settle first. A plan with any is not applied. */
  conflicts: z.array(Note),
  hash: z.string(),
});

export type Operation = z.infer<typeof Operation>;
export type UserRef = z.infer<typeof UserRef>;
export type GroupRef = z.infer<typeof GroupRef>;
export type Note = z.infer<typeof Note>;
export type Plan = z.infer<typeof PlanFile>;

/**
 * SHA-256 over the canonical form of everything but the time: equal plans have equal hashes, so a review of one is a review of the other.
 * INVARIANT (what was read is what runs): apply computes it again.
 */
export function planHash({ made: _made, hash: _hash, ...rest }: Omit<Plan, 'hash'> & { hash?: string }): string {
  return createHash('sha256').update('gatehouse-scim-plan-v1\0').update(jcs(rest)).digest('hex');
}

/** Reads a plan file and believes it only if its hash is that of its content. */
export function parsePlan(name: string, text: string, expect: string | undefined): Plan {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (e) {
    throw notPlan(name, e instanceof Error ? e.message : 'unreadable');
  }
  const parsed = PlanFile.safeParse(json);
  if (!parsed.success) throw notPlan(name, z.prettifyError(parsed.error));
  const plan = parsed.data;
  const hash = planHash(plan);
  if (hash !== plan.hash || (expect !== undefined && expect !== hash))
    throw new Problem('conflict', 'scim/plan-hash', {
      says:
        hash === plan.hash
          ? `${name} is the plan ${hash}; ${expect} was expected`
          : `${name} says that its hash is ${plan.hash}; the hash of what it contains is ${hash}`,
      fix: 'make the plan again and have it read again; a plan is not edited by hand',
    });
  return plan;
}

const notPlan = (name: string, because: string): Problem =>
  new Problem('invalid', 'scim/not-a-plan', {
    says: `${name} is not a plan of this version: ${because}`,
    fix: 'make one with gatehouse scim plan --out FILE',
  });

/** How many people and memberships a plan takes away. A group that is deleted takes its members with it. */
export const removals = (plan: Pick<Plan, 'operations'>): number =>
  plan.operations.reduce(
    (n, o) => n + (o.kind === 'delete_user' || o.kind === 'revoke' ? 1 : o.kind === 'delete_group' ? 1 + o.members : 0),
    0,
  );

/** An ordinary day has a few leavers. */
const FREE_REMOVALS = 5;
/** And a large house has more; a truncated file has most of them. */
const FREE_SHARE = 0.05;

/** Whether somebody must say the number of removals aloud before they happen. */
export const needsWord = (plan: Plan): boolean =>
  removals(plan) > Math.max(FREE_REMOVALS, Math.floor(plan.people * FREE_SHARE)) ||
  (plan.people > 0 && plan.operations.filter((o) => o.kind === 'delete_user').length === plan.people);

/** One operation in words. */
export function sentence(o: Operation): string {
  switch (o.kind) {
    case 'create_group':
      return `create group  ${o.displayName}`;
    case 'create_user':
      return `create        ${o.userName} (${o.displayName})`;
    case 'switch_on_user':
      return `switch on     ${o.user.userName}`;
    case 'grant':
      return `grant         ${o.user.userName} -> ${o.group.displayName}`;
    case 'revoke':
      return `revoke        ${o.user.userName} -> ${o.group.displayName}`;
    case 'delete_user':
      return `delete        ${o.user.userName}`;
    case 'delete_group':
      return `delete group  ${o.group.displayName} with ${o.members} members`;
  }
}
