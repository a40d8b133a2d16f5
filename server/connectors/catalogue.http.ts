import { z } from 'zod';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { toolClasses } from '#policy/schema.ts';
import { accesses, actsAs } from '#vault/vendor-auth.ts';
import { InOrg } from './connector-door.ts';
import { modes, type Manifest } from './kit/manifest.ts';
import { actsAsOf, modesOf, schemaOf } from './vendor-choice.ts';
import { vendors } from './vendors/all-vendors.ts';

const Schema = z.record(z.string(), z.unknown());
const Entry = z.object({
  type: z.string(),
  name: z.string(),
  says: z.string(),
  modes: z.array(z.object({ mode: z.enum(modes), note: z.string().nullable() })),
  actsAs: z.array(z.enum(actsAs)),
  /** JSON Schema of what an administrator says about a connector. */
  settings: Schema,
  /** Addresses by role; a connector may have others. */
  origins: z.record(z.string(), z.string()),
  /** What each access level asks the vendor for, where people consent. */
  access: z.array(z.object({ access: z.enum(accesses), scopes: z.array(z.string()) })),
  /** Kinds of account that the organization can give, and what is entered for each. */
  organization: z.array(
    z.object({ kind: z.string(), name: z.string(), actsAs: z.array(z.enum(actsAs)), fields: Schema }),
  ),
  tools: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      description: z.string(),
      class: z.enum(toolClasses),
      brings: z.array(z.string()),
      outward: z.boolean(),
      scopes: z.array(z.string()),
    }),
  ),
});

const shown = (m: Manifest): z.infer<typeof Entry> => ({
  type: m.type,
  name: m.name,
  says: m.says,
  modes: modesOf(m).map((mode) => ({ mode, note: mode === 'remote' ? (m.remote?.note ?? null) : null })),
  actsAs: actsAsOf(m),
  settings: schemaOf(m.settings),
  origins: { ...m.origins },
  access: m.oauth ? accesses.map((access) => ({ access, scopes: [...(m.oauth?.scopes[access] ?? [])] })) : [],
  organization: m.organization.map((g) => ({
    kind: g.kind,
    name: g.name,
    actsAs: [...g.actsAs],
    fields: schemaOf(g.fields),
  })),
  tools: (m.builtin?.tools ?? [])
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, title, description, class: cls, brings, outward, scopes }) => ({
      name,
      title,
      description,
      class: cls,
      brings: [...brings],
      outward,
      scopes: [...scopes],
    })),
});

export const catalogueOperations: readonly Operation[] = [
  operation({
    id: 'catalogue.list',
    at: 'GET /orgs/:org/catalogue',
    can: 'connector.read',
    says: 'Lists the kinds of systems that a connector can be made for, with what each asks for and offers.',
    params: InOrg,
    query: ListQuery,
    reply: listOf(Entry),
    handle: async (_ctx, { query: { q, limit, cursor } }) => {
      const like = q?.toLowerCase();
      const rows = vendors
        .filter((v) => like === undefined || `${v.type} ${v.name} ${v.says}`.toLowerCase().includes(like))
        .toSorted((a, b) => (a.type < b.type ? -1 : 1))
        .filter((v) => cursor?.[0] === undefined || v.type > cursor[0]);
      return listed(rows.map(shown), limit, (v) => [v.type]);
    },
  }),
];
