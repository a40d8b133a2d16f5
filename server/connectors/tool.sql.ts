import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { toolClasses, type ToolClass } from '#policy/schema.ts';
import { toolStates, type Seen, type Tool } from './tool.ts';

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
    firstSeen: z.date(),
  })
  .transform((t): Tool => ({
    ...t,
    class: t.class ?? undefined,
    reviewedPin: t.reviewedPin ?? undefined,
    reviewedDefinition: t.reviewedDefinition ?? undefined,
  }));

/** Every tool of every connector of the org, by name. */
export const listTools = (db: Reader): Promise<Tool[]> =>
  db.many(read(ToolRow)`
    select connector, name, pin, definition, state, class, reviewed_pin as "reviewedPin", reviewed_definition as "reviewedDefinition",
           first_seen as "firstSeen"
      from tool where org = app_org() order by connector, name collate "C"`);

export const listToolsOf = (db: Reader, connector: Id<'con'>): Promise<Tool[]> =>
  db.many(read(ToolRow)`
    select connector, name, pin, definition, state, class, reviewed_pin as "reviewedPin", reviewed_definition as "reviewedDefinition",
           first_seen as "firstSeen"
      from tool where org = app_org() and connector = ${connector} order by name collate "C"`);

/** What was just seen; what a reviewer said stays beside it. */
export const saveSeenTools = (tx: Tx, connector: Id<'con'>, tools: readonly Seen[], at: Date): Promise<number> =>
  tx.run(write`
    insert into tool (org, connector, name, pin, definition, first_seen, seen_at)
    select app_org(), ${connector}, t.name, t.pin, t.definition, ${at}, ${at}
      from unnest(${tools.map((t) => t.name)}::text[], ${tools.map((t) => t.pin)}::text[], ${tools.map((t) => t.definition)}::text[])
        as t(name, pin, definition)
    on conflict (org, connector, name) do update
      set pin = excluded.pin, definition = excluded.definition, seen_at = excluded.seen_at, removed_at = null`);

export const removeTools = (tx: Tx, connector: Id<'con'>, names: readonly string[], at: Date): Promise<number> =>
  tx.run(write`
    update tool set removed_at = ${at}
     where org = app_org() and connector = ${connector} and name = any(${names}::text[]) and removed_at is null`);

/** 0: the definition is not the one that the reviewer saw. */
export const saveReview = (
  tx: Tx,
  connector: Id<'con'>,
  review: { name: string; pin: string; class: ToolClass },
  by: string,
  at: Date,
): Promise<number> =>
  tx.run(write`
    update tool
       set class = ${review.class}, reviewed_pin = pin, reviewed_definition = definition, reviewed_by = ${by}, reviewed_at = ${at}
     where org = app_org() and connector = ${connector} and name = ${review.name} and pin = ${review.pin} and removed_at is null`);
