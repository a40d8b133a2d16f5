import { z } from 'zod';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { slugForm } from './connector.ts';
import { noConnector } from './refresh-tools.ts';

// What every operation of this room says the same way.
export const InOrg = z.strictObject({ org: z.string() });
export const Slug = z.string().min(1).max(40).regex(slugForm, 'a-z, 0-9 and single hyphens');
export const ConnectorName = z.string().min(1).max(100);
export const OneConnector = z.strictObject({ org: z.string(), con: z.string() });

/** The context of an operation that is inside an organization. */
export const inOrg = (ctx: Ctx): OrgCtx => {
  if (ctx.org === undefined)
    throw new Problem('bug', 'connectors/no-org', { says: 'this operation is inside an organization' });
  return { ...ctx, org: ctx.org };
};

/** The connector that a path names; what is no id of ours is not there. */
export const idOf = (text: string): Id<'con'> => {
  const id = parseId('con', text);
  if (!id) throw noConnector(text.slice(0, 60));
  return id;
};
