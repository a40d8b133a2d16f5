import { jcs } from '@gatehouse/contract/jcs.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { toolClasses } from '#policy/schema.ts';
import type { Access } from '#vault/vendor-auth.ts';
import { definitionOf, toolsOf } from './kit/tool-definition.ts';
import type { BuiltinTool } from './kit/builtin-tool.ts';
import type { Builtin, Manifest } from './kit/manifest.ts';
import type { Sighted } from './observe-tools.ts';
import { findDefinition, listReviewable, saveAcceptance } from './tool.sql.ts';
import { INSTRUCTIONS, isRecord, seen, seenInstructions, type Seen, type Tool } from './tool.ts';

/** Who is written down as the reviewer of a tool of ours: the review is part of the tool (docs/decisions/0010). */
export const catalogueReviewer = (type: string, builtin: Builtin): string => `catalogue:${type}@${builtin.version}`;

const pinned = new WeakMap<BuiltinTool, Seen>();
export function seenTool(t: BuiltinTool): Seen {
  const s = pinned.get(t) ?? sure(seen(definitionOf(t)));
  pinned.set(t, s);
  return s;
}

/** What a connector of this type and access offers, as if an upstream had listed it. */
export function sightedOf(builtin: Builtin, access: Access): Sighted {
  const told = seenInstructions(builtin.instructions);
  return { tools: toolsOf(builtin, access).map(seenTool), complete: true, instructions: told ? sure(told) : null };
}

/** A manifest that cannot be pinned is a mistake of ours, which the catalogue's own test finds. */
function sure(s: ReturnType<typeof seen>): Seen {
  if ('refused' in s) throw new Error(`${s.name} of the catalogue cannot be offered: ${s.refused}`);
  return s;
}

/**
 * Accepts what the catalogue brings. `chosen`: an administrator wants this connector with this access, so what is new to it is accepted; else
 * (another version of Gatehouse) only what did not widen is, and the rest waits for a review. What a person closed stays closed, and what a
 * person gave another class keeps waiting for him. The caller holds the connector's lock.
 * @returns the names that were accepted
 */
export async function acceptBuiltin(
  tx: Tx,
  connector: Id<'con'>,
  { type, builtin, access }: { type: Manifest['type']; builtin: Builtin; access: Access },
  chosen: boolean,
  now: Date,
): Promise<{ name: string; pin: string; class: Tool['class'] }[]> {
  const by = catalogueReviewer(type, builtin);
  const known = new Map((await listReviewable(tx, connector)).map((t) => [t.name, t]));
  const accepted: { name: string; pin: string; class: Tool['class'] }[] = [];
  for (const t of toolsOf(builtin, access)) {
    const tool = known.get(t.name);
    const { pin } = seenTool(t);
    if (!tool || tool.pin !== pin || tool.closed || !waits(tool)) continue;
    if (tool.reviewedPin === undefined ? !chosen : !keepsReview(tool, t)) continue;
    if (await wasClosed(tx, connector, tool)) continue;
    const a = {
      name: t.name,
      pin,
      class: t.class,
      projection: t.projection,
      stricter: undefined,
      brings: t.brings,
      outward: t.outward,
    };
    await saveAcceptance(tx, connector, a, by, now);
    accepted.push({ name: t.name, pin, class: t.class });
  }
  const told = known.get(INSTRUCTIONS);
  if (told && waits(told) && !told.closed)
    await saveAcceptance(
      tx,
      connector,
      { name: INSTRUCTIONS, pin: told.pin, class: undefined, projection: [], stricter: undefined },
      by,
      now,
    );
  return accepted;
}

const waits = (t: Tool): boolean => t.state === 'quarantined' || t.state === 'changed';

/** A person who closed the last definition meant the tool, not its spelling. */
async function wasClosed(tx: Tx, connector: Id<'con'>, tool: Tool): Promise<boolean> {
  if (tool.reviewedPin === undefined) return false;
  return (await findDefinition(tx, connector, tool.name, tool.reviewedPin))?.verdict === 'closed';
}

/** Whether what the catalogue said of the definition before still says enough of this one. */
export function keepsReview(before: Tool, t: BuiltinTool): boolean {
  if (!before.reviewed?.by.startsWith('catalogue:') || before.reviewedDefinition === undefined) return false;
  const old: unknown = JSON.parse(before.reviewedDefinition);
  const places = new Set(t.projection.map((p) => jcs(p)));
  return (
    toolClasses.indexOf(t.class) <= toolClasses.indexOf(before.class ?? 'read') &&
    (before.outward === true || !t.outward) &&
    (before.brings ?? []).every((b) => t.brings.includes(b)) &&
    before.projection.every((p) => places.has(jcs(p))) &&
    jcs(bare(isRecord(old) ? old['inputSchema'] : null)) === jcs(bare(definitionOf(t).inputSchema))
  );
}

/** A schema without its words: what it takes. */
function bare(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(bare);
  if (!isRecord(schema)) return schema;
  const words = new Set(['description', 'title', 'examples']);
  // A property may be called `description`; only words of the schema itself are taken out.
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => !(words.has(key) && typeof value === 'string'))
      .map(([key, value]) => [key, bare(value)]),
  );
}
