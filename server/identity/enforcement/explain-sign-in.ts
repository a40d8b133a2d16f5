import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { stageNames, type SignInTrace, type Stage } from '../sign-in-trace.ts';
import { findTrace } from '../sign-in-trace.sql.ts';
import { findSimilar, type Similar } from './explain.sql.ts';
import { repairFor } from './repair.ts';

const DAY_MS = 86_400_000;

/** One stage: what was expected and what was found, or that the sign-in did not come so far. */
export type ExplainedStage = {
  stage: (typeof stageNames)[number];
  state: 'passed' | 'refused' | 'not_reached';
  code: string | null;
  expected: string | null;
  actual: string | null;
};

export type Explanation = {
  trace: SignInTrace;
  refused: { stage: string; code: string; says: string; repair: string } | null;
  stages: ExplainedStage[];
  similar: Similar;
};

export const noSuchTrace = (): Problem =>
  new Problem('missing', 'identity/no-such-trace', { says: 'there is no such sign-in in this organization' });

/** Stages that only sign-ins of one kind have: they are no part of another. */
const oidcOnly = ['token', 'claims'] as const;
const samlOnly = ['signature', 'conditions', 'attributes', 'domain'] as const;
const ssoOnly = [
  'discovery',
  'connection',
  'redirect',
  'response',
  ...oidcOnly,
  ...samlOnly,
  'link',
  'provisioning',
  'role',
] as const;
const otherOnly = ['proof', 'access'] as const;

function foreignStages(method: SignInTrace['method'], stages: readonly Stage[]): ReadonlySet<string> {
  if (method !== 'sso') return new Set(ssoOnly);
  const saml = stages.some((s) => samlOnly.some((o) => o === s.stage) || ('code' in s && s.code.includes('/saml-')));
  return new Set([...(saml ? oidcOnly : samlOnly), ...otherOnly]);
}

/** Every stage that belongs to this sign-in, in order; what it did not reach is said, too. Of a stage told twice, the last word counts. */
export function explainStages({ method, stages }: Pick<SignInTrace, 'method' | 'stages'>): ExplainedStage[] {
  const told = new Map(stages.map((s) => [s.stage, s]));
  const foreign = foreignStages(method, stages);
  const last = Math.max(-1, ...stages.map((s) => stageNames.indexOf(s.stage)));
  return stageNames.flatMap((stage, i): ExplainedStage[] => {
    const s = told.get(stage);
    if (s)
      return [
        s.ok
          ? { stage, state: 'passed', code: null, expected: null, actual: s.found ?? null }
          : { stage, state: 'refused', code: s.code, expected: s.expected ?? null, actual: s.found ?? s.says },
      ];
    // Before the last one: it has nothing to tell of its own.
    if (i < last || foreign.has(stage)) return [];
    return [{ stage, state: 'not_reached', code: null, expected: null, actual: null }];
  });
}

/** The stage that refused, with the one repair to try. */
export function refusedAt(stages: readonly Stage[]): Explanation['refused'] {
  const failed = stages.findLast((s) => !s.ok);
  if (!failed) return null;
  const { stage, code, says } = failed;
  return { stage, code, says, repair: repairFor(code, stage) };
}

/** Why a sign-in ended as it did, for administrators. */
export const explainSignIn = (ctx: OrgCtx, id: Id<'sgn'>): Promise<Explanation> =>
  ctx.db.read({ parent: ctx.parent, org: ctx.org }, async (db) => {
    const trace = await findTrace(db, id);
    if (!trace) throw noSuchTrace();
    const refused = refusedAt(trace.stages);
    return {
      trace,
      refused,
      stages: explainStages(trace),
      similar: await findSimilar(db, refused?.code ?? '', id, new Date(ctx.now.getTime() - DAY_MS)),
    };
  });
