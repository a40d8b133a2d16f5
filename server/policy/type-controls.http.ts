import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { thens, wordsAfterReading } from './after-reading.ts';
import { noType, type Catalogue } from './catalogue.ts';
import { changePolicies } from './change-policies.ts';
import { findSettings } from './content.sql.ts';
import { VersionShown } from './controls.http.ts';
import { InOrg, sayingWhyQuery, SetAfterReadingForm, SetTypeForm, typeWanted } from './forms.ts';
import { currentNumber } from './policy-version.sql.ts';
import { listTypes, type StoredType } from './type-control.sql.ts';
import { typeStates, wordsOfType, type TypeControl } from './type-control.ts';

const AfterReadingShown = z.object({
  outward: z.enum(thens),
  hours: z.number(),
  words: z.string(),
  /** The number of the version in force: what a change sends as `expects`. */
  version: z.number(),
});

const TypeShown = z.object({
  type: z.string(),
  name: z.string(),
  /** Null: nothing is said, which is `on` with no access but by rules. */
  control: z.string().nullable(),
  state: z.enum(typeStates),
  groups: z.array(z.object({ group: z.string(), name: z.string().nullable() })),
  access: z.enum(['off', 'read', 'read_write']),
  words: z.string(),
  setBy: z.string().nullable(),
  setAt: z.string().nullable(),
});

function typeShown(type: { type: string; name: string }, c: TypeControl | StoredType | undefined) {
  const said = c ?? { type: type.type, state: 'on' as const, groups: [], access: 'off' as const };
  return {
    type: type.type,
    name: type.name,
    control: c?.id ?? null,
    state: said.state,
    groups: said.groups.map((g) => ({ group: g.group, name: g.name ?? null })),
    access: said.access,
    words: c ? wordsOfType(c) : 'nothing is said: rules and what holds by default decide',
    setBy: c && 'setBy' in c ? c.setBy : null,
    setAt: c && 'setAt' in c ? c.setAt.toISOString() : null,
  };
}

const OneType = InOrg.extend({ type: z.string().max(100) });

/** What holds for whole kinds of systems, and after sessions have read what may be told to them by others. */
export function typeControlOperations(catalogue: Catalogue): Operation[] {
  const named = (type: string): { type: string; name: string } => {
    const known = catalogue.types?.().find((t) => t.type === type);
    if (catalogue.types && !known) throw noType(type);
    return known ?? { type, name: type };
  };
  return [
    operation({
      id: 'policy.read_after_reading',
      at: 'GET /orgs/:org/policy/after-reading',
      can: 'policy.read',
      says: 'Says what becomes of outward actions of a session that has read both untrusted text and private content, and for how long that counts.',
      params: InOrg,
      reply: AfterReadingShown,
      handle: (ctx) =>
        ctx.db.read(scopeOf(ctx), async (db) => {
          const { afterReading: a } = await findSettings(db);
          return { ...a, words: wordsAfterReading(a), version: await currentNumber(db) };
        }),
    }),
    operation({
      id: 'policy.set_after_reading',
      at: 'PUT /orgs/:org/policy/after-reading',
      can: 'policy.manage',
      says: 'Has outward actions wait for a yes (ask, which is the default), be impossible (forbid) or go on (off) after a session has read both untrusted text and private content.',
      params: InOrg,
      body: SetAfterReadingForm,
      reply: AfterReadingShown,
      async handle(ctx, { body }) {
        const { reason, expects, previewed, ...afterReading } = body;
        const wish = { kind: 'set_after_reading', afterReading } as const;
        const changed = await changePolicies(inOrg(ctx), wish, { reason, expects, previewed }, catalogue);
        const { afterReading: a } = changed.content.settings;
        return { ...a, words: wordsAfterReading(a), version: changed.version.number };
      },
    }),
    operation({
      id: 'policy.list_types',
      at: 'GET /orgs/:org/policy/types',
      can: 'policy.read',
      says: 'Lists the kinds of systems of the catalogue with what holds for all connectors of each: on, off, or for groups only, and the access without any rule. q searches types and names.',
      params: InOrg,
      query: ListQuery,
      reply: listOf(TypeShown),
      async handle(ctx, { query }) {
        const { limit, q, cursor } = query;
        const controls = await ctx.db.read(scopeOf(ctx), (db) => listTypes(db));
        const known = catalogue.types?.() ?? controls.map((c) => ({ type: c.type, name: c.type }));
        const wanted = q?.toLowerCase() ?? '';
        const rest = known
          .filter((t) => t.type.includes(wanted) || t.name.toLowerCase().includes(wanted))
          .filter((t) => cursor?.[0] === undefined || t.type > cursor[0])
          .toSorted((a, b) => (a.type < b.type ? -1 : 1));
        const page = listed(rest, limit, (t) => [t.type]);
        return {
          items: page.items.map((t) =>
            typeShown(
              t,
              controls.find((c) => c.type === t.type),
            ),
          ),
          next: page.next,
        };
      },
    }),
    operation({
      id: 'policy.set_type_control',
      at: 'PUT /orgs/:org/policy/types/:type',
      can: 'policy.manage',
      says: 'Switches all connectors of a type off, opens them to everyone, or to people of some groups only; and says what they have of them without any rule.',
      params: OneType,
      body: SetTypeForm,
      reply: TypeShown.extend({ version: VersionShown }),
      async handle(ctx, { params, body }) {
        const type = named(params.type);
        const { reason, expects, previewed } = body;
        const wish = { kind: 'set_type_control', control: typeWanted(params.type, body) } as const;
        const changed = await changePolicies(inOrg(ctx), wish, { reason, expects, previewed }, catalogue);
        const made = changed.content.types.find((t) => t.type === params.type);
        return { ...typeShown(type, made), version: changed.version };
      },
    }),
    operation({
      id: 'policy.remove_type_control',
      at: 'DELETE /orgs/:org/policy/types/:type',
      can: 'policy.manage',
      says: 'Takes back what was said about connectors of a type; rules and what holds by default remain.',
      params: OneType,
      query: sayingWhyQuery,
      reply: z.object({}),
      status: 204,
      async handle(ctx, { params, query }) {
        await changePolicies(inOrg(ctx), { kind: 'remove_type_control', type: params.type }, query, catalogue);
        return {};
      },
    }),
  ];
}
