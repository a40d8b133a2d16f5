import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Projection } from '#policy/argument.ts';
import type { Brought, ToolClass } from '#policy/schema.ts';
import { misplaced, placesOf } from './argument-places.ts';
import { connectorEvents } from './connectors.events.ts';
import { lockConnector } from './connector.sql.ts';
import { diffDefinition } from './diff-definition.ts';
import { noConnector } from './refresh-tools.ts';
import { readStricter } from './stricter-schema.ts';
import { findDefinition, listReviewable, listToolsOf, saveAcceptance, saveClosing } from './tool.sql.ts';
import { INSTRUCTIONS, isRecord, type Tool } from './tool.ts';

/** What a reviewer says about one definition: the pin is the one that he was shown. */
export type Review = { name: string; pin: string } & (
  | {
      class: ToolClass;
      projection?: Projection | undefined;
      /** A JSON Schema (2020-12) that arguments must fit, beside the upstream's own. */
      schema?: unknown;
      /** What its answers bring into a session; left out, a read brings both. */
      brings?: readonly Brought[] | undefined;
      /** Whether it can carry content out of the organization, or to many; left out, a destructive one can. */
      outward?: boolean | undefined;
    }
  /** Stays closed, and no longer waits. Of a definition that was accepted: it is not any more, also when it comes back. */
  | { keepClosed: true }
);

/** Makes tools usable, each in the class that the reviewer gave, or keeps them closed. All or none: one stale pin refuses the whole review. */
export async function reviewTools(ctx: OrgCtx, id: Id<'con'>, reviews: readonly Review[]): Promise<Tool[]> {
  const by = reviewer(ctx);
  return change(ctx, async (tx) => {
    if (!(await lockConnector(tx, id))) throw noConnector(id);
    const before = await listReviewable(tx, id);
    const known = new Map(before.map((t) => [t.name, t]));
    const stale: Stale[] = [];
    const accepted: {
      name: string;
      pin: string;
      class: ToolClass;
      places?: number;
      stricter?: true;
      brings?: Brought[];
      outward?: boolean;
    }[] = [];
    const closed: { name: string; pin: string }[] = [];
    for (const r of reviews) {
      const tool = known.get(r.name);
      if (!tool || r.name === INSTRUCTIONS) throw noTool([r.name]);
      if ('keepClosed' in r) {
        if ((await saveClosing(tx, id, r, by, ctx.now)) === 0) stale.push({ name: r.name, shown: r.pin, tool });
        else closed.push({ name: r.name, pin: r.pin });
        continue;
      }
      if (tool.pin !== r.pin || tool.state === 'removed') {
        stale.push({ name: r.name, shown: r.pin, tool });
        continue;
      }
      const inputSchema = inputSchemaOf(tool.definition);
      const projection = placed(r.name, r.projection ?? [], inputSchema);
      const stricter = r.schema === undefined ? undefined : readable(r.name, r.schema);
      const { brings, outward } = r;
      const acceptance = { name: r.name, pin: r.pin, class: r.class, projection, stricter, brings, outward };
      await saveAcceptance(tx, id, acceptance, by, ctx.now);
      accepted.push({
        name: r.name,
        pin: r.pin,
        class: r.class,
        ...(projection.length > 0 ? { places: projection.length } : {}),
        ...(stricter === undefined ? {} : { stricter: true }),
        ...(brings ? { brings: [...brings] } : {}),
        ...(outward === undefined ? {} : { outward }),
      });
    }
    const gone = stale.filter((s) => s.tool.state === 'removed').map((s) => s.name);
    if (gone.length > 0) throw noTool(gone);
    if (stale.length > 0) {
      const was = await Promise.all(stale.map((s) => findDefinition(tx, id, s.name, s.shown)));
      throw stalePin(stale.map((s, i) => ({ ...s, definition: was[i]?.definition })));
    }
    const events: AuditEvent[] = [];
    if (accepted.length > 0) events.push(event(connectorEvents, 'tools.reviewed', { connector: id, tools: accepted }));
    if (closed.length > 0) events.push(event(connectorEvents, 'tools.kept_closed', { connector: id, tools: closed }));
    const value = await listToolsOf(tx, id);
    const [first, ...rest] = events;
    return first ? { value, events: [first, ...rest] } : { value, unchanged: true };
  });
}

/** Who is written down as the one who said it. */
export const reviewer = (ctx: OrgCtx): string => (ctx.actor.kind === 'nobody' ? 'nobody' : ctx.actor.id);

export const inputSchemaOf = (definition: string): unknown => {
  const d: unknown = JSON.parse(definition);
  return isRecord(d) ? d['inputSchema'] : undefined;
};

function placed(name: string, projection: Projection, inputSchema: unknown): Projection {
  const wrong = misplaced(projection, inputSchema);
  if (wrong.length === 0) return projection;
  const places = placesOf(inputSchema);
  throw new Problem('invalid', 'connectors/no-such-argument', {
    says: `of ${name}, ${wrong.map((w) => w.why).join('; ')}`,
    fix:
      places.length === 0
        ? 'leave the projection out: its input schema names no argument'
        : `choose from: ${places
            .slice(0, 20)
            .map((p) => p.at)
            .join(', ')}${places.length > 20 ? ', …' : ''}`,
    more: { tool: name, wrong, places },
  });
}

function readable(name: string, schema: unknown): string {
  const read = readStricter(schema);
  if ('text' in read) return read.text;
  throw new Problem('invalid', 'connectors/stricter-schema', {
    says: `the schema for the arguments of ${name} cannot be used: ${read.refused}`,
    fix: 'give a JSON Schema 2020-12 of type object, without references to elsewhere or to itself, with patterns that run in linear time',
  });
}

export const noTool = (names: readonly string[]): Problem =>
  new Problem('missing', 'connectors/no-tool', {
    says: `the connector has no tool ${names.join(', ')}`,
    fix: 'ask for the list of tools again',
  });

type Stale = { name: string; shown: string; tool: Tool };

/** What changed between what the reviewer saw and what is there: the places, so that he need not look for them. */
export function stalePin(stale: readonly (Stale & { definition: string | undefined })[]): Problem {
  const changed = stale.map((s) => ({
    name: s.name,
    shown: s.shown,
    now: s.tool.pin,
    at:
      s.definition === undefined
        ? null
        : diffDefinition(JSON.parse(s.definition), JSON.parse(s.tool.definition)).map((c) => c.at),
  }));
  const words = changed.map((c) =>
    c.at === null || c.at.length === 0 ? c.name : `${c.name} (${c.at.slice(0, 5).join(', ')})`,
  );
  return new Problem('stale', 'connectors/stale-pin', {
    says: `${words.join(', ')} changed since it was shown to you; nothing was reviewed`,
    fix: 'look at the definitions as they are now, and review those',
    more: { changed },
  });
}
