import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Proved } from '../admit-identity.ts';
import type { IdClaims } from '../relying-party.ts';
import type { Intent } from '../sign-in-attempt.sql.ts';
import type { Stage } from '../sign-in-trace.ts';
import { insertTrace } from '../sign-in-trace.sql.ts';
import { enforcementEvents } from './enforcement.events.ts';
import { foresee } from './foresee.ts';
import { saveTestFinished } from './sso-test.sql.ts';

/** What a dry sign-in showed: each claim as received and as mapped, what every organization would make of it, stage by stage. */
export type TestResult = {
  outcome: string;
  received: { name: string; values: string[] }[];
  mapped: { name: string; value: string }[];
  stages: Stage[];
  orgs: { org: string; name: string; mode: string; admit: boolean; role: string | null; reasons: string[] }[];
};

export const testPlace = (org: Id<'org'>, test: Id<'tst'>) => ({
  table: 'sso_test',
  scope: org,
  row: test,
  generation: 1,
});

const mappedOf = (c: IdClaims): TestResult['mapped'] => {
  const { said } = c;
  const groups = said.groups === 'too_many' ? 'too many to be sent (overage)' : said.groups.join(', ');
  const all: [string, string | undefined][] = [
    ['subject', c.subject],
    ['object id', c.oid],
    ['email', said.email],
    ['name', said.displayName],
    ['department', said.department],
    ['groups', groups === '' ? undefined : groups],
  ];
  return all.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
};

/**
 * Ends a dry sign-in: foresees what a real one would do, and keeps the result for whoever began it. INVARIANT (dry): no session, no link, no
 * member, no group comes of it. `outcome` is given where the identity was not proved.
 */
export async function closeTest(
  ctx: Ctx,
  intent: Extract<Intent, { kind: 'test' }>,
  a: {
    connection: Proved['connection'];
    claims: IdClaims | undefined;
    trace: Id<'sgn'>;
    stages: readonly Stage[];
    outcome?: string;
  },
): Promise<void> {
  const seen =
    a.claims && a.outcome === undefined
      ? await foresee(ctx, { connection: a.connection, claims: a.claims })
      : undefined;
  const result: TestResult = {
    outcome: a.outcome ?? seen?.outcome ?? 'would_sign_in',
    received: (a.claims?.received ?? []).map((r) => ({ name: r.name, values: [...r.values] })),
    mapped: a.claims ? mappedOf(a.claims) : [],
    stages: [...a.stages, ...(seen?.stages ?? [])],
    orgs: (seen?.verdicts ?? []).map(({ org, orgName: name, mode, decision: d }) => ({
      org,
      name,
      mode,
      admit: d.admit,
      role: d.role ?? null,
      reasons: d.reasons,
    })),
  };
  const sealed = await ctx.seal.seal(testPlace(intent.org, intent.test), Buffer.from(JSON.stringify(result)));
  await change({ ...ctx, org: intent.org, actor: { kind: 'system', id: 'sso-test' } }, async (tx) => {
    await saveTestFinished(tx, intent.test, { outcome: result.outcome, sealed }, ctx.now);
    await insertTrace(tx, {
      id: a.trace,
      at: ctx.now,
      method: 'sso',
      connection: a.connection.id,
      user: null,
      subject: a.claims?.subject ?? null,
      outcome: 'tested',
      stages: result.stages,
    });
    return {
      value: undefined,
      events: [
        event(enforcementEvents, 'sso.test_finished', {
          test: intent.test,
          connection: a.connection.id,
          outcome: result.outcome,
        }),
      ],
    };
  });
}
