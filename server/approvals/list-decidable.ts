import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { loadPolicySet } from '#policy/load-policy-set.ts';
import type { Approval } from './approval.ts';
import { listApprovals } from './approval.sql.ts';
import { casesOf } from './cases.ts';
import { judge, type Judgement } from './judge.ts';
import { mannerOf, personOf } from './person.ts';
import type { Tools } from './tools.ts';

export type Decidable = { approval: Approval; judgement: Judgement };
/** A place in the order of the list: newest first. */
export type Place = { asked: Date; id: string };

/** Requests read at once while looking for those that a person may decide. */
const CHUNK = 200;
/** Requests looked at for one page; a page may be short, or empty, and still have a next one. */
const MAX_LOOKED_AT = 2000;

/**
 * What waits for this person: requests that the rules let him approve, from here or in another manner. The policies say for each request; no
 * list of approvers is kept, so a change of rules or groups counts at once.
 */
export function listDecidable(
  ctx: OrgCtx,
  tools: Tools,
  f: { q: string | null; before: Place | undefined; limit: number },
): Promise<{ items: Decidable[]; next: Place | undefined }> {
  const { user } = personOf(ctx);
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const cases = casesOf(db, tools, await loadPolicySet(db), ctx.now);
    const manner = await mannerOf(db, ctx, false);
    const items: Decidable[] = [];
    let before = f.before;
    for (let looked = 0; looked < MAX_LOOKED_AT; looked += CHUNK) {
      const rows = await listApprovals(db, {
        state: 'pending',
        askedBy: undefined,
        q: f.q,
        before,
        now: ctx.now,
        limit: CHUNK,
      });
      for (const approval of rows) {
        const judgement = await judged(approval);
        if (!judgement || !(judgement.may || judgement.elsewhere)) continue;
        if (items.length === f.limit) return { items, next: before };
        items.push({ approval, judgement });
        before = { asked: approval.asked, id: approval.id };
      }
      const last = rows.at(-1);
      if (!last || rows.length < CHUNK) return { items, next: undefined };
      before = { asked: last.asked, id: last.id };
    }
    return { items, next: before };

    async function judged(a: Approval): Promise<Judgement | undefined> {
      const [at, decider] = [await cases.of(a), await cases.decider(user, a)];
      return at && decider && judge(at, decider, manner);
    }
  });
}
