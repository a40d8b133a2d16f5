import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type Ctx, type OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { hashSecret, isSecret, newSecret } from '../cookies.ts';
import { noSuchConnection } from '../sso-connection.ts';
import { lookupConnectionParent } from '../sso-connection.sql.ts';
import { testPlace, type TestResult } from './close-test.ts';
import { enforcementEvents } from './enforcement.events.ts';
import { findTest, insertTest, lookupTest, type SsoTest } from './sso-test.sql.ts';

/** Time for whoever administers the identity provider to try, change something there and try again. */
export const TEST_MS = 2 * 3_600_000;

/** Makes a dry sign-in through a connection, switched on or not: an address that whoever has it can open for two hours, with no account here. */
export async function beginTest(
  ctx: OrgCtx,
  connection: Id<'sso'>,
): Promise<{ id: Id<'tst'>; url: string; expiresAt: Date }> {
  if ((await ctx.db.lookup(lookupConnectionParent(connection)))?.parent !== ctx.parent) throw noSuchConnection();
  const token = newSecret();
  const id = newId('tst', ctx.now.getTime());
  const expiresAt = new Date(ctx.now.getTime() + TEST_MS);
  const begunBy = 'id' in ctx.actor ? ctx.actor.id : ctx.actor.kind;
  return change(ctx, async (tx) => {
    await insertTest(tx, { id, connection, begunBy, createdAt: ctx.now, expiresAt }, hashSecret(token));
    return {
      value: { id, url: `${ctx.origin}/sign-in/test/${token}`, expiresAt },
      events: [event(enforcementEvents, 'sso.test_begun', { test: id, connection })],
    };
  });
}

export const noSuchTest = (): Problem =>
  new Problem('missing', 'identity/no-such-test', {
    says: 'there is no such test of a connection, or it is over',
    fix: 'make another: POST …/sso-connections/{connection}/tests',
  });

/** The test that the secret of an address is for, while it can be used. */
export async function openTest(anybody: Ctx, token: string): Promise<{ ctx: OrgCtx; test: SsoTest }> {
  const found = isSecret(token) ? await anybody.db.lookup(lookupTest(hashSecret(token))) : undefined;
  if (!found) throw noSuchTest();
  const ctx: OrgCtx = { ...anybody, parent: found.parent, org: found.org };
  const test = await ctx.db.read(scopeOf(ctx), (db) => findTest(db, found.test));
  if (!test || test.expiresAt <= ctx.now) throw noSuchTest();
  return { ctx, test };
}

/** What it showed; undefined while nobody has come back from the identity provider. */
export async function resultOf(ctx: OrgCtx, test: SsoTest): Promise<TestResult | undefined> {
  if (!test.sealed) return undefined;
  // Sealed by us, so its form is ours.
  const result: TestResult = JSON.parse((await ctx.seal.open(testPlace(ctx.org, test.id), test.sealed)).toString());
  return result;
}
