import { z } from 'zod';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { noSuchOrg } from '#org/org.ts';
import { noSuchConnection } from '../sso-connection.ts';
import { signInMethods, Stage, stageNames } from '../sign-in-trace.ts';
import { beginTest, noSuchTest, resultOf } from './begin-test.ts';
import { explainSignIn, noSuchTrace } from './explain-sign-in.ts';
import { findTest } from './sso-test.sql.ts';
import { replaySignIn } from './replay-sign-in.ts';

const Time = z.iso.datetime({ offset: true });
const idOf = <K extends string>(kind: K, missing: () => Error) =>
  z.string().transform((text): Id<K> => {
    const id = parseId(kind, text);
    if (!id) throw missing();
    return id;
  });
const TracePath = z.object({ org: z.string(), trace: idOf('sgn', noSuchTrace) });
const ConnectionPath = z.object({ org: z.string(), connection: idOf('sso', noSuchConnection) });

const inOrg = (ctx: Ctx): OrgCtx => {
  if (!ctx.org) throw noSuchOrg();
  return { ...ctx, org: ctx.org };
};

const ShownStages = z.array(
  z.object({
    stage: z.enum(stageNames),
    state: z.enum(['passed', 'refused', 'not_reached']),
    code: z.string().nullable(),
    expected: z.string().nullable(),
    actual: z.string().nullable(),
  }),
);
const Refused = z.object({ stage: z.string(), code: z.string(), says: z.string(), repair: z.string() }).nullable();

const TestShown = z.object({
  id: z.string(),
  connection: z.string(),
  state: z.enum(['waiting', 'finished']),
  expiresAt: Time,
  finishedAt: Time.nullable(),
  /** `would_sign_in`, or the code of the refusal. */
  outcome: z.string().nullable(),
  received: z.array(z.object({ name: z.string(), values: z.array(z.string()) })),
  mapped: z.array(z.object({ name: z.string(), value: z.string() })),
  stages: z.array(Stage),
  orgs: z.array(
    z.object({
      org: z.string(),
      name: z.string(),
      mode: z.string(),
      admit: z.boolean(),
      role: z.string().nullable(),
      reasons: z.array(z.string()),
    }),
  ),
});

/** Why a sign-in was refused, the same again by today's configuration, and dry sign-ins; under `/api`. */
export const explainOperations: readonly Operation[] = [
  operation({
    id: 'identity.explain_sign_in',
    at: 'GET /orgs/:org/sign-ins/:trace/explain',
    can: 'trace.read',
    says: 'Says why a sign-in ended as it did: each stage with what was expected and found, one repair, and how many others failed so within 24 hours.',
    params: TracePath,
    reply: z.object({
      id: z.string(),
      at: Time,
      method: z.enum(signInMethods),
      /** Whom it was about, where that is known. */
      user: z.string().nullable(),
      outcome: z.string(),
      refused: Refused,
      stages: ShownStages,
      similar: z.object({
        count: z.number(),
        people: z.number(),
        connections: z.array(z.string()),
        newest: z.array(z.string()),
      }),
    }),
    async handle(ctx, { params }) {
      const { trace, ...rest } = await explainSignIn(inOrg(ctx), params.trace);
      const { id, at, method, user, outcome } = trace;
      return { id, at: at.toISOString(), method, user, outcome, ...rest };
    },
  }),
  operation({
    id: 'identity.replay_sign_in',
    at: 'POST /orgs/:org/sign-ins/:trace/replay',
    can: 'trace.read',
    says: 'Judges a refused single sign-on by the configuration of today, from what was kept of it for seven days; nobody is let in.',
    params: TracePath,
    reply: z.object({ outcome: z.string(), was: z.string(), refused: Refused, stages: ShownStages }),
    handle: (ctx, { params }) => replaySignIn(inOrg(ctx), params.trace),
  }),
  operation({
    id: 'identity.test_connection',
    at: 'POST /orgs/:org/sso-connections/:connection/tests',
    can: 'sso.manage',
    says: 'Makes a dry sign-in through a connection, switched on or not: open the address in a browser and sign in at the identity provider; nobody is let in or linked.',
    params: ConnectionPath,
    status: 201,
    reply: z.object({ id: z.string(), url: z.url(), expiresAt: Time }),
    async handle(ctx, { params }) {
      const t = await beginTest(inOrg(ctx), params.connection);
      return { ...t, expiresAt: t.expiresAt.toISOString() };
    },
  }),
  operation({
    id: 'identity.read_test',
    at: 'GET /orgs/:org/sso-connections/:connection/tests/:test',
    can: 'sso.manage',
    says: 'Shows what a dry sign-in showed: each claim as received and as mapped, and what would have happened.',
    params: ConnectionPath.extend({ test: idOf('tst', noSuchTest) }),
    reply: TestShown,
    async handle(ctx, { params }) {
      const org = inOrg(ctx);
      const test = await ctx.db.read({ parent: org.parent, org: org.org }, (db) => findTest(db, params.test));
      if (!test || test.connection !== params.connection) throw noSuchTest();
      const r = await resultOf(org, test);
      return {
        id: test.id,
        connection: test.connection,
        state: r ? ('finished' as const) : ('waiting' as const),
        expiresAt: test.expiresAt.toISOString(),
        finishedAt: test.finishedAt?.toISOString() ?? null,
        outcome: r?.outcome ?? null,
        received: r?.received ?? [],
        mapped: r?.mapped ?? [],
        stages: r?.stages ?? [],
        orgs: r?.orgs ?? [],
      };
    },
  }),
];
