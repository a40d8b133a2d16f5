import type { Tx } from '#kernel/db.ts';
import type { AuditEvent } from '#audit/events.ts';
import { event } from '#audit/events.ts';
import type { Id } from '#kernel/id.ts';
import { connectorEvents } from './connectors.events.ts';
import { diffDefinition, severityOf } from './diff-definition.ts';
import { scanDefinition } from './scan/scan-definition.ts';
import { INSTRUCTIONS, type Seen, type Tool } from './tool.ts';
import {
  acceptsCosmetic,
  forgetDefinitions,
  listReviewable,
  removeTools,
  saveAcceptance,
  saveSeenTools,
  saveSightings,
  type Sighting,
} from './tool.sql.ts';

/** How what was seen differs from what was known. */
export type Difference = { added: string[]; changed: string[]; restored: string[]; removed: string[] };
/** One or more. */
export type Told = readonly [AuditEvent, ...AuditEvent[]];

/** What an upstream said: tools, all that it has or a page of them; and what it tells clients of itself (null: nothing), if it was asked. */
export type Sighted = { tools: readonly Seen[]; complete: boolean; instructions?: Seen | null };

/** A server that invents names does not fill our database: it lists at most a thousand at once, and this is several times that. */
const MAX_KNOWN = 5000;
/** Unreviewed definitions of one tool that are kept; a server that changes with every list has nothing more to tell after these. */
export const KEPT_UNREVIEWED = 50;

/**
 * Writes down what an upstream says its tools are. INVARIANT (review binds): what differs from its reviewed pin stops being usable in the
 * same transaction that noticed it, and a definition that comes back as reviewed becomes usable again.
 * @returns the events to commit with, or undefined when nothing differs. The caller holds the connector's lock.
 */
export async function observeTools(
  tx: Tx,
  connector: Id<'con'>,
  said: Sighted,
  now: Date,
): Promise<{ difference: Difference; events: Told } | undefined> {
  const known = new Map((await listReviewable(tx, connector)).map((t) => [t.name, t]));
  const told = known.get(INSTRUCTIONS);
  const offered = said.instructions ? [...said.tools, said.instructions] : said.tools;
  const save: { now: Seen; before: Tool | undefined }[] = [];
  for (const now of offered) {
    const before = known.get(now.name);
    known.delete(now.name);
    if (before && before.pin === now.pin && before.state !== 'removed') continue;
    if (before || known.size + save.length < MAX_KNOWN) save.push({ now, before });
  }
  known.delete(INSTRUCTIONS);
  const gone = said.complete ? [...known.values()].filter((t) => t.state !== 'removed') : [];
  if (said.instructions === null && told && told.state !== 'removed') gone.push(told);
  if (save.length === 0 && gone.length === 0) return undefined;

  await saveSeenTools(
    tx,
    connector,
    save.map((s) => s.now),
    now,
  );
  await removeTools(
    tx,
    connector,
    gone.map((t) => t.name),
    now,
  );
  const sightings: Sighting[] = [
    ...save.map(({ now, before }) => ({ name: now.name, what: whatOf(now, before), pin: now.pin })),
    ...gone.map((t) => ({ name: t.name, what: 'removed' as const, pin: t.pin })),
  ];
  await saveSightings(tx, connector, sightings, now);
  const cosmetic = await acceptCosmetic(tx, connector, save, now);
  await forgetDefinitions(
    tx,
    connector,
    save.flatMap((s) => (s.before ? [s.now.name] : [])),
    KEPT_UNREVIEWED,
  );

  const after = new Map((await listReviewable(tx, connector)).map((t) => [t.name, t.state]));
  const tools = (which: (s: (typeof save)[number]) => boolean): string[] =>
    save.filter((s) => s.now.name !== INSTRUCTIONS && which(s)).map((s) => s.now.name);
  const restored = (s: (typeof save)[number]): boolean => after.get(s.now.name) === 'reviewed';
  const kept = new Set(cosmetic.map((c) => c.name));
  const difference: Difference = {
    added: tools((s) => !s.before),
    changed: tools((s) => s.before !== undefined && !restored(s)),
    restored: tools((s) => s.before !== undefined && restored(s) && !kept.has(s.now.name)),
    removed: gone.filter((t) => t.name !== INSTRUCTIONS).map((t) => t.name),
  };
  const events: AuditEvent[] = [];
  if (Object.values(difference).some((names) => names.length > 0))
    events.push(event(connectorEvents, 'tools.seen', { connector, ...difference }));
  for (const s of sightings)
    if (s.name === INSTRUCTIONS)
      events.push(event(connectorEvents, 'instructions.seen', { connector, what: s.what, pin: s.pin }));
  if (cosmetic.length > 0)
    events.push(event(connectorEvents, 'tools.accepted_cosmetic', { connector, tools: cosmetic }));
  const [first, ...rest] = events;
  return first && { difference, events: [first, ...rest] };
}

const whatOf = (now: Seen, before: Tool | undefined): Sighting['what'] =>
  !before ? 'first_seen' : before.pin === now.pin ? 'came_back' : 'changed';

/** Where the org wants it so: another title or picture keeps its review, unless there is something in it to look at. */
async function acceptCosmetic(
  tx: Tx,
  connector: Id<'con'>,
  saved: readonly { now: Seen; before: Tool | undefined }[],
  now: Date,
): Promise<{ name: string; from: string; pin: string }[]> {
  const may = saved.filter((s) => s.before?.state === 'reviewed' && s.now.name !== INSTRUCTIONS);
  if (may.length === 0 || !(await acceptsCosmetic(tx))) return [];
  const accepted: { name: string; from: string; pin: string }[] = [];
  for (const { now: offered, before } of may) {
    if (!before?.reviewedPin || before.reviewedDefinition === undefined) continue;
    const definition: unknown = JSON.parse(offered.definition);
    const changes = diffDefinition(JSON.parse(before.reviewedDefinition), definition);
    if (severityOf(changes) !== 'cosmetic') continue;
    if (scanDefinition(definition).some((f) => changes.some((c) => f.at === c.at || f.at.startsWith(`${c.at}/`))))
      continue;
    const { class: cls, projection, stricter, brings, outward } = before;
    await saveAcceptance(
      tx,
      connector,
      { name: offered.name, pin: offered.pin, class: cls, projection, stricter, brings, outward },
      'setting:accept_cosmetic',
      now,
    );
    accepted.push({ name: offered.name, from: before.reviewedPin, pin: offered.pin });
  }
  return accepted;
}
