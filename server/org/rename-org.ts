import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { saveOrgName } from './org.sql.ts';
import { orgEvents } from './org.events.ts';

/** Gives the organization another name. Nothing refers to it by name. */
export const renameOrg = (ctx: OrgCtx, name: string): Promise<void> =>
  change(ctx, async (tx) =>
    (await saveOrgName(tx, ctx.org, name)) === 1
      ? { value: undefined, events: [event(orgEvents, 'org.renamed', { org: ctx.org })] }
      : { value: undefined, unchanged: true },
  );
