import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { enforce } from './enforce.ts';
import { insertHit } from './enforcement.sql.ts';
import { notThisWay, type Via } from './enforcement.ts';
import { enforcementEvents } from './enforcement.events.ts';

/**
 * Asks what a person's organizations insist on, before a session is opened. Each organization that refuses, or in report-only would,
 * writes that into its own log; then a refusal is thrown. To be called outside a transaction.
 */
export async function meetEnforcement(ctx: Ctx, who: { user: Id<'usr'>; via: Via }): Promise<void> {
  const judged = await ctx.db.read({ parent: ctx.parent }, (db) => enforce(db, who));
  const { user, via } = who;
  const hits = judged.wouldRefuse.map((a) => ({ org: a.org, refused: false }));
  if (judged.kind === 'refused') hits.push({ org: judged.by.org, refused: true });
  const connection = via.kind === 'sso' ? via.connection : null;
  for (const { org, refused } of hits)
    await change({ ...ctx, org, actor: { kind: 'system', id: 'sign-in' } }, async (tx) => {
      await insertHit(tx, { id: newId('hit', ctx.now.getTime()), user, via, refused }, ctx.now);
      return {
        value: undefined,
        events: [event(enforcementEvents, 'sso.not_single_sign_on', { user, via: via.kind, connection, refused })],
      };
    });
  if (judged.kind === 'refused') throw notThisWay(judged.by, via);
}
