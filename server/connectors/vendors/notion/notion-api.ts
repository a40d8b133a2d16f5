import { z } from 'zod';
import type { BuiltinCall } from '../../kit/builtin-tool.ts';
import type { ErrorAnswer, VendorError } from '../../kit/manifest.ts';
import { VendorRefusal, type VendorRequest } from '../../kit/vendor-client.ts';

/** Since 2025-09-03 rows are of data sources and not of databases; since 2026-03-11 `position` and `in_trash`. */
export const NOTION_VERSION = '2026-03-11';

export type NotionCall = Pick<BuiltinCall, 'vendor' | 'settings'>;

export async function notion<S extends z.ZodType>(
  { vendor }: Pick<NotionCall, 'vendor'>,
  request: Omit<VendorRequest, 'at' | 'headers'>,
  answer: S,
): Promise<z.output<S>> {
  const got = await vendor.send({ ...request, headers: { 'notion-version': NOTION_VERSION } });
  const read = answer.safeParse(got.json());
  if (read.success) return read.data;
  throw new VendorRefusal(
    got.status,
    'unexpected_answer',
    `Notion answers in a form that is not documented: ${read.error.issues[0]?.path.join('.') ?? ''}`,
  );
}

/** One spelling of an id, so that a rule that names it is not passed by another. */
export const NotionId = z
  .string()
  .regex(
    /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    'expected an id in lower case with hyphens, like 1f0c3b7a-9d2e-4c55-8a10-6f2b7e9d0c41; an address in Notion ends with the same without hyphens',
  );
export const Cursor = z.string().min(1).max(1000).optional().describe('From the answer before, for the next page');

/** A page of a list; at most 100 items. */
export const listOf = <S extends z.ZodType>(item: S) =>
  z.looseObject({ results: z.array(item), has_more: z.boolean(), next_cursor: z.string().nullish() });

const No = z.looseObject({ code: z.string(), message: z.string().optional() });

/** What a caller or an administrator can do about it. Notion knows capabilities of an integration instead of scopes. */
const words: Readonly<Record<string, string>> = {
  object_not_found:
    'no such page, database or block, or it is not shared with the integration: in Notion, open the page, its menu "•••", Connections, and add it there',
  restricted_resource:
    'the integration lacks the capability for this; an administrator switches it on in Notion, in the settings of the integration: "Read content", "Insert content" (new pages and blocks), "Update content" (changed pages), "Read comments" and "Insert comments"',
  unauthorized: 'the token was revoked in Notion, or the integration was removed from the workspace',
  conflict_error: 'somebody changed it at the same moment; try again',
};

export function readNotionError({ status, body }: ErrorAnswer): VendorError | undefined {
  const no = No.safeParse(body).data;
  if (!no) return undefined;
  const { code, message } = no;
  return {
    code,
    says: [words[code], message].filter((w) => w !== undefined).join('; '),
    ...(status === 401 ? { means: 'credential' as const } : {}),
  };
}
