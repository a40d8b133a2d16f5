import { z } from 'zod';
import type { Id } from '#kernel/id.ts';

/**
 * The stages of a sign-in, in order; the trace ends with the one that refused. OpenID Connect has token and claims where SAML has signature,
 * conditions and attributes. Without an identity provider there are proof (the passkey or the link itself) and access (whether the person's
 * organizations take this way).
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
  'proof',
  'access',
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

/** Ways to sign in without an identity provider. */
export const otherMethods = ['passkey', 'mail_link', 'setup_link'] as const;
export type OtherMethod = (typeof otherMethods)[number];
/** Through an identity provider: a person with a browser, or an agent that shows an assertion about a person (ID-JAG). */
export const idpMethods = ['sso', 'id_jag'] as const;
export const signInMethods = [...idpMethods, ...otherMethods] as const;

/** What happened at each stage of one sign-in. `outcome` is signed_in, linked, tested, vouched, or the code of the refusal. */
export type SignInTrace = {
  id: Id<'sgn'>;
  at: Date;
  subject: string | null;
  outcome: string;
  stages: Stage[];
} & (
  | { method: (typeof idpMethods)[number]; connection: Id<'sso'>; user: Id<'usr'> | null }
  /** `subject` is the passkey or the link; `user` whose it is, let in or not. */
  | { method: OtherMethod; connection: null; user: Id<'usr'> }
);

/** Text from outside in a trace is cut here: long enough to compare, too short to fill a table. */
export const cut = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
