import type { Id } from '#kernel/id.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { addDomain } from '#domains/add-domain.ts';
import { checkDomain } from '#domains/check-domain.ts';
import { findDomain } from '#domains/domain.sql.ts';
import type { Herald } from '#domains/herald.ts';
import { shownDomain } from '#domains/shown-domain.ts';

/** A domain as the set-up pages show it: the record to set, and how it stands. */
export type DomainCard = {
  id: Id<'dom'>;
  name: string;
  record: { type: string; host: string; orHost: string; value: string };
  state: 'pending' | 'verified' | 'failing' | 'lapsed' | 'conflict';
  says: string;
  fix: string | undefined;
  checkedAt: string | null;
};

/** What the set-up pages need of the domains room. */
export type DomainDesk = {
  add(ctx: OrgCtx, name: string): Promise<Id<'dom'>>;
  check(ctx: OrgCtx, id: Id<'dom'>): Promise<void>;
  /** Those that are still there. */
  list(ctx: OrgCtx, ids: readonly Id<'dom'>[]): Promise<DomainCard[]>;
};

/** The domains room, as it serves a set-up link. */
export const domainDesk = (herald: Herald): DomainDesk => ({
  add: async (ctx, name) => (await addDomain(ctx, { domain: name, includeSubdomains: false })).id,
  async check(ctx, id) {
    await checkDomain(ctx, herald, id, true);
  },
  list: (ctx, ids) =>
    ctx.db.read({ parent: ctx.parent }, async (db) => {
      const cards: DomainCard[] = [];
      for (const id of ids) {
        const found = await findDomain(db, id);
        if (!found) continue;
        const { shown, record, state, says, fault, checkedAt } = shownDomain(found);
        cards.push({ id, name: shown, record, state, says, fix: fault?.fix, checkedAt });
      }
      return cards;
    }),
});
