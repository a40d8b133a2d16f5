import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Catalogue } from './catalogue.ts';
import { checkCedar, type CheckedCedar, type ExpertPolicy } from './check-cedar.ts';
import { loadContent } from './content.sql.ts';
import { differences, setOf, type Difference } from './content.ts';
import { listPeople } from './people.sql.ts';
import { planHash } from './plan-hash.ts';
import { currentNumber } from './policy-version.sql.ts';
import { preview, type Preview } from './preview.ts';
import { resolveWish } from './resolve-wish.ts';
import type { Rule } from './rule.ts';
import { listGroupNames } from './rule.sql.ts';
import type { Wish } from './wish.ts';

export type Previewed = Omit<Preview, 'groups'> & {
  /** The version that it was computed against. */
  version: number;
  /** Send it as `previewed` with the change: it is then made only if all this is still so. */
  hash: string;
  groups: (Preview['groups'][number] & { name: string })[];
  differences: Difference[];
  /** The rule or the policy in Cedar that the change would make. */
  rule: Rule | undefined;
  cedar: (ExpertPolicy & CheckedCedar) | undefined;
};

/** Who gains and who loses what if this change is made: computed from the same wish, and changes nothing. */
export const previewChange = (
  ctx: OrgCtx,
  wish: Wish,
  catalogue: Pick<Catalogue, 'hasConnector' | 'reviewedTools' | 'types'>,
): Promise<Previewed> =>
  ctx.db.read(scopeOf(ctx), async (db) => {
    const before = await loadContent(db);
    const { after, about } = await resolveWish(db, before, wish, ctx.now, catalogue);
    const expert = after.cedar.find((p) => p.id === about);
    const [people, tools] = [await listPeople(db), await catalogue.reviewedTools(db)];
    const seen = preview(setOf(ctx.org, before), setOf(ctx.org, after), people, tools);
    const names = new Map(
      (
        await listGroupNames(
          db,
          seen.groups.map((g) => g.group),
        )
      ).map((g) => [g.id, g.name]),
    );
    return {
      ...seen,
      version: await currentNumber(db),
      hash: await planHash(db, before, wish, ctx.org, (reader) => catalogue.reviewedTools(reader)),
      groups: seen.groups.map((g) => ({ ...g, name: names.get(g.group) ?? g.group })),
      differences: differences(before, after),
      rule: after.rules.find((r) => r.id === about),
      cedar: expert && { ...expert, ...checkCedar(expert.cedar) },
    };
  });
