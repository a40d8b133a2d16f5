import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { ArgumentPlace } from '#policy/argument.ts';
import { placesOf, suggestedProjection, type SchemaPlace } from './argument-places.ts';
import type { Connector } from './connector.ts';
import { findConnector } from './connector.sql.ts';
import { diffDefinition, severityOf, type ChangeSeverity, type FieldChange } from './diff-definition.ts';
import { noConnector } from './refresh-tools.ts';
import { inputSchemaOf, noTool } from './review-tools.ts';
import { elsewhereOf, type Elsewhere } from './scan/references.ts';
import { scanPinned } from './scan/scan-definition.ts';
import type { Finding } from './scan/scanner.ts';
import { findDefinition, findTool, listToolNames } from './tool.sql.ts';
import { INSTRUCTIONS, type Tool } from './tool.ts';

/** `first`: nobody has accepted any definition of it. */
export type ReviewSeverity = 'first' | ChangeSeverity;

/** Everything that a reviewer wants in front of him about one tool, or about what a connector tells its clients. */
export type ReviewSheet = {
  connector: Connector;
  tool: Tool;
  /** With unknown fields and pictures. */
  whole: string;
  /** What is compared with; undefined where there is nothing. */
  against: { pin: string; definition: string } | undefined;
  severity: ReviewSeverity;
  changes: FieldChange[];
  /** `fresh`: not in what it is compared with. */
  findings: (Finding & { fresh: boolean })[];
  places: SchemaPlace[];
  suggested: ArgumentPlace[];
};

/** One definition as it is offered now beside the accepted one, or beside `against`, any that was ever seen. */
export async function readReview(
  ctx: OrgCtx,
  id: Id<'con'>,
  name: string | undefined,
  against: string | undefined,
): Promise<ReviewSheet> {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const connector = await findConnector(db, id);
    if (!connector) throw noConnector(id);
    if (name === INSTRUCTIONS) throw noTool([name]);
    const tool = await findTool(db, id, name ?? INSTRUCTIONS);
    if (!tool) throw noTool([name ?? 'instructions']);
    const now = await findDefinition(db, id, tool.name, tool.pin);
    const other = against ?? tool.reviewedPin;
    const was = other === undefined ? undefined : await findDefinition(db, id, tool.name, other);
    if (against !== undefined && !was)
      throw new Problem('missing', 'connectors/no-definition', {
        says: `${tool.name} was never seen with the pin ${against}`,
        fix: 'take a pin from its history; unreviewed definitions of a tool that keeps changing are forgotten after a while',
      });
    const elsewhere = elsewhereOf(id, await listToolNames(db));
    return { connector, tool, whole: now?.whole ?? tool.definition, ...judged(tool, was, elsewhere) };
  });
}

/** What there is to say about a definition beside the one it is compared with. */
export function judged(
  tool: Pick<Tool, 'pin' | 'definition'>,
  was: { pin: string; definition: string } | undefined,
  elsewhere: Elsewhere,
): Omit<ReviewSheet, 'connector' | 'tool' | 'whole'> {
  const definition: unknown = JSON.parse(tool.definition);
  const before: unknown = was ? JSON.parse(was.definition) : undefined;
  const changes = was ? diffDefinition(before, definition) : [];
  const key = (f: Finding): string => `${f.id} ${f.at} ${f.excerpt}`;
  const old = new Set(was ? scanPinned(was, elsewhere).map(key) : []);
  const places = placesOf(inputSchemaOf(tool.definition));
  const wide = was ? widened(placesOf(inputSchemaOf(was.definition)), places) : [];
  return {
    against: was && { pin: was.pin, definition: was.definition },
    severity: was ? severityOf(changes) : 'first',
    changes,
    findings: [...scanPinned(tool, elsewhere), ...wide].map((f) => ({
      ...f,
      fresh: was !== undefined && !old.has(key(f)),
    })),
    places,
    suggested: suggestedProjection(places),
  };
}

/** Arguments that can carry a file out and could not before. */
const widened = (before: readonly SchemaPlace[], now: readonly SchemaPlace[]): Finding[] => {
  const were = new Set(before.filter((p) => p.freeText).map((p) => p.at));
  return now
    .filter((p) => p.freeText && !were.has(p.at))
    .map((p) => ({
      id: 'new_free_text',
      severity: 'medium',
      at: `/inputSchema${p.at}`,
      excerpt: p.at,
      says: 'New free text',
      why: `${p.at} is wide enough to carry a file out.`,
      count: 1,
    }));
};
