import { z } from 'zod';
import { json, read, sql, write, type Fragment, type Query, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Projection } from '#policy/argument.ts';
import { brought, toolClasses } from '#policy/schema.ts';
import { INSTRUCTIONS, toolStates, type Said, type Seen, type Tool } from './tool.ts';

const said = (by: string | null, at: Date | null): Said | undefined =>
  by === null || at === null ? undefined : { by, at };

const ToolRow = z
  .object({
    connector: z.custom<Id<'con'>>(),
    name: z.string(),
    pin: z.string(),
    definition: z.string(),
    state: z.enum(toolStates),
    class: z.enum(toolClasses).nullable(),
    reviewedPin: z.string().nullable(),
    reviewedDefinition: z.string().nullable(),
    projection: Projection.nullable(),
    stricter: z.string().nullable(),
    brings: z.array(z.enum(brought)).nullable(),
    outward: z.boolean().nullable(),
    reviewedBy: z.string().nullable(),
    reviewedAt: z.date().nullable(),
    closedBy: z.string().nullable(),
    closedAt: z.date().nullable(),
    firstSeen: z.date(),
    since: z.date(),
  })
  .transform(({ reviewedBy, reviewedAt, closedBy, closedAt, ...t }): Tool => ({
    ...t,
    class: t.class ?? undefined,
    reviewedPin: t.reviewedPin ?? undefined,
    reviewedDefinition: t.reviewedDefinition ?? undefined,
    projection: t.projection ?? [],
    stricter: t.stricter ?? undefined,
    brings: t.brings ?? undefined,
    outward: t.outward ?? undefined,
    reviewed: said(reviewedBy, reviewedAt),
    closed: said(closedBy, closedAt),
  }));

const tools = (where: Fragment): Query<Tool> =>
  read(ToolRow)`
    select t.connector, t.name, t.pin, d.definition, t.state, r.class, t.reviewed_pin as "reviewedPin", r.definition as "reviewedDefinition",
           r.projection, r.stricter, r.brings, r.outward, r.reviewed_by as "reviewedBy", r.reviewed_at as "reviewedAt",
           case when d.verdict = 'closed' then d.reviewed_by end as "closedBy",
           case when d.verdict = 'closed' then d.reviewed_at end as "closedAt",
           t.first_seen as "firstSeen", d.first_seen as since
      from tool t
      join tool_definition d on d.org = t.org and d.connector = t.connector and d.name = t.name and d.pin = t.pin
      left join tool_definition r on r.org = t.org and r.connector = t.connector and r.name = t.name and r.pin = t.reviewed_pin
     where t.org = app_org() and ${where}`;

/** Every tool of every connector of the org, by name. */
export const listTools = (db: Reader): Promise<Tool[]> =>
  db.many(tools(sql`t.name <> ${INSTRUCTIONS} order by t.connector, t.name collate "C"`));

export const listToolsOf = (db: Reader, connector: Id<'con'>): Promise<Tool[]> =>
  db.many(
    tools(sql`t.connector = ${connector} and t.name <> ${INSTRUCTIONS} order by t.connector, t.name collate "C"`),
  );

/** What each connector of the org tells clients of itself. */
export const listInstructions = (db: Reader): Promise<Tool[]> =>
  db.many(tools(sql`t.name = ${INSTRUCTIONS} order by t.connector`));

/** Tools and instructions of a connector. */
export const listReviewable = (db: Reader, connector: Id<'con'>): Promise<Tool[]> =>
  db.many(tools(sql`t.connector = ${connector} order by t.name collate "C"`));

/** A tool, or the instructions by their name. */
export const findTool = (db: Reader, connector: Id<'con'>, name: string): Promise<Tool | undefined> =>
  db.maybe(tools(sql`t.connector = ${connector} and t.name = ${name}`));

/**
 * What waits for a reviewer, oldest connector first: offered now, not as accepted, and nobody has said that it stays closed.
 * `like` looks at names of tools and connectors and at the definitions' text.
 */
export const listWaiting = (
  db: Reader,
  o: {
    like: string | null;
    connector: Id<'con'> | null;
    after: readonly string[] | undefined;
    limit: number;
  },
): Promise<Tool[]> =>
  db.many(
    tools(sql`t.state in ('quarantined', 'changed') and d.verdict is distinct from 'closed'
       and (${o.connector}::text is null or t.connector = ${o.connector})
       and (${o.like}::text is null or t.name ilike ${o.like} or d.definition ilike ${o.like}
            or exists (select from connector c where c.org = t.org and c.id = t.connector and (c.name ilike ${o.like} or c.slug ilike ${o.like})))
       and (${o.after?.[0] ?? null}::text is null
            or (t.connector, t.name collate "C") > (${o.after?.[0] ?? null}, ${o.after?.[1] ?? ''} collate "C"))
     order by t.connector, t.name collate "C" limit ${o.limit}`),
  );

/** What was just seen. A definition that was accepted at some time is accepted again; another leaves what a reviewer said beside it. */
export async function saveSeenTools(tx: Tx, connector: Id<'con'>, tools: readonly Seen[], at: Date): Promise<void> {
  const rows = sql`unnest(${tools.map((t) => t.name)}::text[], ${tools.map((t) => t.pin)}::text[],
    ${tools.map((t) => t.definition)}::text[], ${tools.map((t) => t.whole)}::text[]) as s(name, pin, definition, whole)`;
  await tx.run(write`
    insert into tool_definition (org, connector, name, pin, definition, whole, first_seen)
    select app_org(), ${connector}, s.name, s.pin, s.definition, s.whole, ${at} from ${rows}
    on conflict (org, connector, name, pin) do nothing`);
  await tx.run(write`
    insert into tool (org, connector, name, pin, reviewed_pin, first_seen, seen_at)
    select app_org(), ${connector}, s.name, s.pin, null, ${at}, ${at} from ${rows}
    on conflict (org, connector, name) do update
      set pin = excluded.pin, seen_at = excluded.seen_at, removed_at = null,
          reviewed_pin = case when exists (select from tool_definition d
            where d.org = excluded.org and d.connector = excluded.connector and d.name = excluded.name and d.pin = excluded.pin
              and d.verdict = 'accepted') then excluded.pin else tool.reviewed_pin end`);
}

/** Definitions that nobody accepted or closed, of tools that change all the time, beyond `keep` each; the newest stay. */
export const forgetDefinitions = (
  tx: Tx,
  connector: Id<'con'>,
  names: readonly string[],
  keep: number,
): Promise<number> =>
  tx.run(write`
    delete from tool_definition d using (
      select name, pin, row_number() over (partition by name order by first_seen desc, pin) as nth
        from tool_definition where org = app_org() and connector = ${connector} and name = any(${names}::text[]) and verdict is null) o
     where d.org = app_org() and d.connector = ${connector} and d.name = o.name and d.pin = o.pin and o.nth > ${keep}
       and not exists (select from tool t where t.org = d.org and t.connector = d.connector and t.name = d.name and t.pin = d.pin)`);

export const removeTools = (tx: Tx, connector: Id<'con'>, names: readonly string[], at: Date): Promise<number> =>
  tx.run(write`
    update tool set removed_at = ${at}
     where org = app_org() and connector = ${connector} and name = any(${names}::text[]) and removed_at is null`);

export type Sighting = { name: string; what: (typeof sightings)[number]; pin: string };
export const sightings = ['first_seen', 'changed', 'removed', 'came_back'] as const;

export const saveSightings = (tx: Tx, connector: Id<'con'>, of: readonly Sighting[], at: Date): Promise<number> =>
  tx.run(write`
    insert into tool_sighting (org, connector, name, what, pin, at)
    select app_org(), ${connector}, s.name, s.what, s.pin, ${at}
      from unnest(${of.map((s) => s.name)}::text[], ${of.map((s) => s.what)}::text[], ${of.map((s) => s.pin)}::text[]) as s(name, what, pin)`);

const SightingRow = z.object({
  n: z.string(),
  what: z.enum(sightings),
  pin: z.string(),
  at: z.date(),
});
/** Newest first. */
export const listSightings = (
  db: Reader,
  connector: Id<'con'>,
  name: string,
  before: string | null,
  limit: number,
): Promise<z.infer<typeof SightingRow>[]> =>
  db.many(read(SightingRow)`
    select n::text, what, pin, at from tool_sighting
     where org = app_org() and connector = ${connector} and name = ${name} and (${before}::text is null or n < ${before}::text::bigint)
     order by tool_sighting.n desc limit ${limit}`);

export type Acceptance = Pick<Tool, 'class' | 'projection' | 'stricter'> &
  Partial<Pick<Tool, 'brings' | 'outward'>> & { name: string; pin: string };

/** 0: the definition is not the one that the reviewer saw, or it is no longer offered. */
export const saveAcceptance = (tx: Tx, connector: Id<'con'>, a: Acceptance, by: string, at: Date): Promise<number> =>
  tx.run(write`
    with now as (
      update tool set reviewed_pin = pin
       where org = app_org() and connector = ${connector} and name = ${a.name} and pin = ${a.pin} and removed_at is null
      returning org, connector, name, pin)
    update tool_definition d
       set verdict = 'accepted', class = ${a.class ?? null}, projection = ${json(a.projection)}::jsonb, stricter = ${a.stricter ?? null},
           brings = ${a.brings ? [...a.brings] : null}::text[], outward = ${a.outward ?? null}, reviewed_by = ${by}, reviewed_at = ${at}
      from now where d.org = now.org and d.connector = now.connector and d.name = now.name and d.pin = now.pin`);

/** 0: no such definition of this tool was ever seen. An older one that was accepted may count again, if it comes back. */
export async function saveClosing(
  tx: Tx,
  connector: Id<'con'>,
  c: { name: string; pin: string },
  by: string,
  at: Date,
): Promise<number> {
  const closed = await tx.run(write`
    update tool_definition
       set verdict = 'closed', class = null, projection = '[]', stricter = null, brings = null, outward = null, reviewed_by = ${by}, reviewed_at = ${at}
     where org = app_org() and connector = ${connector} and name = ${c.name} and pin = ${c.pin}`);
  await tx.run(write`
    update tool t set reviewed_pin = (
      select d.pin from tool_definition d
       where d.org = t.org and d.connector = t.connector and d.name = t.name and d.verdict = 'accepted'
       order by d.reviewed_at desc, d.pin limit 1)
     where t.org = app_org() and t.connector = ${connector} and t.name = ${c.name} and t.reviewed_pin = ${c.pin}`);
  return closed;
}

const DefinitionRow = z
  .object({
    pin: z.string(),
    definition: z.string(),
    whole: z.string(),
    firstSeen: z.date(),
    verdict: z.enum(['accepted', 'closed']).nullable(),
    class: z.enum(toolClasses).nullable(),
    by: z.string().nullable(),
    at: z.date().nullable(),
  })
  .transform(({ by, at, ...d }) => ({ ...d, said: said(by, at) }));
export type KnownDefinition = z.infer<typeof DefinitionRow>;

/** One definition of a tool that was seen at some time. */
export const findDefinition = (
  db: Reader,
  connector: Id<'con'>,
  name: string,
  pin: string,
): Promise<KnownDefinition | undefined> =>
  db.maybe(read(DefinitionRow)`
    select pin, definition, whole, first_seen as "firstSeen", verdict, class, reviewed_by as by, reviewed_at as at
      from tool_definition where org = app_org() and connector = ${connector} and name = ${name} and pin = ${pin}`);

const NameRow = z.object({ connector: z.custom<Id<'con'>>(), slug: z.string(), name: z.string() });
/** Names of everything that connectors of the org offer now, for who looks whether one speaks of another's. */
export const listToolNames = (db: Reader): Promise<z.infer<typeof NameRow>[]> =>
  db.many(read(NameRow)`
    select t.connector, c.slug, t.name from tool t join connector c on c.org = t.org and c.id = t.connector
     where t.org = app_org() and t.removed_at is null and t.name <> ${INSTRUCTIONS} order by c.slug, t.name collate "C" limit 20000`);

const SettingsRow = z.object({ acceptCosmetic: z.boolean() });
/** Whether a change of title and icons alone keeps its review; off unless the org said otherwise. */
export const acceptsCosmetic = async (db: Reader): Promise<boolean> =>
  (
    await db.maybe(read(SettingsRow)`
    select accept_cosmetic as "acceptCosmetic" from tool_review_settings where org = app_org()`)
  )?.acceptCosmetic ?? false;

export const saveAcceptsCosmetic = (tx: Tx, on: boolean, by: string, at: Date): Promise<number> =>
  tx.run(write`
    insert into tool_review_settings (org, accept_cosmetic, set_by, set_at) values (app_org(), ${on}, ${by}, ${at})
    on conflict (org) do update set accept_cosmetic = excluded.accept_cosmetic, set_by = excluded.set_by, set_at = excluded.set_at`);
