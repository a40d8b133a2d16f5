import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { judgeAgain } from '../saml/judge-again.ts';
import type { SignInTrace, Stage } from '../sign-in-trace.ts';
import { findTrace } from '../sign-in-trace.sql.ts';
import { explainStages, noSuchTrace, refusedAt, type Explanation } from './explain-sign-in.ts';
import { findAnyConnection } from './explain.sql.ts';
import { enforcementEvents } from './enforcement.events.ts';
import { foresee } from './foresee.ts';
import { openClaims } from './kept-claims.ts';

const nouns = { passkey: 'passkey', mail_link: 'link by mail', setup_link: 'set-up link' } as const;

export type Replay = Pick<Explanation, 'stages' | 'refused'> & {
  /** `would_sign_in`, or the code of the refusal of today. */
  outcome: string;
  /** The code of then. */
  was: string;
};

/** Judges a refused sign-in by the configuration of today, from what was kept of it. Lets nobody in; the log says that somebody looked. */
export async function replaySignIn(ctx: OrgCtx, id: Id<'sgn'>): Promise<Replay> {
  const { trace, connection } = await ctx.db.read(scopeOf(ctx), async (db) => {
    const found = await findTrace(db, id);
    return {
      trace: found,
      connection: found?.method === 'sso' ? await findAnyConnection(db, found.connection) : undefined,
    };
  });
  if (!trace) throw noSuchTrace();
  if (trace.method === 'id_jag')
    throw new Problem('conflict', 'identity/no-replay', {
      says: 'this was an assertion that an agent showed; it proves something once, and nothing of it is kept',
      fix: 'see why it was refused (explain), and let the agent ask for a new one',
    });
  if (trace.method !== 'sso')
    throw new Problem('conflict', 'identity/no-replay', {
      says: `this was a sign-in with a ${nouns[trace.method]}; only single sign-on can be judged again, because a passkey or a link proves something once`,
      fix: 'see why it was refused (explain), and let the person try again',
    });
  if (!connection) throw noSuchTrace();
  const was = refusedAt(trace.stages);
  if (!was || trace.outcome === 'tested')
    throw new Problem('conflict', 'identity/nothing-refused', {
      says: 'this sign-in was not refused, so there is nothing to try again',
      fix: 'choose one that was; the list of sign-ins can be asked for by outcome',
    });
  const stages: Stage[] = [];
  if (connection.state === 'active') stages.push({ stage: 'connection', ok: true, found: connection.name });
  else
    stages.push({
      stage: 'connection',
      ok: false,
      code: 'identity/connection-disabled',
      says: `signing in through ${connection.name} is switched off`,
      found: 'disabled',
      expected: 'active',
    });
  if (connection.state === 'active') stages.push(...(await again(ctx, trace, connection)));
  const refused = refusedAt(stages);
  const outcome = refused?.code ?? 'would_sign_in';
  return change(ctx, async () => ({
    value: { outcome, was: was.code, stages: explainStages({ method: 'sso', stages }), refused },
    events: [event(enforcementEvents, 'sign_in.explained', { trace: id, replayed: true, outcome })],
  }));
}

type Connection = { id: Id<'sso'>; name: string; kind: 'oidc' | 'saml'; issuer: string; matchDirectory: boolean };

async function again(ctx: OrgCtx, trace: SignInTrace, connection: Connection): Promise<Stage[]> {
  const claims = await openClaims({ ...ctx, org: undefined }, trace.id);
  if (claims) {
    const proved = trace.stages.filter((s) => s.ok && (s.stage === 'token' || s.stage === 'claims'));
    return [...proved, ...(await foresee(ctx, { connection, claims })).stages];
  }
  if (connection.kind !== 'saml') throw nothingKept();
  const judged = await judgeAgain(ctx, trace.id).catch((e: unknown) => {
    if (e instanceof Problem && e.code === 'identity/saml-no-message') throw nothingKept();
    throw e;
  });
  const { identity, stages } = judged;
  return identity ? [...stages, ...(await foresee(ctx, { connection, claims: identity })).stages] : stages;
}

const nothingKept = (): Problem =>
  new Problem('missing', 'identity/nothing-kept', {
    says: 'nothing is kept of this sign-in that could be judged again: no identity was proved by it, or a week has passed',
    fix: 'let the person try again, or make a test of the connection',
  });
