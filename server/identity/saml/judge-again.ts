import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { IdClaims } from '../relying-party.ts';
import { SignInRefused, type Refusal } from '../sign-in-refusal.ts';
import type { Stage } from '../sign-in-trace.ts';
import { findSamlConnection } from './connection.sql.ts';
import { domainStage, expectationsOf } from './expectations.ts';
import type { Received } from './attributes.ts';
import { idClaimsOf } from './finish-saml-sign-in.ts';
import { judge, peek } from './judges.ts';
import { messagePlace } from './record-refusal.ts';
import { samlEvents } from './saml.events.ts';
import { findMessage } from './state.sql.ts';

/** How a refused response would fare today. `received`: its attributes, where they could be believed. */
export type JudgedAgain = {
  outcome: string;
  stages: Stage[];
  received: readonly Received[];
  /** Who it proves, where it passes. */
  identity: IdClaims | undefined;
};

/** Judges a refused response with today's configuration and the clock of then. Signs nobody in; the log says that somebody looked. */
export async function judgeAgain(ctx: OrgCtx, trace: Id<'sgn'>): Promise<JudgedAgain> {
  const found = await ctx.db.read({ parent: ctx.parent }, async (db) => {
    const m = await findMessage(db, trace, ctx.now);
    return m && { ...m, connection: await findSamlConnection(db, m.connection) };
  });
  if (!found?.connection)
    throw new Problem('missing', 'identity/saml-no-message', {
      says: 'there is no refused response of this sign-in',
      fix: 'responses are kept for seven days, and only refused ones',
    });
  const { connection, expected } = found;
  const message = (await ctx.seal.open(messagePlace(ctx.parent, trace), found.sealed)).toString();
  const stages: Stage[] = [];
  let received: readonly Received[] = [];
  let identity: IdClaims | undefined;
  let failed: Refusal | undefined;
  try {
    const { encrypted } = await peek(message);
    const home: OrgCtx = { ...ctx, org: connection.org };
    const x = await expectationsOf(home, connection, {
      now: new Date(expected.now),
      request: expected.request ?? undefined,
      encrypted,
    });
    const verdict = await judge(message, x);
    stages.push(...verdict.stages);
    if (verdict.ok) {
      received = verdict.claims.received;
      identity = idClaimsOf(verdict.claims);
      stages.push(await domainStage(home, connection, verdict.claims.asserted.email));
    } else failed = verdict.refusal;
  } catch (e) {
    if (!(e instanceof SignInRefused)) throw e;
    failed = e.refusal;
  }
  const outcome = failed?.code ?? 'passed';
  if (failed) {
    const { stage, code, says, fix, found: was, expected: wanted } = failed;
    stages.push({ stage, ok: false, code, says, fix, found: was, expected: wanted });
  }
  return change({ ...ctx, org: undefined }, async () => ({
    value: { outcome, stages, received, identity: failed ? undefined : identity },
    events: [event(samlEvents, 'sso.saml_response_judged_again', { trace, outcome })],
  }));
}
