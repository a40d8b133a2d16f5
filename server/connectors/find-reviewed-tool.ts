import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Projection } from '#policy/argument.ts';
import type { ToolClass } from '#policy/schema.ts';
import { findConnector } from './connector.sql.ts';
import { findTool } from './tool.sql.ts';

/** A tool as its reviewer left it; undefined where there is none, or it is not now as it was reviewed. */
export async function findReviewedTool(
  db: Reader,
  connector: Id<'con'>,
  name: string,
): Promise<
  | { pin: string; class: ToolClass; projection: Projection; outward: boolean | undefined; type: string | undefined }
  | undefined
> {
  const tool = await findTool(db, connector, name);
  if (tool?.state !== 'reviewed' || !tool.class || !tool.reviewedPin) return undefined;
  return {
    pin: tool.reviewedPin,
    class: tool.class,
    projection: tool.projection,
    outward: tool.outward,
    type: (await findConnector(db, connector))?.type,
  };
}
