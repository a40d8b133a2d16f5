import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Proved } from '../admit-identity.ts';
import { insertClaims } from '../enforcement/kept-claims.sql.ts';
import { sealedClaims } from '../enforcement/kept-claims.ts';
import { whomToAsk } from '../enforcement/whom-to-ask.ts';
import { identityEvents } from '../identity.events.ts';
import type { IdClaims } from '../relying-party.ts';
import type { SignInRefused } from '../sign-in-refusal.ts';
import type { Stage } from '../sign-in-trace.ts';
import { insertTrace } from '../sign-in-trace.sql.ts';
import { countLooseRefusals, insertMessage, type HeldAgainst } from './state.sql.ts';

/** How long a refused response is kept for judging it again: a week in which somebody complains, asks and looks. */
const KEEP_MS = 7 * 86_400_000;
/** Refusals that no attempt of ours is behind can be made by anybody; so many of a connection in ten minutes leave a trace, the rest a line in our log. */
const MAX_LOOSE = 30;
const LOOSE_WINDOW_MS = 10 * 60_000;

export type RefusedSignIn = {
  connection: Proved['connection'];
  /** No attempt of ours is behind it: anybody could have made it. */
  loose: boolean;
  /** What was proved, where the response itself held and what came after it was refused. */
  claims?: IdClaims;
  stages: readonly Stage[];
  subject: string | null;
  /** The response as it came, and what it was held against. */
  message: string | undefined;
  expected: HeldAgainst;
};

export const messagePlace = (parent: Id<'par'>, trace: Id<'sgn'>) => ({
  table: 'saml_message',
  scope: parent,
  row: trace,
  generation: 1,
});

/** The stage that refused, as a trace shows it. */
export function failedStage({ refusal }: SignInRefused): Stage {
  const { stage, code, says, fix, found, expected } = refusal;
  return {
    stage,
    ok: false,
    code,
    says,
    ...(fix === undefined ? {} : { fix }),
    ...(found === undefined ? {} : { found }),
    ...(expected === undefined ? {} : { expected }),
  };
}

/** Writes down how a sign-in was refused, with what it takes to judge it again, and returns the Problem that the person sees. */
export async function recordRefusal(ctx: Ctx, r: RefusedSignIn, e: SignInRefused): Promise<Problem> {
  const { stage, code, says, fix } = e.refusal;
  const connection = r.connection.id;
  const trace = newId('sgn', ctx.now.getTime());
  const sealed =
    r.message === undefined ? undefined : await ctx.seal.seal(messagePlace(ctx.parent, trace), Buffer.from(r.message));
  const claims = r.claims && (await sealedClaims(ctx, trace, connection, r.claims));
  const kept = await change({ ...ctx, org: undefined, actor: { kind: 'nobody' } }, async (tx) => {
    if (r.loose) {
      const since = newId('sgn', ctx.now.getTime() - LOOSE_WINDOW_MS);
      if ((await countLooseRefusals(tx, connection, since, MAX_LOOSE)).n >= MAX_LOOSE)
        return { value: false, unchanged: true };
    }
    await insertTrace(tx, {
      id: trace,
      at: ctx.now,
      method: 'sso',
      connection,
      user: null,
      subject: r.subject,
      outcome: code,
      stages: [...r.stages, failedStage(e)],
    });
    if (sealed)
      await insertMessage(tx, {
        trace,
        connection,
        sealed,
        expected: r.expected,
        until: new Date(ctx.now.getTime() + KEEP_MS),
      });
    if (claims) await insertClaims(tx, claims);
    return {
      value: true,
      events: [event(identityEvents, 'sign_in.refused', { trace, connection, code })],
    };
  });
  if (!kept) ctx.log.warn({ connection, code }, 'a SAML response was refused; too many of them to trace');
  const ask = kept && r.claims ? await whomToAsk(ctx, { connection: r.connection, claims: r.claims }) : [];
  return new Problem('forbidden', code, {
    says,
    fix,
    more: kept ? { trace, stage, ask, at: ctx.now.toISOString(), connection } : { stage },
    because: e,
  });
}
