import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Connector } from './connector.ts';
import { listConnectors } from './connector.sql.ts';
import { judged, type ReviewSeverity } from './read-review.ts';
import { elsewhereOf, type Elsewhere } from './scan/references.ts';
import { countFindings } from './scan/scan-definition.ts';
import type { Severity } from './scan/scanner.ts';
import { listToolNames, listWaiting } from './tool.sql.ts';
import type { Tool } from './tool.ts';

/** One line of the list: enough to choose what to open first, or to accept many that are plain. */
export type WaitingReview = {
  connector: Connector;
  tool: Tool;
  severity: ReviewSeverity;
  changed: string[];
  findings: Record<Severity, number>;
  says: string | undefined;
};

const MAX_CHANGED = 10;

/** What waits for a reviewer in the organization. */
export async function listWaitingReviews(
  ctx: OrgCtx,
  o: { like: string | null; connector: Id<'con'> | undefined; after: readonly string[] | undefined; limit: number },
): Promise<WaitingReview[]> {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const connectors = new Map((await listConnectors(db)).map((c) => [c.id, c]));
    const names = await listToolNames(db);
    const waiting = await listWaiting(db, { ...o, connector: o.connector ?? null });
    const near = new Map<Id<'con'>, Elsewhere>();
    return waiting.flatMap((tool) => {
      const connector = connectors.get(tool.connector);
      if (!connector) return [];
      const was =
        tool.reviewedPin === undefined || tool.reviewedDefinition === undefined
          ? undefined
          : { pin: tool.reviewedPin, definition: tool.reviewedDefinition };
      const elsewhere = near.get(tool.connector) ?? elsewhereOf(tool.connector, names);
      near.set(tool.connector, elsewhere);
      const { severity, changes, findings } = judged(tool, was, elsewhere);
      return [
        {
          connector,
          tool,
          severity,
          changed: changes.slice(0, MAX_CHANGED).map((c) => c.at),
          findings: countFindings(findings),
          says: findings[0]?.says,
        },
      ];
    });
  });
}
