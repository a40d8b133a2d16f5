import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import { parseId } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { noVersion, type Catalogue } from './catalogue.ts';
import { CheckedShown } from './cedar.http.ts';
import { changePolicies } from './change-policies.ts';
import { differences, setOf, type PolicyContent } from './content.ts';
import { loadContent } from './content.sql.ts';
import { wordsAfterReading } from './after-reading.ts';
import { wordsOfControl } from './control.ts';
import { VersionShown } from './controls.http.ts';
import { InOrg, sayingWhy, WishForm } from './forms.ts';
import { currentNumber, findVersion, listVersions, type PolicyVersion } from './policy-version.sql.ts';
import { listAccountNames } from './people.sql.ts';
import { previewChange } from './preview-change.ts';
import { effects } from './preview.ts';
import { wordsOf } from './rule.ts';
import { RuleShown, shownRule } from './shown-rule.ts';
import { currentOrg } from './rule.sql.ts';
import { standings } from './standing.ts';
import { wordsOfType } from './type-control.ts';

const Version = VersionShown.extend({
  /** What kind of change made it; `about` is the rule, control or policy. */
  kind: z.string(),
  about: z.string().nullable(),
  restored: z.number().nullable(),
  reason: z.string().nullable(),
  madeBy: z.string(),
  maker: z.string().nullable().describe('As the account is called now.'),
  madeAt: z.string(),
});
async function shown(db: Reader, versions: readonly PolicyVersion[]): Promise<z.input<typeof Version>[]> {
  const makers = await listAccountNames(
    db,
    versions.flatMap((v) => parseId('usr', v.madeBy) ?? []),
  );
  const names = new Map<string, string>(makers.map((m) => [m.user, m.displayName]));
  return versions.map((v) => ({ ...v, maker: names.get(v.madeBy) ?? null, madeAt: v.madeAt.toISOString() }));
}

const Difference = z.object({
  what: z.enum(['rule', 'control', 'cedar', 'settings']),
  id: z.string().nullable(),
  change: z.enum(['added', 'removed', 'changed']),
  before: z.string().nullable(),
  after: z.string().nullable(),
});

const Content = z.object({
  number: z.number(),
  hash: z.string(),
  made: Version.nullable(),
  settings: z.object({ mode: z.string(), defaultAccess: z.string(), timeZone: z.string() }),
  afterReading: z.object({ outward: z.string(), hours: z.number(), words: z.string() }),
  types: z.array(z.object({ id: z.string(), type: z.string(), words: z.string() })),
  rules: z.array(z.object({ id: z.string(), name: z.string(), words: z.string() })),
  controls: z.array(z.object({ id: z.string(), words: z.string() })),
  cedar: z.array(z.object({ id: z.string(), name: z.string(), cedar: z.string() })),
});

const number = z.string().transform((text): number => {
  if (!/^(?:0|[1-9][0-9]{0,8})$/.test(text)) throw noVersion(text.slice(0, 20));
  return Number(text);
});
const versionPath = InOrg.extend({ number });

/** What was in force in a version that there is. */
async function contentAt(db: Reader, at: number): Promise<PolicyContent> {
  if (at > (await currentNumber(db))) throw noVersion(at);
  return loadContent(db, at);
}

const count = z.object({ people: z.number(), pairs: z.number() });
const five = <T extends z.ZodType>(of: T) => ({ gains: of, loses: of, wider: of, narrower: of, differs: of });
const Preview = z.object({
  version: z.number(),
  hash: z.string(),
  looked: z.object({ people: z.number(), tools: z.number() }),
  counts: z.object(five(count)),
  groups: z.array(z.object({ group: z.string(), name: z.string(), ...five(z.number()) })),
  moreGroups: z.number(),
  lines: z.array(
    z.object({
      effect: z.enum(effects),
      from: z.enum(standings),
      to: z.enum(standings),
      connector: z.string(),
      connectorName: z.string(),
      tools: z.array(z.object({ name: z.string(), class: z.string() })),
      toolCount: z.number(),
      people: z.array(z.object({ user: z.string(), name: z.string() })),
      peopleCount: z.number(),
    }),
  ),
  more: z.number(),
  differences: z.array(Difference),
  rule: RuleShown.nullable().describe('The rule that the change would make, in words and in Cedar.'),
  cedar: CheckedShown.nullable().describe('How the policy in Cedar that the change would make is evaluated.'),
});

/** The versions of everything that was said about who may do what, and the look at a change before it is made. */
export const versionOperations = (catalogue: Catalogue): Operation[] => [
  operation({
    id: 'policy.preview_change',
    at: 'POST /orgs/:org/policy/preview',
    can: 'policy.manage',
    says: 'Computes who would gain and who would lose what by a change; its hash, sent as previewed, binds the change to what was seen.',
    params: InOrg,
    body: WishForm,
    reply: Preview,
    async handle(ctx, { body }) {
      const { rule, cedar, ...seen } = await previewChange(inOrg(ctx), body, catalogue);
      return {
        ...seen,
        rule: rule ? shownRule(rule, inOrg(ctx).org) : null,
        cedar: cedar ? { engine: cedar.engine, lacks: cedar.lacks, warnings: cedar.warnings } : null,
      };
    },
  }),
  operation({
    id: 'policy.list_versions',
    at: 'GET /orgs/:org/policy/versions',
    can: 'policy.read',
    says: 'Lists the versions of the policies, newest first, with who made them and why; q searches reasons and what was changed.',
    params: InOrg,
    query: ListQuery,
    reply: listOf(Version),
    async handle(ctx, { query }) {
      const { limit, q, cursor } = query;
      // A place in this list is a number; what is not came from another list.
      const after = cursor?.[0] !== undefined && /^[0-9]{1,9}$/.test(cursor[0]) ? cursor : undefined;
      return ctx.db.read(scopeOf(ctx), async (db) => {
        const page = listed(await listVersions(db, { limit, q, after }), limit, (v) => [String(v.number)]);
        return { items: await shown(db, page.items), next: page.next };
      });
    },
  }),
  operation({
    id: 'policy.read_version',
    at: 'GET /orgs/:org/policy/versions/:number',
    can: 'policy.read',
    says: 'Shows what was in force in a version; 0 is what there was before the first.',
    params: versionPath,
    reply: Content,
    handle: (ctx, { params }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const content = await contentAt(db, params.number);
        const made = await findVersion(db, params.number);
        return {
          number: params.number,
          hash: made?.hash ?? setOf(await currentOrg(db), content).version,
          made: made ? ((await shown(db, [made]))[0] ?? null) : null,
          settings: content.settings,
          afterReading: {
            ...content.settings.afterReading,
            words: wordsAfterReading(content.settings.afterReading),
          },
          types: content.types.map((t) => ({ id: t.id, type: t.type, words: wordsOfType(t) })),
          rules: content.rules.map((r) => ({ id: r.id, name: r.name, words: wordsOf(r) })),
          controls: content.controls.map((c) => ({ id: c.id, words: wordsOfControl(c) })),
          cedar: content.cedar.map((p) => ({ id: p.id, name: p.name, cedar: p.cedar })),
        };
      }),
  }),
  operation({
    id: 'policy.compare_versions',
    at: 'GET /orgs/:org/policy/versions/:number/against/:other',
    can: 'policy.read',
    says: 'Says what is different in a version against another one: before is the other, after is this one.',
    params: versionPath.extend({ other: number }),
    reply: z.object({ differences: z.array(Difference) }),
    handle: (ctx, { params }) =>
      ctx.db.read(scopeOf(ctx), async (db) => ({
        differences: differences(await contentAt(db, params.other), await contentAt(db, params.number)),
      })),
  }),
  operation({
    id: 'policy.restore_version',
    at: 'POST /orgs/:org/policy/versions/:number/restore',
    can: 'policy.manage',
    says: 'Brings back what was in force in a version, as a new version.',
    params: versionPath,
    body: z.strictObject(sayingWhy),
    reply: VersionShown,
    async handle(ctx, { params, body }) {
      const wish = { kind: 'restore', version: params.number } as const;
      return (await changePolicies(inOrg(ctx), wish, body, catalogue)).version;
    },
  }),
];
