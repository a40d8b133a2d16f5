import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { identityEvents } from './identity.events.ts';
import type { OtherMethod, SignInTrace, Stage, StageName } from './sign-in-trace.ts';
import { countRefused, insertTrace } from './sign-in-trace.sql.ts';

/** So many refusals of one person's passkeys or links in ten minutes leave a trace, the rest a line in our log. */
const MAX_REFUSED = 30;
const WINDOW_MS = 10 * 60_000;

/** A sign-in without an identity provider while it goes on. */
export type Attempt = {
  readonly trace: Id<'sgn'>;
  /** Whose passkey or link it is, as soon as that is clear. Before, no parent is concerned and nothing is traced. */
  isOf(ctx: Ctx, user: Id<'usr'>, subject: string): void;
  /** The next stage; the ones before it held. */
  at(stage: StageName): void;
  /** The trace of one that leads in, for the transaction that opens the session. */
  led(session: Id<'ses'>): SignInTrace;
};

/** An attempt that did not lead in, and whose it was. */
export type RefusedOtherwise = {
  trace: Id<'sgn'>;
  method: OtherMethod;
  user: Id<'usr'>;
  subject: string | null;
  stages: readonly Stage[];
  stage: StageName;
};

/**
 * Does a sign-in without an identity provider and traces how it ends: a refusal is thrown on with the number of its trace. INVARIANT (nothing
 * to strangers): the refusal of a passkey has a number also where nobody's passkey was shown, so that both look the same.
 */
export async function traceAttempt<T>(
  anybody: Ctx,
  method: OtherMethod,
  work: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const trace = newId('sgn', anybody.now.getTime());
  const held: StageName[] = [];
  let stage: StageName = 'proof';
  let whose: { ctx: Ctx; user: Id<'usr'>; subject: string } | undefined;
  const passed = (): Stage[] => held.map((s) => ({ stage: s, ok: true }));
  const attempt: Attempt = {
    trace,
    isOf(ctx, user, subject) {
      whose = { ctx, user, subject };
    },
    at(next) {
      held.push(stage);
      stage = next;
    },
    led(session) {
      if (!whose) throw new TypeError('a sign-in of nobody');
      const { user, subject } = whose;
      const stages: Stage[] = [...passed(), { stage, ok: true, found: session }];
      return { id: trace, at: anybody.now, method, connection: null, user, subject, outcome: 'signed_in', stages };
    },
  };
  try {
    return await work(attempt);
  } catch (e) {
    if (!(e instanceof Problem) || e.kind === 'bug') throw e;
    const kept = whose && (await keepRefusal(whose.ctx, { trace, method, ...whose, stages: passed(), stage }, e));
    if (!kept) anybody.log.info({ trace, method, code: e.code }, 'a sign-in was refused and left no trace');
    throw kept || method === 'passkey' ? numbered(e, { trace, at: anybody.now.toISOString() }) : e;
  }
}

/** Writes down how an attempt was refused; false: too many of them, and nothing was written. */
export const keepRefusal = (ctx: Ctx, r: RefusedOtherwise, p: Problem): Promise<boolean> =>
  change({ ...ctx, org: undefined, actor: { kind: 'nobody' } }, async (tx) => {
    const { method, user } = r;
    const since = newId('sgn', ctx.now.getTime() - WINDOW_MS);
    if ((await countRefused(tx, { method, user, since, most: MAX_REFUSED })).n >= MAX_REFUSED)
      return { value: false, unchanged: true };
    const because = typeof p.cause === 'string' ? { found: p.cause } : {};
    const failed: Stage = {
      stage: r.stage,
      ok: false,
      code: p.code,
      says: p.says,
      ...because,
      ...(p.fix === undefined ? {} : { fix: p.fix }),
    };
    await insertTrace(tx, {
      id: r.trace,
      at: ctx.now,
      method,
      connection: null,
      user,
      subject: r.subject,
      outcome: p.code,
      stages: [...r.stages, failed],
    });
    return {
      value: true,
      events: [event(identityEvents, 'sign_in.refused_otherwise', { trace: r.trace, method, user, code: p.code })],
    };
  });

/** The same refusal, with the number that its person can hand on. */
const numbered = ({ kind, code, says, fix, more, cause }: Problem, number: { trace: Id<'sgn'>; at: string }): Problem =>
  new Problem(kind, code, { says, fix, more: { ...more, ...number }, because: cause });
