import { z } from 'zod';
import type { Id } from '#kernel/id.ts';

/**
 * The stages of a sign-in, in order; the trace ends with the one that refused. OpenID Connect has token and claims where SAML has signature,
 * conditions and attributes.
 */
export const stageNames = [
  'discovery',
  'connection',
  'redirect',
  'response',
  'token',
  'claims',
  'signature',
  'conditions',
  'attributes',
  'domain',
  'link',
  'provisioning',
  'role',
  'seat',
  'enforcement',
  'session',
] as const;
export type StageName = (typeof stageNames)[number];

const Passed = z.object({ stage: z.enum(stageNames), ok: z.literal(true), found: z.string().optional() });
const Failed = z.object({
  stage: z.enum(stageNames),
  ok: z.literal(false),
  code: z.string(),
  says: z.string(),
  found: z.string().optional(),
  expected: z.string().optional(),
  fix: z.string().optional(),
});
export const Stage = z.discriminatedUnion('ok', [Passed, Failed]);
export type Stage = z.infer<typeof Stage>;

/** What happened at each stage of one sign-in. `outcome` is signed_in, linked, or the code of the refusal. */
export type SignInTrace = {
  id: Id<'sgn'>;
  at: Date;
  connection: Id<'sso'>;
  user: Id<'usr'> | null;
  subject: string | null;
  outcome: string;
  stages: Stage[];
};

/** Text from outside in a trace is cut here: long enough to compare, too short to fill a table. */
export const cut = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
