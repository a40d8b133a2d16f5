import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Projection } from '#policy/argument.ts';
import type { ToolClass } from '#policy/schema.ts';
import { listToolsOf } from './tool.sql.ts';

/** A tool as its reviewer left it; undefined where there is none, or it is not now as it was reviewed. */
export async function findReviewedTool(
  db: Reader,
  connector: Id<'con'>,
  name: string,
): Promise<{ pin: string; class: ToolClass; projection: Projection; outward: boolean | undefined } | undefined> {
  const tool = (await listToolsOf(db, connector)).find((t) => t.name === name);
  return tool?.state === 'reviewed' && tool.class && tool.reviewedPin
    ? { pin: tool.reviewedPin, class: tool.class, projection: tool.projection, outward: tool.outward }
    : undefined;
}
